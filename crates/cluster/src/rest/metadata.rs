//! Object metadata: times, identities, and the checks every kind shares.

use std::time::Duration;

use serde_json::Value;

use super::{ApiError, Cause};
use crate::names::{self, NameRule};

/// The present, as metadata has it: RFC 3339 in whole seconds.
pub fn now() -> String {
    at(Duration::ZERO)
}

/// The present plus `delay`.
pub(super) fn at(delay: Duration) -> String {
    (jiff::Timestamp::now() + delay).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Letters without vowels or look-alikes, as Kubernetes' generated names use.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A name that begins with `base`.
pub(super) fn generate_name(base: &str) -> String {
    let base: String = base.chars().take(58).collect();
    let suffix = (0..5).map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())]));
    base.chars().chain(suffix).collect()
}

/// What is wrong with an object's metadata; `namespaced` says whether it needs a namespace.
pub(super) fn problems(value: &Value, rule: NameRule) -> Vec<Cause> {
    let metadata = &value["metadata"];
    let mut causes = Vec::new();
    match metadata["name"].as_str().unwrap_or_default() {
        "" => causes.push(Cause::required("metadata.name", "name or generateName is required")),
        name => {
            for error in names::name_errors(rule, name) {
                causes.push(Cause::invalid("metadata.name", &metadata["name"], &error));
            }
        }
    }
    for (key, label) in metadata["labels"].as_object().into_iter().flatten() {
        if let Some(error) = names::label_key_error(key) {
            causes.push(Cause::invalid("metadata.labels", &Value::from(key.as_str()), &error));
        }
        if let Some(error) = label.as_str().and_then(names::label_value_error) {
            causes.push(Cause::invalid("metadata.labels", label, &error));
        }
    }
    let mut total = 0;
    for (key, annotation) in metadata["annotations"].as_object().into_iter().flatten() {
        total += key.len() + annotation.as_str().map_or(0, str::len);
        if let Some(error) = names::label_key_error(&key.to_lowercase()) {
            causes.push(Cause::invalid("metadata.annotations", &Value::from(key.as_str()), &error));
        }
    }
    if total > 256 << 10 {
        let message = "Too long: may not be more than 262144 bytes".to_owned();
        causes.push(Cause { field: "metadata.annotations".into(), reason: "FieldValueTooLong", message });
    }
    for (i, finalizer) in metadata["finalizers"].as_array().into_iter().flatten().enumerate() {
        if let Some(error) = finalizer.as_str().and_then(names::label_key_error) {
            causes.push(Cause::invalid(format!("metadata.finalizers[{i}]"), finalizer, &error));
        }
    }
    for (i, owner) in metadata["ownerReferences"].as_array().into_iter().flatten().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner[field].as_str().unwrap_or_default().is_empty() {
                let path = format!("metadata.ownerReferences[{i}].{field}");
                causes.push(Cause::invalid(path, &Value::from(""), "must not be empty"));
            }
        }
    }
    causes
}

/// Checks that labels and annotations are maps of strings, as decoding into Kubernetes' types would.
pub(super) fn check_types(value: &Value) -> Result<(), ApiError> {
    let metadata = &value["metadata"];
    for field in ["labels", "annotations"] {
        let map = &metadata[field];
        let wrong = match map {
            Value::Null => None,
            Value::Object(map) => {
                map.iter().find(|(_, v)| !v.is_string() && !v.is_null()).map(|(key, v)| (format!(".{key}"), v))
            }
            other => Some((String::new(), other)),
        };
        if let Some((key, found)) = wrong {
            let found = match found {
                Value::Bool(_) => "bool",
                Value::Number(_) => "number",
                Value::Array(_) => "array",
                Value::Object(_) => "object",
                _ => "string",
            };
            return Err(ApiError::bad_request(format!(
                "json: cannot unmarshal {found} into Go struct field ObjectMeta.metadata.{field}{key} of type string"
            )));
        }
    }
    for field in ["name", "namespace", "generateName", "uid", "resourceVersion"] {
        if !metadata[field].is_null() && !metadata[field].is_string() {
            return Err(ApiError::bad_request(format!("metadata.{field}: must be a string")));
        }
    }
    Ok(())
}

/// Removes null members of metadata, which decoding into types would drop.
pub(super) fn drop_nulls(value: &mut Value) {
    if let Some(metadata) = value["metadata"].as_object_mut() {
        metadata.retain(|_, v| match v {
            Value::Null => false,
            Value::Object(map) => !map.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => true,
        });
    }
}
