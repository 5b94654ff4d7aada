//! How Kubernetes merges the fields of its own types. `k8s-openapi` drops these markers, so they are kept here, as the
//! struct tags and comments of `k8s.io/api` give them.
//!
//! Types are named without their common prefix: `core.v1.PodSpec`, `meta.v1.ObjectMeta`.

use serde_json::{Value, json};

fn short(owner: &str) -> &str {
    owner
        .strip_prefix("io.k8s.api.")
        .or_else(|| owner.strip_prefix("io.k8s.apimachinery.pkg.apis."))
        .or_else(|| owner.strip_prefix("io.k8s.apiextensions-apiserver.pkg.apis."))
        .unwrap_or(owner)
}

/// The keys of a list-type map, comma-separated; the empty string for a set; `None` for an atomic list.
pub(super) fn list_keys(owner: &str, field: &str) -> Option<&'static str> {
    let owner = short(owner);
    if field == "conditions" && owner.ends_with("Status") {
        return CONDITIONS.contains(&owner).then_some("type");
    }
    LISTS.iter().find(|(ty, name, _)| *ty == owner && *name == field).map(|(_, _, keys)| *keys)
}

/// Whether server-side apply replaces the whole type at once.
pub(super) fn is_atomic_type(owner: &str) -> bool {
    ATOMIC_TYPES.contains(&short(owner))
}

/// Whether server-side apply replaces this map at once.
pub(super) fn is_atomic_map(owner: &str, field: &str) -> bool {
    let owner = short(owner);
    matches!(
        (owner, field),
        ("core.v1.PodSpec", "nodeSelector")
            | ("core.v1.ReplicationControllerSpec", "selector")
            | ("core.v1.ServiceSpec", "selector")
            | ("resource.v1.DeviceClassSpec", "config")
    )
}

/// Strategic-merge treatment: (merge, retainKeys, merge key).
pub(super) fn patch(owner: &str, field: &str) -> Option<(bool, bool, &'static str)> {
    let owner = short(owner);
    if field == "conditions" && owner.ends_with("Status") {
        return CONDITIONS.contains(&owner).then_some((true, false, "type"));
    }
    let key = match (owner, field) {
        ("apps.v1.DeploymentSpec", "strategy") => return Some((false, true, "")),
        ("core.v1.PodSpec", "volumes" | "resourceClaims") => return Some((true, true, "name")),
        ("core.v1.PodStatus", "resourceClaimStatuses") => return Some((true, true, "name")),
        ("core.v1.Container" | "core.v1.EphemeralContainer", "ports") => "containerPort",
        ("core.v1.PodSpec", "topologySpreadConstraints") => "topologyKey",
        ("core.v1.ServiceSpec", "ports") => "port",
        ("core.v1.NodeSpec", "podCIDRs") | ("meta.v1.ObjectMeta", "finalizers") => "",
        ("core.v1.PodStatus", "hostIPs") => "ip",
        ("core.v1.ResourceRequirements" | "core.v1.VolumeResourceRequirements", "claims") => return None,
        ("core.v1.ContainerStatus", "resources") | ("core.v1.ResourceStatus", "resources") => return None,
        _ => {
            let keys = LISTS.iter().find(|(ty, name, _)| *ty == owner && *name == field)?.2;
            if keys.is_empty() {
                return None;
            }
            keys
        }
    };
    Some((true, false, key))
}

/// The defaults that are part of a list-type map's keys; every other default is code (see `defaults`).
pub(super) fn default(owner: &str, field: &str) -> Option<Value> {
    matches!((short(owner), field), ("core.v1.ContainerPort" | "core.v1.ServicePort", "protocol")).then(|| json!("TCP"))
}

/// Types without fields whose values are nevertheless not free: an unknown field in them is an error.
pub(super) fn is_empty_struct(owner: &str) -> bool {
    matches!(short(owner), "apiextensions.v1.CustomResourceSubresourceStatus")
}

const LISTS: &[(&str, &str, &str)] = &[
    ("admissionregistration.v1.MutatingWebhook", "matchConditions", "name"),
    ("admissionregistration.v1.MutatingWebhookConfiguration", "webhooks", "name"),
    ("admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec", "validationActions", ""),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", "matchConditions", "name"),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", "variables", "name"),
    ("admissionregistration.v1.ValidatingWebhook", "matchConditions", "name"),
    ("admissionregistration.v1.ValidatingWebhookConfiguration", "webhooks", "name"),
    ("apiextensions.v1.JSONSchemaProps", "x-kubernetes-validations", "rule"),
    ("autoscaling.v2.HorizontalPodAutoscalerStatus", "conditions", "type"),
    ("batch.v1.PodFailurePolicyOnExitCodesRequirement", "values", ""),
    ("batch.v1.UncountedTerminatedPods", "failed", ""),
    ("batch.v1.UncountedTerminatedPods", "succeeded", ""),
    ("core.v1.Container", "env", "name"),
    ("core.v1.Container", "ports", "containerPort,protocol"),
    ("core.v1.Container", "volumeDevices", "devicePath"),
    ("core.v1.Container", "volumeMounts", "mountPath"),
    ("core.v1.ContainerRestartRuleOnExitCodes", "values", ""),
    ("core.v1.ContainerStatus", "allocatedResourcesStatus", "name"),
    ("core.v1.ContainerStatus", "volumeMounts", "mountPath"),
    ("core.v1.EphemeralContainer", "env", "name"),
    ("core.v1.EphemeralContainer", "ports", "containerPort,protocol"),
    ("core.v1.EphemeralContainer", "volumeDevices", "devicePath"),
    ("core.v1.EphemeralContainer", "volumeMounts", "mountPath"),
    ("core.v1.NodeSpec", "podCIDRs", ""),
    ("core.v1.NodeStatus", "addresses", "type"),
    ("core.v1.PodSpec", "containers", "name"),
    ("core.v1.PodSpec", "ephemeralContainers", "name"),
    ("core.v1.PodSpec", "hostAliases", "ip"),
    ("core.v1.PodSpec", "imagePullSecrets", "name"),
    ("core.v1.PodSpec", "initContainers", "name"),
    ("core.v1.PodSpec", "resourceClaims", "name"),
    ("core.v1.PodSpec", "schedulingGates", "name"),
    ("core.v1.PodSpec", "topologySpreadConstraints", "topologyKey,whenUnsatisfiable"),
    ("core.v1.PodSpec", "volumes", "name"),
    ("core.v1.PodStatus", "podIPs", "ip"),
    ("core.v1.PodStatus", "resourceClaimStatuses", "name"),
    ("core.v1.ResourceRequirements", "claims", "name"),
    ("core.v1.ResourceStatus", "resources", "resourceID"),
    ("core.v1.ServiceAccount", "secrets", "name"),
    ("core.v1.ServiceSpec", "ports", "port,protocol"),
    ("discovery.v1.Endpoint", "addresses", ""),
    ("meta.v1.ObjectMeta", "finalizers", ""),
    ("meta.v1.ObjectMeta", "ownerReferences", "uid"),
];

/// The statuses whose `conditions` are keyed by `type`.
const CONDITIONS: &[&str] = &[
    "admissionregistration.v1.ValidatingAdmissionPolicyStatus",
    "apiextensions.v1.CustomResourceDefinitionStatus",
    "apps.v1.DaemonSetStatus",
    "apps.v1.DeploymentStatus",
    "apps.v1.ReplicaSetStatus",
    "apps.v1.StatefulSetStatus",
    "autoscaling.v2.HorizontalPodAutoscalerStatus",
    "core.v1.NamespaceStatus",
    "core.v1.NodeStatus",
    "core.v1.PersistentVolumeClaimStatus",
    "core.v1.PodStatus",
    "core.v1.ReplicationControllerStatus",
    "core.v1.ServiceStatus",
    "policy.v1.PodDisruptionBudgetStatus",
];

const ATOMIC_TYPES: &[&str] = &[
    "admissionregistration.v1.MatchResources",
    "admissionregistration.v1.NamedRuleWithOperations",
    "admissionregistration.v1.ParamKind",
    "admissionregistration.v1.ParamRef",
    "admissionregistration.v1.Variable",
    "autoscaling.v1.CrossVersionObjectReference",
    "core.v1.ConfigMapKeySelector",
    "core.v1.EndpointAddress",
    "core.v1.EndpointPort",
    "core.v1.FileKeySelector",
    "core.v1.LocalObjectReference",
    "core.v1.NodeSelector",
    "core.v1.NodeSelectorTerm",
    "core.v1.ObjectFieldSelector",
    "core.v1.ObjectReference",
    "core.v1.ResourceFieldSelector",
    "core.v1.ScopeSelector",
    "core.v1.SecretKeySelector",
    "core.v1.SecretReference",
    "core.v1.TopologySelectorTerm",
    "core.v1.TypedLocalObjectReference",
    "discovery.v1.EndpointPort",
    "meta.v1.FieldsV1",
    "meta.v1.LabelSelector",
    "meta.v1.OwnerReference",
    "networking.v1.ServiceBackendPort",
    "rbac.v1.RoleRef",
    "rbac.v1.Subject",
];
