//! Rules for pods and pod templates.

use serde_json::{Value, json};

use super::container::containers;
use super::{Errors, items, metadata, names, positive, text};
use crate::schema::FieldError;

pub(super) fn pod(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    spec(&object["spec"], "spec", errors);
    if let Some(old) = old {
        update(&object["spec"], &old["spec"], errors);
    }
}

/// A PodTemplateSpec.
pub(super) fn template(template: &Value, path: &str, errors: &mut Errors) {
    metadata::labels(&template["metadata"]["labels"], &format!("{path}.labels"), &mut errors.0);
    spec(&template["spec"], &format!("{path}.spec"), errors);
}

fn spec(spec: &Value, path: &str, errors: &mut Errors) {
    let under = |name: &str| format!("{path}.{name}");
    let volumes = volumes(&spec["volumes"], &under("volumes"), errors);
    if items(&spec["containers"]).is_empty() {
        errors.push(FieldError::required(under("containers"), ""));
    }
    for list in ["containers", "initContainers"] {
        containers(&spec[list], &under(list), &volumes, errors);
    }
    let regular: Vec<&str> = items(&spec["containers"]).iter().map(|container| text(&container["name"])).collect();
    for (i, container) in items(&spec["initContainers"]).iter().enumerate() {
        if regular.contains(&text(&container["name"])) {
            let place = under(&format!("initContainers[{i}].name"));
            errors.push(FieldError::duplicate(place, &container["name"]));
        }
    }
    errors.one_of(&under("restartPolicy"), &spec["restartPolicy"], &["Always", "OnFailure", "Never"]);
    let dns = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    errors.one_of(&under("dnsPolicy"), &spec["dnsPolicy"], &dns);
    metadata::labels(&spec["nodeSelector"], &under("nodeSelector"), &mut errors.0);
    positive(&spec["terminationGracePeriodSeconds"], &under("terminationGracePeriodSeconds"), 0, errors);
    for (field, check) in [
        ("hostname", names::dns_label as fn(&str) -> Vec<String>),
        ("subdomain", names::dns_label),
        ("serviceAccountName", names::dns_subdomain),
        ("nodeName", names::dns_subdomain),
        ("priorityClassName", names::dns_subdomain),
    ] {
        let value = text(&spec[field]);
        if !value.is_empty() {
            errors.faults(&under(field), value, check(value));
        }
    }
    if let Some(seconds) = spec["activeDeadlineSeconds"].as_i64()
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let words = format!("must be between 1 and {}, inclusive", i32::MAX);
        errors.push(FieldError::invalid(under("activeDeadlineSeconds"), &json!(seconds), &words));
    }
}

/// Checks the volumes and returns the names of the good ones.
fn volumes<'a>(list: &'a Value, path: &str, errors: &mut Errors) -> Vec<&'a str> {
    let mut known = Vec::new();
    for (i, volume) in items(list).iter().enumerate() {
        let name = text(&volume["name"]);
        let place = format!("{path}[{i}].name");
        let sources = volume.as_object().map_or(0, |map| map.keys().filter(|key| *key != "name").count());
        if sources == 0 {
            errors.push(FieldError::required(format!("{path}[{i}]"), "must specify a volume type"));
        }
        if name.is_empty() {
            errors.push(FieldError::required(&place, ""));
        } else {
            errors.faults(&place, name, names::dns_label(name));
        }
        if known.contains(&name) {
            errors.push(FieldError::duplicate(&place, &json!(name)));
        }
        known.push(name);
    }
    known
}

/// The only fields of a pod's spec that may change.
const CHANGEABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
                          `spec.tolerations` (only additions to existing tolerations),\
                          `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

fn update(new: &Value, old: &Value, errors: &mut Errors) {
    for list in ["containers", "initContainers"] {
        if items(&new[list]).len() != items(&old[list]).len() {
            errors.push(FieldError::forbidden(format!("spec.{list}"), "pod updates may not add or remove containers"));
            return;
        }
    }
    let fixed = |spec: &Value| {
        let mut spec = spec.clone();
        for list in ["containers", "initContainers"] {
            for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(container) = container.as_object_mut() {
                    container.remove("image");
                }
            }
        }
        if let Some(map) = spec.as_object_mut() {
            // The node that a pod is put on is set once, from empty.
            for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates", "terminationGracePeriodSeconds"] {
                map.remove(field);
            }
            if text(&old["nodeName"]).is_empty() {
                map.remove("nodeName");
            }
        }
        spec
    };
    if fixed(new) != fixed(old) {
        let words = format!("pod updates may not change fields other than {CHANGEABLE}");
        errors.push(FieldError::forbidden("spec", &words));
    }
}
