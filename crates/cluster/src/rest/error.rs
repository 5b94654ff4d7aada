//! What the API answers when it cannot do what was asked: a `metav1.Status`, worded as kube-apiserver words it.

use serde_json::{Value, json};

use crate::patch::apply::Conflict;
use crate::registry::Resource;
use crate::schema::FieldError;
use crate::store::{TooOld, WriteError};

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
        let message = format!("namespace {namespace} is being terminated");
        ApiError::forbidden(resource, name, &why).with_causes(vec![
            json!({"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}),
        ])
    }

    /// The namespace does not exist.
    pub fn namespace_not_found(namespace: &str) -> ApiError {
        let mut error = ApiError::new(404, "NotFound", format!("namespaces \"{namespace}\" not found"));
        error.details = Some(Box::new(json!({"name": namespace, "kind": "namespaces"})));
        error
    }

    /// The object breaks the rules of its kind.
    pub fn invalid(resource: &Resource, name: &str, causes: &[FieldError]) -> ApiError {
        let mut texts: Vec<_> = causes.iter().map(ToString::to_string).collect();
        texts.dedup();
        let all = if texts.len() == 1 { texts.remove(0) } else { format!("[{}]", texts.join(", ")) };
        let message = format!("{} \"{name}\" is invalid: {all}", resource.qualified_kind());
        let mut error = ApiError::about(422, "Invalid", resource, name, message);
        if let Some(details) = &mut error.details {
            details["kind"] = Value::from(&*resource.kind);
        }
        let cause =
            |error: &FieldError| json!({"reason": error.reason.cause(), "message": error.message, "field": error.path});
        error.with_causes(causes.iter().map(cause).collect())
    }

    /// Strict field validation refused a patch.
    pub fn invalid_patch(patch: &Value, message: &str) -> ApiError {
        let error = FieldError::invalid("patch", &Value::from(patch.to_string()), message);
        let mut answer = ApiError::new(422, "Invalid", format!(" \"\" is invalid: {error}"));
        answer.details = Some(Box::new(json!({})));
        answer.with_causes(vec![json!({"reason": error.reason.cause(), "message": error.message, "field": error.path})])
    }

    /// A server-side apply met fields of other managers.
    pub fn apply_conflict(message: String, conflicts: &[Conflict]) -> ApiError {
        let cause = |c: &Conflict| {
            let message = format!("conflict with {}", c.manager);
            json!({"reason": "FieldManagerConflict", "message": message, "field": c.field})
        };
        ApiError::new(409, "Conflict", message).with_causes(conflicts.iter().map(cause).collect())
    }

    fn with_causes(mut self, causes: Vec<Value>) -> ApiError {
        self.details.get_or_insert_default()["causes"] = Value::Array(causes);
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
