//! Defaults of pods and pod templates.

use serde_json::{Value, json};

use super::{always, each, inner, make, set, set_number};

/// A Pod: the template's defaults and those that only a real pod has.
pub(super) fn pod(object: &mut Value) {
    template(object);
    if let Some(spec) = inner(object, "spec") {
        always(spec, "enableServiceLinks", json!(true));
        for list in ["containers", "initContainers"] {
            each(spec, &[list], requests_from_limits);
        }
        always(spec, "preemptionPolicy", json!("PreemptLowerPriority"));
        always(spec, "priority", json!(0));
    }
    let class = quality_of_service(&object["spec"]);
    if let Some(status) = make(object, "status") {
        set(status, "phase", json!("Pending"));
        set(status, "qosClass", json!(class));
    }
}

/// A PodTemplateSpec, or what a Pod shares with it.
pub(super) fn template(object: &mut Value) {
    let Some(spec) = inner(object, "spec") else { return };
    set(spec, "dnsPolicy", json!("ClusterFirst"));
    set(spec, "restartPolicy", json!("Always"));
    set(spec, "schedulerName", json!("default-scheduler"));
    always(spec, "securityContext", json!({}));
    always(spec, "terminationGracePeriodSeconds", json!(30));
    let account = spec["serviceAccountName"].as_str().or_else(|| spec["serviceAccount"].as_str()).unwrap_or_default();
    if !account.is_empty() {
        let account = json!(account);
        set(spec, "serviceAccountName", account.clone());
        set(spec, "serviceAccount", account);
    }
    let host_network = spec["hostNetwork"] == json!(true);
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        each(spec, &[list], |item| container(item, host_network));
    }
    each(spec, &["volumes"], volume);
}

fn container(container: &mut Value, host_network: bool) {
    let policy = if is_latest(container["image"].as_str().unwrap_or_default()) { "Always" } else { "IfNotPresent" };
    set(container, "imagePullPolicy", json!(policy));
    set(container, "terminationMessagePath", json!("/dev/termination-log"));
    set(container, "terminationMessagePolicy", json!("File"));
    always(container, "resources", json!({}));
    each(container, &["ports"], |port| {
        set(port, "protocol", json!("TCP"));
        if host_network {
            let number = port["containerPort"].as_i64().unwrap_or(0);
            set_number(port, "hostPort", number);
        }
    });
    each(container, &["env"], |variable| {
        if let Some(field) = inner(variable, "valueFrom").and_then(|from| inner(from, "fieldRef")) {
            set(field, "apiVersion", json!("v1"));
        }
    });
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = inner(container, name) else { continue };
        set_number(probe, "timeoutSeconds", 1);
        set_number(probe, "periodSeconds", 10);
        set_number(probe, "successThreshold", 1);
        set_number(probe, "failureThreshold", 3);
        handler(probe);
    }
    for name in ["postStart", "preStop"] {
        if let Some(hook) = inner(container, "lifecycle").and_then(|lifecycle| inner(lifecycle, name)) {
            handler(hook);
        }
    }
}

fn handler(handler: &mut Value) {
    if let Some(get) = inner(handler, "httpGet") {
        set(get, "path", json!("/"));
        set(get, "scheme", json!("HTTP"));
    }
    if let Some(grpc) = inner(handler, "grpc") {
        always(grpc, "service", json!(""));
    }
}

fn volume(volume: &mut Value) {
    if volume.as_object().is_some_and(|map| map.keys().all(|key| key == "name")) {
        volume["emptyDir"] = json!({});
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        let Some(source) = inner(volume, source) else { continue };
        always(source, "defaultMode", json!(0o644));
        each(source, &["items"], field_version);
        each(source, &["sources"], |source| {
            if let Some(token) = inner(source, "serviceAccountToken") {
                always(token, "expirationSeconds", json!(3600));
            }
            if let Some(downward) = inner(source, "downwardAPI") {
                each(downward, &["items"], field_version);
            }
        });
    }
    if let Some(host) = inner(volume, "hostPath") {
        always(host, "type", json!(""));
    }
}

fn field_version(item: &mut Value) {
    if let Some(field) = inner(item, "fieldRef") {
        set(field, "apiVersion", json!("v1"));
    }
}

/// Whether an image reference means the tag `latest`: said, or neither a tag nor a digest said.
fn is_latest(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn requests_from_limits(container: &mut Value) {
    let Some(resources) = inner(container, "resources") else { return };
    let Some(Value::Object(limits)) = resources.get("limits").cloned() else { return };
    if let Some(Value::Object(requests)) = make(resources, "requests") {
        for (name, limit) in limits {
            requests.entry(name).or_insert(limit);
        }
    }
}

/// The pod's quality-of-service class: by CPU and memory requests and limits of all containers.
fn quality_of_service(spec: &Value) -> &'static str {
    let containers =
        ["containers", "initContainers"].into_iter().flat_map(|list| spec[list].as_array().into_iter().flatten());
    let (mut any, mut all) = (false, true);
    for container in containers {
        for name in ["cpu", "memory"] {
            let (request, limit) = (&container["resources"]["requests"][name], &container["resources"]["limits"][name]);
            any |= !request.is_null() || !limit.is_null();
            all &= !limit.is_null() && request == limit;
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_latest, pod, quality_of_service};

    #[test]
    fn a_missing_tag_means_latest() {
        for latest in ["nginx", "nginx:latest", "localhost:5000/nginx", "a/b/c:latest"] {
            assert!(is_latest(latest), "{latest}");
        }
        for pinned in ["nginx:1", "localhost:5000/nginx:1.2", "nginx@sha256:00", "nginx:latest@sha256:00"] {
            assert!(!is_latest(pinned), "{pinned}");
        }
    }

    #[test]
    fn requests_follow_limits_and_make_a_pod_guaranteed() {
        let mut object = json!({"spec": {"containers": [
            {"name": "a", "image": "a:1", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}},
        ]}});
        pod(&mut object);
        assert_eq!(object["spec"]["containers"][0]["resources"]["requests"], json!({"cpu": "1", "memory": "1Gi"}));
        assert_eq!(object["status"], json!({"phase": "Pending", "qosClass": "Guaranteed"}));
        assert_eq!(quality_of_service(&json!({"containers": [{}]})), "BestEffort");
    }
}
