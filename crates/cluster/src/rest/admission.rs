//! What a kind's schema says to an object that is written: decoding, unknown fields, defaults and validity.

use serde_json::Value;

use super::{ApiError, FieldValidation, WriteOptions};
use crate::patch::apply::{UpdateRequest, track_update};
use crate::registry::Resource;
use crate::schema::Schema;

/// Checks what a decoder would check, deals with fields that the kind does not have, and fills in defaults. Gives warnings.
///
/// `patch` is what the object was patched with, for the message of a strict refusal.
pub(super) fn decode(
    resource: &Resource,
    schema: &Schema,
    value: &mut Value,
    patch: Option<&Value>,
    options: &WriteOptions,
) -> Result<Vec<String>, ApiError> {
    let wrong = |message: &str| {
        ApiError::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {message}",
            resource.kind, resource.version, resource.kind
        ))
    };
    if let Some(message) = schema.decode_error(value) {
        return Err(wrong(&message));
    }
    let mut faults = Vec::new();
    if options.validation != FieldValidation::Ignore {
        faults.extend(options.duplicates.iter().cloned());
        faults.extend(schema.unknown_fields(value));
    }
    if options.validation == FieldValidation::Strict && !faults.is_empty() {
        let message = format!("strict decoding error: {}", faults.join(", "));
        return Err(match patch {
            Some(patch) => ApiError::invalid_patch(patch, &message),
            None => wrong(&message),
        });
    }
    schema.prune(value);
    schema.apply_defaults(value);
    Ok(faults)
}

/// Keeps `managedFields` in step with a write that is not an apply.
pub(super) fn track(
    resource: &Resource,
    schema: &Schema,
    old: Option<&Value>,
    new: &mut Value,
    options: &WriteOptions,
) {
    let time = super::now();
    let request = UpdateRequest {
        old,
        manager: &options.manager,
        api_version: &resource.api_version(),
        subresource: options.subresource.unwrap_or_default(),
        has_status: resource.status,
        time: &time,
        schema,
    };
    track_update(&request, new);
}

/// Fails when the object breaks the rules of its kind.
pub(super) fn validate(resource: &Resource, schema: &Schema, new: &Value, old: Option<&Value>) -> Result<(), ApiError> {
    let errors = match old {
        Some(old) => schema.validate_update(new, old),
        None => schema.validate(new),
    };
    if errors.is_empty() {
        return Ok(());
    }
    Err(ApiError::invalid(resource, new["metadata"]["name"].as_str().unwrap_or_default(), &errors))
}
