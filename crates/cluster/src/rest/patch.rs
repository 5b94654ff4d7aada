//! Patching objects, in the four ways the API knows.

use std::sync::Arc;

use serde_json::Value;

use super::{Api, ApiError, WriteOptions, Written, create, update};
use crate::patch::PatchError;
use crate::registry::Resource;

/// The content types of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// `application/json-patch+json`
    Json,
    /// `application/merge-patch+json`
    Merge,
    /// `application/strategic-merge-patch+json`
    Strategic,
    /// `application/apply-patch+yaml`
    Apply,
}

/// Patches an object.
///
/// # Errors
/// As [`update`], and when the patch does not fit the object.
pub async fn patch(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    name: &str,
    kind: PatchKind,
    patch: &Value,
    options: &WriteOptions,
) -> Result<Written, ApiError> {
    if kind == PatchKind::Apply && api.get(resource, namespace, name).is_err() {
        let mut value = patch.clone();
        value["metadata"]["name"] = name.into();
        return create(api, resource, namespace, value, options).await;
    }
    update(api, resource, namespace, name, options, |live| {
        let mut base = live.clone();
        if let Some(meta) = base["metadata"].as_object_mut() {
            meta.remove("resourceVersion");
        }
        let mut new = patched(kind, &base, patch)?;
        if new["metadata"]["resourceVersion"] == "" {
            new["metadata"]["resourceVersion"] = Value::Null;
        }
        Ok(new)
    })
    .await
}

/// What `patch` makes of `live`.
///
/// # Errors
/// When the patch is malformed (400) or does not fit (422).
pub fn patched(kind: PatchKind, live: &Value, patch: &Value) -> Result<Value, ApiError> {
    match kind {
        PatchKind::Json => crate::patch::json_patch(live, patch).map_err(|error| refused(&error)),
        PatchKind::Merge | PatchKind::Strategic | PatchKind::Apply => Ok(crate::patch::merge_patch(live, patch)),
    }
}

fn refused(error: &PatchError) -> ApiError {
    match error {
        PatchError::Malformed(message) => ApiError::bad_request(message),
        PatchError::DoesNotApply(message) => ApiError::new(422, "Invalid", message),
        PatchError::TooLarge(message) => ApiError::new(413, "RequestEntityTooLarge", message),
    }
}
