//! Rules for ConfigMaps and Secrets.

use serde_json::{Value, json};

use super::{Errors, names, text};
use crate::schema::FieldError;

/// What a ConfigMap or a Secret may hold, in bytes.
const MAX_SIZE: usize = 1024 * 1024;

fn keys(object: &Value, field: &str, errors: &mut Errors) -> usize {
    let mut size = 0;
    for (key, value) in object[field].as_object().into_iter().flatten() {
        errors.faults(&format!("{field}[{key}]"), key, names::config_key(key));
        size += text(value).len();
    }
    size
}

pub(super) fn config_map(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    if let Some(old) = old {
        immutable(object, old, &["data", "binaryData"], errors);
    }
    let size = keys(object, "data", errors) + keys(object, "binaryData", errors) / 4 * 3;
    for key in object["data"].as_object().into_iter().flat_map(serde_json::Map::keys) {
        if object["binaryData"].get(key).is_some() {
            let words = "duplicate of key present in binaryData";
            errors.push(FieldError::invalid(format!("data[{key}]"), &json!(key), words));
        }
    }
    if size > MAX_SIZE {
        errors.push(FieldError::too_long("[]", MAX_SIZE as u64));
    }
}

pub(super) fn secret(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    if let Some(old) = old {
        errors.immutable("type", &object["type"], &old["type"]);
        immutable(object, old, &["data"], errors);
    }
    if keys(object, "data", errors) / 4 * 3 > MAX_SIZE {
        errors.push(FieldError::too_long("data", MAX_SIZE as u64));
    }
    let data = &object["data"];
    let required: &[&str] = match text(&object["type"]) {
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/basic-auth" if data["username"].is_null() && data["password"].is_null() => {
            &["username", "password"]
        }
        "kubernetes.io/service-account-token" => {
            const NAME: &str = "kubernetes.io/service-account.name";
            if text(&object["metadata"]["annotations"][NAME]).is_empty() {
                errors.push(FieldError::required(format!("metadata.annotations[{NAME}]"), ""));
            }
            &[]
        }
        _ => &[],
    };
    for key in required.iter().filter(|key| data.get(**key).is_none()) {
        errors.push(FieldError::required(format!("data[{key}]"), ""));
    }
}

fn immutable(object: &Value, old: &Value, fields: &[&str], errors: &mut Errors) {
    if old["immutable"] != true {
        return;
    }
    const WORDS: &str = "field is immutable when `immutable` is set";
    if object["immutable"] != true {
        errors.push(FieldError::forbidden("immutable", WORDS));
    }
    for field in fields.iter().filter(|field| object[**field] != old[**field]) {
        errors.push(FieldError::forbidden(*field, WORDS));
    }
}
