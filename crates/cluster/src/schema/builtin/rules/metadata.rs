//! Rules for `metadata`, which hold for every kind.

use serde_json::{Map, Value, json};

use super::names;
use crate::schema::FieldError;

const MAX_ANNOTATIONS: usize = 256 * 1024;

/// Checks `metadata`; with `old`, also that what cannot change has not changed.
pub(crate) fn metadata(group: &str, kind: &str, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let meta = &object["metadata"];
    match old {
        None => new_names(group, kind, meta, &mut errors),
        Some(old) => unchanged(meta, &old["metadata"], &mut errors),
    }
    labels(&meta["labels"], "metadata.labels", &mut errors);
    annotations(&meta["annotations"], &mut errors);
    owners(&meta["ownerReferences"], &mut errors);
    finalizers(&meta["finalizers"], &mut errors);
    errors
}

fn new_names(group: &str, kind: &str, meta: &Value, errors: &mut Vec<FieldError>) {
    let name = meta["name"].as_str().unwrap_or_default();
    let prefix = meta["generateName"].as_str().unwrap_or_default();
    if !prefix.is_empty() {
        for fault in names::object_name(group, kind, prefix, true) {
            errors.push(FieldError::invalid("metadata.generateName", &meta["generateName"], &fault));
        }
    }
    if name.is_empty() {
        errors.push(FieldError::required("metadata.name", "name or generateName is required"));
    } else {
        for fault in names::object_name(group, kind, name, false) {
            errors.push(FieldError::invalid("metadata.name", &meta["name"], &fault));
        }
    }
}

fn unchanged(meta: &Value, old: &Value, errors: &mut Vec<FieldError>) {
    if old.get("deletionTimestamp").is_some() {
        let set = |meta: &Value| -> Vec<String> {
            let names = meta["finalizers"].as_array().into_iter().flatten();
            names.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let before = set(old);
        let mut added: Vec<String> = set(meta).into_iter().filter(|name| !before.contains(name)).collect();
        added.sort();
        if !added.is_empty() {
            let quoted: Vec<String> = added.iter().map(|name| crate::schema::quote(name)).collect();
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                quoted.join(", ")
            );
            errors.push(FieldError::forbidden("metadata.finalizers", &detail));
        }
    }
    for field in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        if meta[field] != old[field] {
            errors.push(FieldError::invalid(format!("metadata.{field}"), &meta[field], "field is immutable"));
        }
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &str)> {
    let map = value.as_object();
    map.into_iter().flat_map(Map::iter).map(|(key, value)| (key, value.as_str().unwrap_or_default()))
}

/// Checks a map of labels, also where a selector or a template holds one.
pub(crate) fn labels(value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    for (key, value) in entries(value) {
        for fault in names::qualified_name(key) {
            errors.push(FieldError::invalid(path, &json!(key), &fault));
        }
        for fault in names::label_value(value) {
            errors.push(FieldError::invalid(path, &json!(value), &fault));
        }
    }
}

fn annotations(value: &Value, errors: &mut Vec<FieldError>) {
    let mut size = 0;
    for (key, value) in entries(value) {
        size += key.len() + value.len();
        for fault in names::qualified_name(&key.to_lowercase()) {
            errors.push(FieldError::invalid("metadata.annotations", &json!(key), &fault));
        }
    }
    if size > MAX_ANNOTATIONS {
        errors.push(FieldError::too_long("metadata.annotations", MAX_ANNOTATIONS as u64));
    }
}

fn owners(value: &Value, errors: &mut Vec<FieldError>) {
    const PATH: &str = "metadata.ownerReferences";
    let mut controller: Option<String> = None;
    for owner in value.as_array().into_iter().flatten() {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        if text("apiVersion").rsplit('/').next().is_none_or(str::is_empty) {
            errors.push(FieldError::invalid(
                format!("{PATH}.apiVersion"),
                &json!(text("apiVersion")),
                "version must not be empty",
            ));
        }
        for field in ["kind", "name", "uid"] {
            if text(field).is_empty() {
                errors.push(FieldError::invalid(format!("{PATH}.{field}"), &json!(""), "must not be empty"));
            }
        }
        if owner["controller"] == json!(true) {
            let this = format!("{}/{}", text("kind"), text("name"));
            match &controller {
                Some(first) => {
                    let detail = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} \
                         and {this}"
                    );
                    errors.push(FieldError::invalid(PATH, value, &detail));
                }
                None => controller = Some(this),
            }
        }
    }
}

fn finalizers(value: &Value, errors: &mut Vec<FieldError>) {
    for finalizer in value.as_array().into_iter().flatten().filter_map(Value::as_str) {
        for fault in names::qualified_name(finalizer) {
            errors.push(FieldError::invalid("metadata.finalizers", &json!(finalizer), &fault));
        }
    }
}
