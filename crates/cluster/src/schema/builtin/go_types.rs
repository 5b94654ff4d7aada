//! What Go calls the types of some fields, where decode errors name them and the schema does not know.

/// The struct that a field's struct embeds, and that the field belongs to.
pub(crate) fn embedded_in(owner: &str, field: &str) -> Option<&'static str> {
    match owner {
        "Volume" if field != "name" => Some("VolumeSource"),
        "Probe" if matches!(field, "exec" | "httpGet" | "tcpSocket" | "grpc") => Some("ProbeHandler"),
        "EphemeralContainer" if field != "targetContainerName" => Some("EphemeralContainerCommon"),
        _ => None,
    }
}

/// The named string or map type of a field.
pub(crate) fn named_type(owner: &str, field: &str) -> Option<&'static str> {
    Some(match (owner, field) {
        (_, "imagePullPolicy") => "v1.PullPolicy",
        (_, "protocol") => "v1.Protocol",
        (_, "terminationMessagePolicy") => "v1.TerminationMessagePolicy",
        (_, "limits" | "requests" | "capacity" | "allocatable") => "v1.ResourceList",
        ("PodSpec" | "Container", "restartPolicy") => "v1.RestartPolicy",
        ("PodSpec", "dnsPolicy") => "v1.DNSPolicy",
        ("HTTPGetAction", "scheme") => "v1.URIScheme",
        ("ServiceSpec", "type") => "v1.ServiceType",
        ("ServiceSpec", "sessionAffinity") => "v1.ServiceAffinity",
        ("ServiceSpec", "externalTrafficPolicy") => "v1.ServiceExternalTrafficPolicy",
        ("ServiceSpec", "ipFamilies") => "[]v1.IPFamily",
        ("Secret", "type") => "v1.SecretType",
        ("DeploymentStrategy", "type") => "v1.DeploymentStrategyType",
        ("DeploymentCondition", "type") => "v1.DeploymentConditionType",
        ("PodCondition", "type") => "v1.PodConditionType",
        ("NodeCondition", "type") => "v1.NodeConditionType",
        ("DeploymentCondition" | "PodCondition" | "NodeCondition" | "ReplicaSetCondition", "status") => {
            "v1.ConditionStatus"
        }
        ("PodStatus", "phase") => "v1.PodPhase",
        ("NamespaceStatus", "phase") => "v1.NamespacePhase",
        ("EndpointSlice", "addressType") => "v1.AddressType",
        ("LabelSelectorRequirement", "operator") => "v1.LabelSelectorOperator",
        ("Toleration", "operator") => "v1.TolerationOperator",
        ("Toleration" | "Taint", "effect") => "v1.TaintEffect",
        ("ObjectMeta" | "OwnerReference", "uid") => "types.UID",
        _ => return None,
    })
}
