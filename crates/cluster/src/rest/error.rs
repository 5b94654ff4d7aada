//! What the API answers when it cannot do what was asked: a `metav1.Status`, worded as kube-apiserver words it.

use serde_json::{Value, json};

use crate::registry::Resource;
use crate::store::{TooOld, WriteError};

/// One thing wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The field's path, such as `spec.replicas`.
    pub field: String,
    /// Such as `FieldValueRequired`.
    pub reason: &'static str,
    /// What is wrong, such as `Required value: name is needed`.
    pub message: String,
}

impl Cause {
    /// A value is missing.
    pub fn required(field: impl Into<String>, detail: &str) -> Cause {
        let message = if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        Cause { field: field.into(), reason: "FieldValueRequired", message }
    }

    /// A value is not allowed.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Cause {
        Cause { field: field.into(), reason: "FieldValueInvalid", message: format!("Invalid value: {value}: {detail}") }
    }

    /// A value must not be there.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Cause {
        Cause { field: field.into(), reason: "FieldValueForbidden", message: format!("Forbidden: {detail}") }
    }

    /// A value is none of those allowed.
    pub fn not_supported(field: impl Into<String>, value: &Value, allowed: &[&str]) -> Cause {
        let allowed: Vec<_> = allowed.iter().map(|a| format!("\"{a}\"")).collect();
        let message = format!("Unsupported value: {value}: supported values: {}", allowed.join(", "));
        Cause { field: field.into(), reason: "FieldValueNotSupported", message }
    }
}

/// An answer that is an error: everything a `metav1.Status` says.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// HTTP status.
    pub code: u16,
    /// Such as `NotFound`; empty when kube-apiserver gives none.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// Kind, name and causes.
    pub details: Option<Box<Value>>,
}

impl ApiError {
    /// An error without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> ApiError {
        ApiError { code, reason, message: message.into(), details: None }
    }

    fn about(code: u16, reason: &'static str, resource: &Resource, name: &str, message: String) -> ApiError {
        let mut details = json!({"name": name, "kind": &*resource.plural});
        if !resource.group.is_empty() {
            details["group"] = Value::from(&*resource.group);
        }
        ApiError { code, reason, message, details: Some(Box::new(details)) }
    }

    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> ApiError {
        ApiError::new(400, "BadRequest", message)
    }

    /// There is no such object.
    pub fn not_found(resource: &Resource, name: &str) -> ApiError {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        ApiError::about(404, "NotFound", resource, name, message)
    }

    /// There is no such path.
    pub fn no_such_path() -> ApiError {
        let mut error = ApiError::new(404, "NotFound", "the server could not find the requested resource");
        error.details = Some(Box::new(json!({})));
        error
    }

    /// It is there already.
    pub fn already_exists(resource: &Resource, name: &str) -> ApiError {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        ApiError::about(409, "AlreadyExists", resource, name, message)
    }

    /// It is not as the writer believed.
    pub fn conflict(resource: &Resource, name: &str, why: &str) -> ApiError {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        ApiError::about(409, "Conflict", resource, name, message)
    }

    /// It was changed by someone else meanwhile.
    pub fn modified(resource: &Resource, name: &str) -> ApiError {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        ApiError::conflict(resource, name, why)
    }

    /// It may not be done.
    pub fn forbidden(resource: &Resource, name: &str, why: &str) -> ApiError {
        let message = format!("{} \"{name}\" is forbidden: {why}", resource.qualified());
        ApiError::about(403, "Forbidden", resource, name, message)
    }

    /// Nothing can be created in a namespace that is on its way out.
    pub fn terminating(resource: &Resource, name: &str, namespace: &str) -> ApiError {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        ApiError::forbidden(resource, name, &why).with_causes(&[Cause {
            field: "metadata.namespace".into(),
            reason: "NamespaceTerminating",
            message: format!("namespace {namespace} is being terminated"),
        }])
    }

    /// The namespace does not exist.
    pub fn namespace_not_found(namespace: &str) -> ApiError {
        let mut error = ApiError::new(404, "NotFound", format!("namespaces \"{namespace}\" not found"));
        error.details = Some(Box::new(json!({"name": namespace, "kind": "namespaces"})));
        error
    }

    /// The object breaks the rules of its kind.
    pub fn invalid(resource: &Resource, name: &str, causes: &[Cause]) -> ApiError {
        let mut texts: Vec<_> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        texts.dedup();
        let all = if texts.len() == 1 { texts.remove(0) } else { format!("[{}]", texts.join(", ")) };
        let message = format!("{} \"{name}\" is invalid: {all}", resource.qualified_kind());
        let mut error = ApiError::about(422, "Invalid", resource, name, message);
        if let Some(details) = &mut error.details {
            details["kind"] = Value::from(&*resource.kind);
        }
        error.with_causes(causes)
    }

    fn with_causes(mut self, causes: &[Cause]) -> ApiError {
        let list = causes.iter().map(|c| json!({"reason": c.reason, "message": c.message, "field": c.field})).collect();
        self.details.get_or_insert_default()["causes"] = Value::Array(list);
        self
    }

    /// The method is not offered here.
    pub fn method_not_allowed() -> ApiError {
        let message = "the server does not allow this method on the requested resource";
        let mut error = ApiError::new(405, "MethodNotAllowed", message);
        error.details = Some(Box::new(json!({})));
        error
    }

    /// The server itself failed.
    pub fn internal(message: impl std::fmt::Display) -> ApiError {
        let mut error = ApiError::new(500, "InternalError", format!("Internal error occurred: {message}"));
        error.details = Some(Box::new(json!({"causes": [{"message": message.to_string()}]})));
        error
    }

    /// A revision in the future was asked for.
    pub fn too_large_version(asked: u64, current: u64) -> ApiError {
        let message = format!("Too large resource version: {asked}, current: {current}");
        let mut error = ApiError::new(504, "Timeout", message);
        let causes = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
        error.details = Some(Box::new(json!({"causes": causes, "retryAfterSeconds": 1})));
        error
    }

    /// A failed write of the store.
    pub fn of_write(error: &WriteError, resource: &Resource, namespace: &str, name: &str) -> ApiError {
        match error {
            WriteError::Exists => ApiError::already_exists(resource, name),
            WriteError::NotFound => ApiError::not_found(resource, name),
            WriteError::Conflict => ApiError::modified(resource, name),
            WriteError::NamespaceMissing => ApiError::namespace_not_found(namespace),
            WriteError::NamespaceTerminating => ApiError::terminating(resource, name, namespace),
            WriteError::Storage(_) => ApiError::internal(error),
            WriteError::Closed => ApiError::new(503, "ServiceUnavailable", "the API server is shutting down"),
        }
    }

    /// The error as a `metav1.Status` object.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = Value::from(self.reason);
        }
        if let Some(details) = &self.details {
            status["details"] = (**details).clone();
        }
        status
    }
}

impl From<TooOld> for ApiError {
    fn from(error: TooOld) -> Self {
        ApiError::new(410, "Expired", error.to_string())
    }
}
