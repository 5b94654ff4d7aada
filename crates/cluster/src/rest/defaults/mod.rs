//! What kube-apiserver fills into objects of the built-in kinds.

mod pod;
mod service;
mod workload;

use serde_json::{Value, json};

pub(super) use service::assign_cluster_ip;

use crate::registry::Resource;

/// Fills in the defaults of a built-in kind.
pub(super) fn apply(resource: &Resource, value: &mut Value) {
    match (&*resource.group, &*resource.plural) {
        ("", "pods") => {
            pod::spec(&mut value["spec"]);
            if !value["status"].is_object() {
                value["status"] = json!({"phase": "Pending", "qosClass": pod::qos_class(&value["spec"])});
            }
        }
        ("", "services") => service::apply(value),
        ("", "namespaces") => namespace(value),
        ("", "secrets") => default(value, "type", "Opaque"),
        ("", "nodes") if !value["spec"].is_object() => value["spec"] = json!({}),
        ("", "events") => default(value, "type", "Normal"),
        ("apps", "deployments") => workload::deployment(value),
        ("apps", "replicasets") => workload::replica_set(value),
        ("apps", "statefulsets" | "daemonsets") | ("batch", "jobs") => workload::template(&mut value["spec"]),
        ("discovery.k8s.io", "endpointslices") => {
            for port in list(&mut value["ports"]) {
                default(port, "protocol", "TCP");
                default(port, "name", "");
            }
        }
        ("", "endpoints") => {
            for subset in list(&mut value["subsets"]) {
                for port in list(&mut subset["ports"]) {
                    default(port, "protocol", "TCP");
                }
            }
        }
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
            default(&mut value["roleRef"], "apiGroup", "rbac.authorization.k8s.io");
            for subject in list(&mut value["subjects"]) {
                if subject["kind"] != "ServiceAccount" {
                    default(subject, "apiGroup", "rbac.authorization.k8s.io");
                }
            }
        }
        _ => {}
    }
}

/// Keeps what the server itself chose earlier, where the new version leaves it out.
pub(super) fn keep(resource: &Resource, old: &Value, new: &mut Value) {
    if (&*resource.group, &*resource.plural) == ("", "services") {
        service::keep(old, new);
    }
}

/// Namespaces carry their name as a label, are active, and are emptied before they go.
fn namespace(value: &mut Value) {
    let name = value["metadata"]["name"].clone();
    value["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    if value["spec"]["finalizers"].is_null() && value["metadata"]["deletionTimestamp"].is_null() {
        value["spec"]["finalizers"] = json!(["kubernetes"]);
    }
    if !value["status"].is_object() {
        value["status"] = json!({"phase": "Active"});
    }
}

/// Sets a member that is absent or null.
fn default(value: &mut Value, field: &str, to: impl Into<Value>) {
    if value.is_object() && value[field].is_null() {
        value[field] = to.into();
    }
}

/// The elements of a list, none if it is no list. Leaves an absent member absent.
fn list(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_array_mut().into_iter().flatten()
}
