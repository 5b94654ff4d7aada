//! What each kind does when it is written: what is kept from before, what the server sets, what is refused beyond the
//! schema's rules.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use super::{Api, ApiError, WriteOptions, admission, cluster_ip, metadata};
use crate::registry::{CRDS, Resource, crd};
use crate::schema::FieldError;

/// Makes a new object ready to be stored; gives warnings.
pub(super) fn prepare_create(
    resource: &Arc<Resource>,
    value: &mut Value,
    applied: bool,
    options: &WriteOptions,
) -> Result<Vec<String>, ApiError> {
    let schema = resource.schema();
    if resource.status && &*resource.storage != "/nodes" {
        set_or_remove(value, "status", None);
    }
    let warnings = admission::decode(resource, &schema, value, None, options)?;
    if !applied {
        admission::track(resource, &schema, None, value, options);
    }
    if &*resource.storage == CRDS {
        crd::complete(value, &metadata::now());
        value["metadata"]["finalizers"] = json!([crd::CLEANUP_FINALIZER]);
    }
    admission::validate(resource, &schema, value, None)?;
    refuse(resource, value, &more_problems(resource, value))?;
    Ok(warnings)
}

/// Makes a changed object ready to be stored; gives warnings.
pub(super) fn prepare_update(
    resource: &Arc<Resource>,
    old: &Value,
    new: &mut Value,
    how: How<'_>,
    options: &WriteOptions,
) -> Result<Vec<String>, ApiError> {
    super::check_type(resource, new)?;
    let schema = resource.schema();
    keep_identity(old, new);
    let warnings = match options.subresource {
        Some("finalize" | "scale") => Vec::new(),
        _ => admission::decode(resource, &schema, new, how.patch, options)?,
    };
    match options.subresource {
        Some("status") => {
            let status = new.get_mut("status").map(Value::take);
            let managed = new["metadata"].get_mut("managedFields").map(Value::take);
            *new = old.clone();
            set_or_remove(new, "status", status);
            set_or_remove(&mut new["metadata"], "managedFields", managed);
        }
        Some("finalize") => {
            let finalizers = new["spec"]["finalizers"].take();
            *new = old.clone();
            new["spec"]["finalizers"] = finalizers;
        }
        _ => {
            if resource.status {
                set_or_remove(new, "status", old.get("status").cloned());
            }
            match &*resource.storage {
                "/namespaces" => new["spec"] = old["spec"].clone(),
                "/services" => cluster_ip::keep(old, new),
                CRDS => crd::complete(new, &metadata::now()),
                _ => {}
            }
        }
    }
    if !how.applied && options.subresource != Some("finalize") {
        admission::track(resource, &schema, Some(old), new, options);
    }
    metadata::drop_nulls(new);
    if options.subresource != Some("status") && spec_changed(resource, old, new) {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        new["metadata"]["generation"] = generation.into();
    }
    if options.subresource != Some("finalize") {
        admission::validate(resource, &schema, new, Some(old))?;
        refuse(resource, new, &more_problems(resource, new))?;
    }
    Ok(warnings)
}

/// How a change came about.
#[derive(Clone, Copy, Default)]
pub(super) struct How<'a> {
    /// The patch, if it was one.
    pub(super) patch: Option<&'a Value>,
    /// Whether managed fields have been seen to already.
    pub(super) applied: bool,
}

/// What no client changes.
fn keep_identity(old: &Value, new: &mut Value) {
    for field in [
        "uid",
        "name",
        "namespace",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
    ] {
        set_or_remove(&mut new["metadata"], field, old["metadata"].get(field).cloned());
    }
}

fn refuse(resource: &Resource, value: &Value, errors: &[FieldError]) -> Result<(), ApiError> {
    let name = value["metadata"]["name"].as_str().unwrap_or_default();
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid(resource, name, errors)) }
}

/// Sets a member, or removes it.
pub(super) fn set_or_remove(value: &mut Value, field: &str, to: Option<Value>) {
    let Some(object) = value.as_object_mut() else { return };
    match to {
        Some(to) => object.insert(field.into(), to),
        None => object.remove(field),
    };
}

/// Whether what the generation counts has changed.
fn spec_changed(resource: &Resource, old: &Value, new: &Value) -> bool {
    if !resource.has_generation() {
        return false;
    }
    if resource.custom().is_none() {
        return ["spec", "webhooks"].iter().any(|field| old.get(field) != new.get(field));
    }
    let ignored = |field: &str| field == "metadata" || (field == "status" && resource.status);
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return true };
    let kept = |map: &serde_json::Map<String, Value>| map.iter().filter(|(k, _)| !ignored(k)).count();
    kept(old) != kept(new) || new.iter().any(|(field, value)| !ignored(field) && old.get(field) != Some(value))
}

/// What the schemas of built-in kinds do not know to refuse.
fn more_problems(resource: &Resource, value: &Value) -> Vec<FieldError> {
    if &*resource.storage == CRDS { crd::problems(value) } else { Vec::new() }
}

/// Gives a service its cluster IP. The guard is to be held until the service is stored, so that none is given twice.
pub(super) async fn allocate<'a>(
    api: &'a Api,
    resource: &Resource,
    value: &mut Value,
) -> Result<Option<MutexGuard<'a, ()>>, ApiError> {
    if &*resource.storage != "/services" {
        return Ok(None);
    }
    let guard = api.addresses.lock().await;
    cluster_ip::assign(&api.store, resource, value)?;
    Ok(Some(guard))
}
