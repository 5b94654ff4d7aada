//! What kube-apiserver refuses in its own kinds (`Validate*` in `k8s.io/kubernetes/pkg/apis`), in its words, for the
//! mistakes that people make.

mod config;
mod container;
mod definition;
mod metadata;
pub(crate) mod names;
mod network;
mod pod;
mod rbac;
mod selector;
mod workload;

use serde_json::{Value, json};

pub(crate) use metadata::metadata;

use crate::schema::FieldError;

/// Checks an object of a built-in kind; `old` is what it replaces.
pub(crate) fn check(group: &str, kind: &str, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Errors::default();
    match (group, kind) {
        ("", "Pod") => pod::pod(object, old, &mut errors),
        ("", "Service") => network::service(object, old, &mut errors),
        ("", "Endpoints") => network::endpoints(object, &mut errors),
        ("discovery.k8s.io", "EndpointSlice") => network::endpoint_slice(object, old, &mut errors),
        ("", "ConfigMap") => config::config_map(object, old, &mut errors),
        ("", "Secret") => config::secret(object, old, &mut errors),
        ("apps" | "batch", _) => workload::check(kind, object, old, &mut errors),
        ("rbac.authorization.k8s.io", _) => rbac::check(kind, object, old, &mut errors),
        ("apiextensions.k8s.io", _) => definition::check(object, old, &mut errors),
        ("coordination.k8s.io", _) => {
            for field in ["leaseDurationSeconds", "leaseTransitions"] {
                positive(
                    &object["spec"][field],
                    &format!("spec.{field}"),
                    i64::from(field.ends_with("Seconds")),
                    &mut errors,
                );
            }
        }
        _ => {}
    }
    errors.0
}

/// What was found so far.
#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// One `Invalid value` for each fault of a text.
    fn faults(&mut self, path: &str, value: &str, faults: Vec<String>) {
        for fault in faults {
            self.push(FieldError::invalid(path, &json!(value), &fault));
        }
    }

    /// The text must be one of `allowed`; nothing at all is `Required`.
    fn one_of(&mut self, path: &str, value: &Value, allowed: &[&str]) {
        let text = text(value);
        if text.is_empty() {
            self.push(FieldError::required(path, ""));
        } else if !allowed.contains(&text) {
            self.push(FieldError::not_supported(path, value, allowed));
        }
    }

    /// The value may not differ from the old one.
    fn immutable(&mut self, path: &str, new: &Value, old: &Value) {
        if new != old {
            self.push(FieldError::invalid(path, new, "field is immutable"));
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A number must be at least 0, or, with `least` 1, more than that.
fn positive(value: &Value, path: &str, least: i64, errors: &mut Errors) {
    if let Some(number) = value.as_i64().filter(|number| *number < least) {
        let words = if least == 0 { "must be greater than or equal to 0" } else { "must be greater than 0" };
        errors.push(FieldError::invalid(path, &json!(number), words));
    }
}

/// A port must be in 1–65535.
fn port_number(value: &Value, path: &str, errors: &mut Errors) {
    if let Some(number) = value.as_i64().filter(|number| !(1..=65_535).contains(number)) {
        errors.push(FieldError::invalid(path, &json!(number), "must be between 1 and 65535, inclusive"));
    }
}

/// A port is a number, or the name of one.
fn port(value: &Value, path: &str, errors: &mut Errors) {
    match value {
        Value::String(name) => errors.faults(path, name, names::port_name(name)),
        Value::Null => errors.push(FieldError::invalid(path, &json!(0), "must be between 1 and 65535, inclusive")),
        number => port_number(number, path, errors),
    }
}

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
