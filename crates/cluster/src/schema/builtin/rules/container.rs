//! Rules for containers.

use serde_json::{Value, json};

use super::{Errors, PROTOCOLS, items, names, port, port_number, positive, text};
use crate::schema::{FieldError, is_quantity};

/// Checks a list of containers; `volumes` are the names that mounts may use.
pub(super) fn containers(list: &Value, path: &str, volumes: &[&str], errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, container) in items(list).iter().enumerate() {
        let at = format!("{path}[{i}]");
        check(container, &at, volumes, errors);
        let name = text(&container["name"]);
        if seen.contains(&name) {
            errors.push(FieldError::duplicate(format!("{at}.name"), &json!(name)));
        }
        seen.push(name);
    }
}

fn check(container: &Value, at: &str, volumes: &[&str], errors: &mut Errors) {
    let under = |name: &str| format!("{at}.{name}");
    match text(&container["name"]) {
        "" => errors.push(FieldError::required(under("name"), "")),
        name => errors.faults(&under("name"), name, names::dns_label(name)),
    }
    if text(&container["image"]).is_empty() {
        errors.push(FieldError::required(under("image"), ""));
    }
    let policy = under("terminationMessagePolicy");
    errors.one_of(&policy, &container["terminationMessagePolicy"], &["File", "FallbackToLogsOnError"]);
    ports(&container["ports"], &under("ports"), errors);
    environment(container, at, errors);
    mounts(&container["volumeMounts"], &under("volumeMounts"), volumes, errors);
    errors.one_of(&under("imagePullPolicy"), &container["imagePullPolicy"], &["Always", "IfNotPresent", "Never"]);
    resources(&container["resources"], &under("resources"), errors);
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        check_probe(&container[probe], probe, &under(probe), errors);
    }
    for hook in ["postStart", "preStop"] {
        let handler = &container["lifecycle"][hook];
        if handler.is_object() {
            check_handler(handler, &under(&format!("lifecycle.{hook}")), errors);
        }
    }
}

fn ports(list: &Value, path: &str, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, entry) in items(list).iter().enumerate() {
        let under = |name: &str| format!("{path}[{i}].{name}");
        let name = text(&entry["name"]);
        if !name.is_empty() {
            let faults = names::port_name(name);
            if faults.is_empty() && seen.contains(&name) {
                errors.push(FieldError::duplicate(under("name"), &json!(name)));
            }
            errors.faults(&under("name"), name, faults);
            seen.push(name);
        }
        match entry["containerPort"].as_i64() {
            None | Some(0) => errors.push(FieldError::required(under("containerPort"), "")),
            Some(_) => port_number(&entry["containerPort"], &under("containerPort"), errors),
        }
        if entry["hostPort"] != 0 {
            port_number(&entry["hostPort"], &under("hostPort"), errors);
        }
        errors.one_of(&under("protocol"), &entry["protocol"], &PROTOCOLS);
    }
}

const SOURCES: [&str; 5] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

fn environment(container: &Value, at: &str, errors: &mut Errors) {
    for (i, variable) in items(&container["env"]).iter().enumerate() {
        let under = |name: &str| format!("{at}.env[{i}].{name}");
        let name = text(&variable["name"]);
        if name.is_empty() {
            errors.push(FieldError::required(under("name"), ""));
        } else if !name.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'=') {
            let words =
                "a valid environment variable name must consist only of printable ASCII characters other than '='";
            errors.push(FieldError::invalid(under("name"), &json!(name), words));
        }
        let from = &variable["valueFrom"];
        if !from.is_object() {
            continue;
        }
        let set: Vec<&str> = SOURCES.into_iter().filter(|source| from[source].is_object()).collect();
        let path = under("valueFrom");
        let words = match set.len() {
            0 => {
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            }
            _ if !text(&variable["value"]).is_empty() => "may not be specified when `value` is not empty",
            1 => "",
            _ => "may not have more than one field specified at a time",
        };
        if !words.is_empty() {
            errors.push(FieldError::invalid(&path, &json!(""), words));
        }
        for source in ["configMapKeyRef", "secretKeyRef"].into_iter().filter(|source| from[source].is_object()) {
            match text(&from[source]["key"]) {
                "" => errors.push(FieldError::required(format!("{path}.{source}.key"), "")),
                key => errors.faults(&format!("{path}.{source}.key"), key, names::config_key(key)),
            }
        }
        if from["fieldRef"].is_object() && text(&from["fieldRef"]["fieldPath"]).is_empty() {
            errors.push(FieldError::required(format!("{path}.fieldRef.fieldPath"), ""));
        }
    }
    for (i, source) in items(&container["envFrom"]).iter().enumerate() {
        let set = ["configMapRef", "secretRef"].into_iter().filter(|name| source[name].is_object()).count();
        let words = match set {
            0 => "must specify one of: `configMapRef` or `secretRef`",
            1 => continue,
            _ => "may not have more than one field specified at a time",
        };
        errors.push(FieldError::invalid(format!("{at}.envFrom[{i}]"), &json!(""), words));
    }
}

fn mounts(list: &Value, path: &str, volumes: &[&str], errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, mount) in items(list).iter().enumerate() {
        let under = |name: &str| format!("{path}[{i}].{name}");
        let (name, place) = (text(&mount["name"]), text(&mount["mountPath"]));
        if name.is_empty() {
            errors.push(FieldError::required(under("name"), ""));
        }
        if !volumes.contains(&name) {
            errors.push(FieldError::not_found(under("name"), &json!(name)));
        }
        if place.is_empty() {
            errors.push(FieldError::required(under("mountPath"), ""));
        }
        if seen.contains(&place) {
            errors.push(FieldError::invalid(under("mountPath"), &json!(place), "must be unique"));
        }
        seen.push(place);
    }
}

fn resources(value: &Value, path: &str, errors: &mut Errors) {
    for group in ["limits", "requests"] {
        for (name, amount) in value[group].as_object().into_iter().flatten() {
            let place = format!("{path}.{group}[{name}]");
            match amount {
                Value::String(text) if is_quantity(text) && text.starts_with('-') => {
                    errors.push(FieldError::invalid(place, amount, "must be greater than or equal to 0"));
                }
                Value::Number(number) if number.as_f64().is_some_and(|number| number < 0.0) => {
                    let shown = json!(number.to_string());
                    errors.push(FieldError::invalid(place, &shown, "must be greater than or equal to 0"));
                }
                _ => {}
            }
            let known = matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage" | "storage")
                || name.starts_with("hugepages-")
                || name.contains('/');
            if !known {
                let words = "must be a standard resource type or fully qualified";
                errors.push(FieldError::invalid(format!("{path}.{group}[{name}]"), &json!(name), words));
            }
        }
    }
}

fn check_probe(probe: &Value, kind: &str, path: &str, errors: &mut Errors) {
    if !probe.is_object() {
        return;
    }
    check_handler(probe, path, errors);
    for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        positive(&probe[field], &format!("{path}.{field}"), 0, errors);
    }
    let successes = &probe["successThreshold"];
    if kind != "readinessProbe" && successes.as_i64().is_some_and(|number| number != 1) {
        errors.push(FieldError::invalid(format!("{path}.successThreshold"), successes, "must be 1"));
    }
}

fn check_handler(handler: &Value, path: &str, errors: &mut Errors) {
    let kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
    let mut set = kinds.into_iter().filter(|kind| handler[kind].is_object());
    let Some(kind) = set.next() else {
        errors.push(FieldError::required(path, "must specify a handler type"));
        return;
    };
    let (at, action) = (format!("{path}.{kind}"), &handler[kind]);
    match kind {
        "exec" if items(&action["command"]).is_empty() => {
            errors.push(FieldError::required(format!("{at}.command"), ""));
        }
        "httpGet" => {
            port(&action["port"], &format!("{at}.port"), errors);
            errors.one_of(&format!("{at}.scheme"), &action["scheme"], &["HTTP", "HTTPS"]);
        }
        "tcpSocket" => port(&action["port"], &format!("{at}.port"), errors),
        "grpc" => port_number(&action["port"], &format!("{at}.port"), errors),
        _ => {}
    }
    for another in set {
        let words = "may not specify more than 1 handler type";
        errors.push(FieldError::forbidden(format!("{path}.{another}"), words));
    }
}
