//! Rules for CustomResourceDefinitions, of which a structural schema is the largest.

use serde_json::{Value, json};

use super::{Errors, items, names, text};
use crate::schema::{FieldError, structural_errors};

pub(super) fn check(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let spec = &object["spec"];
    let group = text(&spec["group"]);
    let plural = text(&spec["names"]["plural"]);
    let name = text(&object["metadata"]["name"]);
    if old.is_none() && !name.is_empty() && name != format!("{plural}.{group}") {
        let words = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid("metadata.name", &json!(name), words));
    }
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if !names::dns_subdomain(group).is_empty() {
        errors.push(FieldError::invalid("spec.group", &json!(group), &names::dns_subdomain(group).join(",")));
    } else if !group.contains('.') {
        errors.push(FieldError::invalid("spec.group", &json!(group), "should be a domain with at least one dot"));
    }
    errors.one_of("spec.scope", &spec["scope"], &["Cluster", "Namespaced"]);
    versions(spec, errors);
    check_names(&spec["names"], errors);
    if let Some(old) = old {
        let before = &old["spec"];
        errors.immutable("spec.scope", &spec["scope"], &before["scope"]);
        errors.immutable("spec.names.kind", &spec["names"]["kind"], &before["names"]["kind"]);
        errors.immutable("spec.group", &spec["group"], &before["group"]);
        errors.immutable("spec.names.plural", &spec["names"]["plural"], &before["names"]["plural"]);
    }
}

fn schema(version: &Value) -> &Value {
    &version["schema"]["openAPIV3Schema"]
}

fn versions(spec: &Value, errors: &mut Errors) {
    let list = items(&spec["versions"]);
    for (i, version) in list.iter().enumerate() {
        let name = text(&version["name"]);
        let faults = names::dns_1035_label(name);
        if !faults.is_empty() {
            errors.push(FieldError::invalid(format!("spec.versions[{i}].name"), &json!(name), &faults.join(",")));
        }
        if !schema(version).is_object() {
            errors.push(FieldError::required(format!("spec.versions[{i}].schema.openAPIV3Schema"), ""));
        }
    }
    // kube-apiserver speaks of one schema when all versions share it.
    let shared = list.first().is_some_and(|first| list.iter().all(|version| schema(version) == schema(first)));
    for (i, version) in list.iter().enumerate().take(if shared { 1 } else { list.len() }) {
        let path = if shared { "spec.validation".to_owned() } else { format!("spec.versions[{i}].schema") };
        if schema(version).is_object() {
            errors.0.extend(structural_errors(&format!("{path}.openAPIV3Schema"), schema(version)));
        }
    }
    let mut seen: Vec<&str> = list.iter().map(|version| text(&version["name"])).collect();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() != list.len() {
        errors.push(FieldError::invalid("spec.versions", &spec["versions"], "must contain unique version names"));
    }
    if list.iter().filter(|version| version["storage"] == true).count() != 1 {
        let words = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid("spec.versions", &spec["versions"], words));
    }
}

fn check_names(names_of: &Value, errors: &mut Errors) {
    for field in ["plural", "singular", "kind", "listKind"] {
        let (path, name) = (format!("spec.names.{field}"), text(&names_of[field]));
        let is_kind = field == "kind" || field == "listKind";
        let faults = names::dns_1035_label(&if is_kind { name.to_lowercase() } else { name.to_owned() });
        if name.is_empty() {
            errors.push(FieldError::required(path, ""));
        } else if !faults.is_empty() {
            let prefix = if is_kind { "may have mixed case, but should otherwise match: " } else { "" };
            errors.push(FieldError::invalid(path, &json!(name), &format!("{prefix}{}", faults.join(","))));
        }
    }
    for list in ["shortNames", "categories"] {
        for (i, name) in items(&names_of[list]).iter().enumerate() {
            let faults = names::dns_1035_label(text(name));
            if !faults.is_empty() {
                errors.push(FieldError::invalid(format!("spec.names.{list}[{i}]"), name, &faults.join(",")));
            }
        }
    }
    if !text(&names_of["kind"]).is_empty() && names_of["kind"] == names_of["listKind"] {
        let words = "kind and listKind may not be the same";
        errors.push(FieldError::invalid("spec.names.listKind", &names_of["listKind"], words));
    }
}
