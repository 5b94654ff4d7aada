//! Patching objects, in the four ways the API knows.

use std::sync::Arc;

use serde_json::Value;

use super::strategy::How;
use super::{Api, ApiError, WriteOptions, Written, create, update};
use crate::patch::apply::{ApplyError, ApplyRequest, server_side_apply};
use crate::patch::{PatchError, json_patch, merge_patch, strategic_merge_patch};
use crate::registry::Resource;
use crate::schema::Schema;

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
/// As an update, and when the patch does not fit the object.
pub async fn patch(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    name: &str,
    kind: PatchKind,
    patch: &Value,
    options: &WriteOptions,
) -> Result<Written, ApiError> {
    if kind == PatchKind::Apply {
        return apply(api, resource, namespace, name, patch, options).await;
    }
    let schema = resource.schema();
    let how = How { patch: Some(patch), applied: false };
    update::update_how(api, resource, namespace, name, how, options, |live| {
        let mut new = patched(kind, live, patch, &schema)?;
        let version = &new["metadata"]["resourceVersion"];
        // Only a patch that names a version insists on it.
        if *version == live["metadata"]["resourceVersion"] && patch["metadata"]["resourceVersion"].is_null() {
            new["metadata"]["resourceVersion"] = Value::Null;
        }
        Ok(new)
    })
    .await
}

async fn apply(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    name: &str,
    config: &Value,
    options: &WriteOptions,
) -> Result<Written, ApiError> {
    let mut config = config.clone();
    super::check_type(resource, &mut config)?;
    match config["metadata"]["name"].as_str().unwrap_or_default() {
        "" => config["metadata"]["name"] = name.into(),
        given if given != name => {
            return Err(ApiError::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            )));
        }
        _ => {}
    }
    if !namespace.is_empty() && config["metadata"]["namespace"].is_null() {
        config["metadata"]["namespace"] = namespace.into();
    }
    let schema = resource.schema();
    let time = super::now();
    let applied = |live: Option<&Value>| {
        let request = ApplyRequest {
            live,
            config: &config,
            manager: &options.manager,
            force: options.force,
            subresource: options.subresource.unwrap_or_default(),
            has_status: resource.status,
            time: &time,
            schema: &schema,
        };
        server_side_apply(&request).map_err(|error| match &error {
            ApplyError::Malformed(message) => ApiError::bad_request(message),
            ApplyError::Conflicts(conflicts) => ApiError::apply_conflict(error.to_string(), conflicts),
        })
    };
    if api.get(resource, namespace, name).is_err() {
        if options.subresource.is_some() {
            return Err(ApiError::not_found(resource, name));
        }
        let value = applied(None)?;
        match create::create_how(api, resource, namespace, value, true, options).await {
            Err(error) if error.reason == "AlreadyExists" => {}
            outcome => return outcome,
        }
    }
    let how = How { patch: Some(&config), applied: true };
    update::update_how(api, resource, namespace, name, how, options, |live| {
        let mut new = applied(Some(live))?;
        if config["metadata"]["resourceVersion"].is_null() {
            new["metadata"]["resourceVersion"] = Value::Null;
        }
        Ok(new)
    })
    .await
}

/// What `patch` makes of `live`.
fn patched(kind: PatchKind, live: &Value, patch: &Value, schema: &Schema) -> Result<Value, ApiError> {
    match kind {
        PatchKind::Json => json_patch(live, patch).map_err(|error| refused(&error)),
        PatchKind::Strategic => strategic_merge_patch(live, patch, schema).map_err(|error| refused(&error)),
        PatchKind::Merge | PatchKind::Apply => Ok(merge_patch(live, patch)),
    }
}

/// What a patch makes of a Scale.
///
/// # Errors
/// When the patch is malformed (400) or does not fit (422).
pub fn patched_scale(kind: PatchKind, scale: &Value, patch: &Value) -> Result<Value, ApiError> {
    match kind {
        PatchKind::Json => json_patch(scale, patch).map_err(|error| refused(&error)),
        // A Scale has no lists, so the other patches all merge it alike.
        _ => Ok(merge_patch(scale, patch)),
    }
}

fn refused(error: &PatchError) -> ApiError {
    match error {
        PatchError::Malformed(message) => ApiError::bad_request(message),
        PatchError::DoesNotApply(message) => ApiError::new(422, "Invalid", message),
        PatchError::TooLarge(message) => ApiError::new(413, "RequestEntityTooLarge", message),
    }
}
