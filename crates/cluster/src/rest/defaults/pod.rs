//! Defaults of pods and of the pod templates in workloads.

use serde_json::{Value, json};

use super::{default, list};

/// Fills in a pod's spec.
pub(super) fn spec(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    default(spec, "restartPolicy", "Always");
    default(spec, "terminationGracePeriodSeconds", 30);
    default(spec, "dnsPolicy", "ClusterFirst");
    default(spec, "securityContext", json!({}));
    default(spec, "schedulerName", "default-scheduler");
    default(spec, "enableServiceLinks", true);
    let account = spec["serviceAccountName"].clone();
    if account.is_string() {
        default(spec, "serviceAccount", account);
    }
    for field in ["containers", "initContainers"] {
        if let Some(containers) = spec.get_mut(field) {
            list(containers).for_each(container);
        }
    }
    if let Some(volumes) = spec.get_mut("volumes") {
        list(volumes).for_each(volume);
    }
}

fn container(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or_default();
    let tag = image.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
    let policy = if tag.is_none_or(|tag| tag == "latest") && !image.contains('@') { "Always" } else { "IfNotPresent" };
    default(container, "imagePullPolicy", policy);
    default(container, "terminationMessagePath", "/dev/termination-log");
    default(container, "terminationMessagePolicy", "File");
    default(container, "resources", json!({}));
    let Some(map) = container.as_object_mut() else { return };
    if let Some(ports) = map.get_mut("ports") {
        for port in list(ports) {
            default(port, "protocol", "TCP");
        }
    }
    if let Some(env) = map.get_mut("env") {
        for variable in list(env) {
            if let Some(field) = variable.get_mut("valueFrom").and_then(|from| from.get_mut("fieldRef")) {
                default(field, "apiVersion", "v1");
            }
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = map.get_mut(name) {
            self::probe(probe);
        }
    }
}

fn probe(probe: &mut Value) {
    for (field, to) in [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        default(probe, field, to);
    }
    if let Some(http) = probe.get_mut("httpGet") {
        default(http, "path", "/");
        default(http, "scheme", "HTTP");
    }
}

fn volume(volume: &mut Value) {
    let Some(map) = volume.as_object_mut() else { return };
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = map.get_mut(source) {
            default(source, "defaultMode", 420);
        }
    }
}

/// The quality-of-service class that follows from requests and limits.
pub(super) fn qos_class(spec: &Value) -> &'static str {
    let containers: Vec<_> = spec["containers"].as_array().into_iter().flatten().collect();
    let set = |c: &Value, what: &str| c["resources"][what].as_object().is_some_and(|map| !map.is_empty());
    if containers.iter().all(|c| !set(c, "requests") && !set(c, "limits")) {
        return "BestEffort";
    }
    let guaranteed = containers.iter().all(|c| {
        let (limits, requests) = (&c["resources"]["limits"], &c["resources"]["requests"]);
        ["cpu", "memory"]
            .iter()
            .all(|r| !limits[*r].is_null() && (requests[*r].is_null() || requests[*r] == limits[*r]))
    });
    if guaranteed { "Guaranteed" } else { "Burstable" }
}
