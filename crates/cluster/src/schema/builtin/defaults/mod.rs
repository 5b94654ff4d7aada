//! What kube-apiserver fills in for its own kinds (`SetDefaults_*` in `k8s.io/kubernetes/pkg/apis`), and the few
//! fields that its Go types always write.

mod pod;
mod service;
mod workload;

use serde_json::{Map, Value, json};

/// Fills in the defaults of an object of a built-in kind.
pub(crate) fn apply(kind: &str, object: &mut Value) {
    match kind {
        "Pod" => pod::pod(object),
        "PodTemplate" => {
            if let Some(template) = inner(object, "template") {
                pod::template(template);
            }
        }
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ReplicationController" | "Job" | "CronJob" => {
            workload::apply(kind, object);
        }
        "Service" => service::service(object),
        "Endpoints" => {
            each(object, &["subsets"], |subset| each(subset, &["ports"], |port| set(port, "protocol", json!("TCP"))))
        }
        "EndpointSlice" => each(object, &["ports"], |port| {
            set(port, "name", json!(""));
            set(port, "protocol", json!("TCP"));
        }),
        "Secret" => secret(object),
        "Namespace" => namespace(object),
        "RoleBinding" | "ClusterRoleBinding" => role_binding(object),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            each(object, &["webhooks"], |hook| webhook(hook, kind.starts_with('M')));
        }
        "PersistentVolumeClaim" => {
            if let Some(spec) = inner(object, "spec") {
                set(spec, "volumeMode", json!("Filesystem"));
            }
        }
        "PersistentVolume" => {
            if let Some(spec) = inner(object, "spec") {
                set(spec, "volumeMode", json!("Filesystem"));
                set(spec, "persistentVolumeReclaimPolicy", json!("Retain"));
            }
        }
        "Ingress" => {
            always(object, "status", json!({"loadBalancer": {}}));
        }
        "CustomResourceDefinition" => crd(object),
        _ => {}
    }
}

/// Sets a key that is absent, or an empty string or zero, as Go's defaulting cannot tell those apart.
pub(super) fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object
        && map.get(key).is_none_or(|old| old.is_null() || (value.is_string() && old == ""))
    {
        map.insert(key.to_owned(), value);
    }
}

/// As [`set`], but a zero counts as absent too: a plain Go number.
pub(super) fn set_number(object: &mut Value, key: &str, value: i64) {
    if let Value::Object(map) = object
        && map.get(key).is_none_or(|old| old.is_null() || old == 0)
    {
        map.insert(key.to_owned(), json!(value));
    }
}

/// Sets a key only when it is absent: a Go pointer.
pub(super) fn always(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        map.entry(key).or_insert(value);
    }
}

/// The object under `key`, if there is one.
pub(super) fn inner<'a>(object: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    object.get_mut(key).filter(|value| value.is_object())
}

/// The object under `key`, made when it is absent.
pub(super) fn make<'a>(object: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    always(object, key, json!({}));
    inner(object, key)
}

/// Runs `then` on every item of the list under the last key of `path`.
pub(super) fn each(object: &mut Value, path: &[&str], mut then: impl FnMut(&mut Value)) {
    let list = path.iter().try_fold(object, |object, key| object.get_mut(*key));
    if let Some(Value::Array(items)) = list {
        items.iter_mut().for_each(&mut then);
    }
}

fn secret(object: &mut Value) {
    set(object, "type", json!("Opaque"));
    let Some(map) = object.as_object_mut() else { return };
    let Some(Value::Object(plain)) = map.remove("stringData") else { return };
    if plain.is_empty() {
        return;
    }
    use base64::Engine as _;
    let data = map.entry("data").or_insert_with(|| Value::Object(Map::new()));
    let Some(data) = data.as_object_mut() else { return };
    for (key, value) in plain {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap_or_default());
        data.insert(key, Value::String(encoded));
    }
}

fn namespace(object: &mut Value) {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if let Some(metadata) = inner(object, "metadata").filter(|_| !name.is_empty())
        && let Some(Value::Object(labels)) = make(metadata, "labels")
    {
        labels.insert("kubernetes.io/metadata.name".to_owned(), Value::String(name));
    }
    if let Some(spec) = make(object, "spec") {
        always(spec, "finalizers", json!(["kubernetes"]));
    }
    if let Some(status) = make(object, "status") {
        set(status, "phase", json!("Active"));
    }
}

fn role_binding(object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    if let Some(role) = inner(object, "roleRef") {
        set(role, "apiGroup", json!(GROUP));
    }
    each(object, &["subjects"], |subject| {
        if matches!(subject["kind"].as_str(), Some("User" | "Group")) {
            set(subject, "apiGroup", json!(GROUP));
        }
    });
}

fn webhook(hook: &mut Value, mutating: bool) {
    for (key, value) in [
        ("failurePolicy", json!("Fail")),
        ("matchPolicy", json!("Equivalent")),
        ("namespaceSelector", json!({})),
        ("objectSelector", json!({})),
        ("timeoutSeconds", json!(10)),
    ] {
        always(hook, key, value);
    }
    if mutating {
        always(hook, "reinvocationPolicy", json!("Never"));
    }
    each(hook, &["rules"], |rule| always(rule, "scope", json!("*")));
    if let Some(service) = inner(hook, "clientConfig").and_then(|config| inner(config, "service")) {
        always(service, "port", json!(443));
    }
}

fn crd(object: &mut Value) {
    let Some(spec) = inner(object, "spec") else { return };
    if let Some(conversion) = make(spec, "conversion") {
        set(conversion, "strategy", json!("None"));
    }
    let Some(names) = inner(spec, "names") else { return };
    let kind = names["kind"].as_str().unwrap_or_default().to_owned();
    if !kind.is_empty() {
        set(names, "singular", json!(kind.to_lowercase()));
        set(names, "listKind", json!(format!("{kind}List")));
    }
}
