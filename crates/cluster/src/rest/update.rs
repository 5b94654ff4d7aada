//! Changing objects: replacing, and the compare-and-swap loop that all changes go through.

use std::sync::Arc;

use serde_json::Value;

use super::strategy::How;
use super::{Api, ApiError, WriteOptions, Written, check_metadata, check_type, key, metadata, strategy};
use crate::patch::apply::settle;
use crate::registry::{self, Resource};
use crate::schema::FieldError;
use crate::store::{Change, Expect, Object, WriteError};

/// How often a change is tried again when another one came between.
const ATTEMPTS: usize = 16;

/// Replaces an object by `value` (PUT).
///
/// # Errors
/// As kube-apiserver: 404, 409 on another resourceVersion than the stored one, 422 when not valid.
pub async fn replace(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    name: &str,
    mut value: Value,
    options: &WriteOptions,
) -> Result<Written, ApiError> {
    check_type(resource, &mut value)?;
    check_metadata(resource, &value)?;
    let meta = &mut value["metadata"];
    match meta["name"].as_str().unwrap_or_default() {
        "" => meta["name"] = Value::from(name),
        given if given != name => {
            return Err(ApiError::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            )));
        }
        _ => {}
    }
    match meta["namespace"].as_str().unwrap_or_default() {
        given if !given.is_empty() && given != namespace => {
            return Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        _ if namespace.is_empty() => {}
        _ => meta["namespace"] = Value::from(namespace),
    }
    let unconditional = meta["resourceVersion"].as_str().unwrap_or_default().is_empty();
    if unconditional && resource.custom().is_some() {
        let cause = FieldError::invalid("metadata.resourceVersion", &Value::from(0), "must be specified for an update");
        return Err(ApiError::invalid(resource, name, &[cause]));
    }
    metadata::drop_nulls(&mut value);
    update(api, resource, namespace, name, options, |_| Ok(value.clone())).await
}

/// Changes an object to what `make` makes of it; `make` may be called again when another change came between.
///
/// # Errors
/// As [`replace`], and those of `make`.
pub async fn update(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    name: &str,
    options: &WriteOptions,
    make: impl FnMut(&Value) -> Result<Value, ApiError>,
) -> Result<Written, ApiError> {
    update_how(api, resource, namespace, name, How::default(), options, make).await
}

/// As [`update`], knowing how the change came about.
pub(super) async fn update_how(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    name: &str,
    how: How<'_>,
    options: &WriteOptions,
    mut make: impl FnMut(&Value) -> Result<Value, ApiError>,
) -> Result<Written, ApiError> {
    let _turn = api.turn(&key(resource, namespace, name)).await;
    for _ in 0..ATTEMPTS {
        let live = api.get(resource, namespace, name)?;
        let old = registry::convert(resource, live.value());
        let mut new = make(&old)?;
        check_precondition(resource, name, &live, &old, &new)?;
        let warnings = strategy::prepare_update(resource, &old, &mut new, how, options)?;
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
        let _addresses = strategy::allocate(api, resource, &mut new).await?;
        if settle(&old, &mut new) {
            return Ok(Written { object: live, created: false, warnings });
        }
        let key = key(resource, namespace, name);
        if options.dry_run {
            let object = Arc::new(Object::unstored(&key, registry::to_stored(resource, new)));
            return Ok(Written { object, created: false, warnings });
        }
        let gone = finished(&new);
        let new = registry::to_stored(resource, new);
        let change = if gone {
            Change::Delete { value: new, revision: live.revision }
        } else {
            Change::Put { value: new, expect: Expect::Revision(live.revision), in_live_namespace: false }
        };
        match api.store.write(key, change).await {
            Ok(object) => return Ok(Written { object, created: false, warnings }),
            // Someone was quicker: make the change anew. If it names a version, that check fails now.
            Err(WriteError::Conflict) => {}
            Err(error) => return Err(ApiError::of_write(&error, resource, namespace, name)),
        }
    }
    Err(ApiError::modified(resource, name))
}

/// Fails unless `new` is about the version of the object that is stored.
fn check_precondition(
    resource: &Resource,
    name: &str,
    live: &Object,
    old: &Value,
    new: &Value,
) -> Result<(), ApiError> {
    let meta = &new["metadata"];
    if let Some(version) = meta["resourceVersion"].as_str().filter(|version| !version.is_empty()) {
        let revision: u64 = version.parse().map_err(|_| {
            let cause = FieldError::invalid("metadata.resourceVersion", &meta["resourceVersion"], "must be a number");
            ApiError::invalid(resource, name, &[cause])
        })?;
        if revision != live.revision {
            return Err(ApiError::modified(resource, name));
        }
    }
    let (given, found) =
        (meta["uid"].as_str().unwrap_or_default(), old["metadata"]["uid"].as_str().unwrap_or_default());
    if !given.is_empty() && given != found {
        let why = format!("Precondition failed: UID in precondition: {given}, UID in object meta: {found}");
        return Err(ApiError::conflict(resource, name, &why));
    }
    Ok(())
}

/// Whether an object was only kept by the finalizer that has just been removed.
fn finished(value: &Value) -> bool {
    let meta = &value["metadata"];
    let none = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
    let waits = meta["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) > 0;
    let namespace_content = value["kind"] == "Namespace" && !none(&value["spec"]["finalizers"]);
    !meta["deletionTimestamp"].is_null() && none(&meta["finalizers"]) && !waits && !namespace_content
}

/// Removes one finalizer; the object goes when it was the last.
///
/// # Errors
/// As [`update`].
pub async fn remove_finalizer(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    name: &str,
    finalizer: &str,
) -> Result<Written, ApiError> {
    let options = WriteOptions { manager: "serin".into(), ..WriteOptions::default() };
    update(api, resource, namespace, name, &options, |old| {
        let mut new = old.clone();
        if let Some(list) = new["metadata"]["finalizers"].as_array_mut() {
            list.retain(|f| f != finalizer);
        }
        if let Some(meta) = new["metadata"].as_object_mut() {
            meta.remove("resourceVersion");
        }
        Ok(new)
    })
    .await
}
