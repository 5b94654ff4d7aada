//! Creating objects.

use std::sync::Arc;

use serde_json::Value;

use super::{Api, ApiError, WriteOptions, Written, check_metadata, check_type, key, metadata, strategy};
use crate::registry::{self, Resource};
use crate::store::{Change, Expect, Object, WriteError};

/// How often another generated name is tried when one is taken.
const NAME_ATTEMPTS: usize = 8;

/// Creates `value` in `namespace` (empty for cluster scope).
///
/// # Errors
/// As kube-apiserver: when the object is not valid, exists, or its namespace does not take it.
pub async fn create(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    value: Value,
    options: &WriteOptions,
) -> Result<Written, ApiError> {
    create_how(api, resource, namespace, value, false, options).await
}

/// As [`create`]; `applied` when the managed fields have been seen to already.
pub(super) async fn create_how(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    mut value: Value,
    applied: bool,
    options: &WriteOptions,
) -> Result<Written, ApiError> {
    check_type(resource, &mut value)?;
    check_metadata(resource, &value)?;
    let meta = &mut value["metadata"];
    match meta["namespace"].as_str().unwrap_or_default() {
        given if !given.is_empty() && given != namespace => {
            return Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        _ if namespace.is_empty() => {}
        _ => meta["namespace"] = Value::from(namespace),
    }
    if !meta["resourceVersion"].as_str().unwrap_or_default().is_empty() {
        return Err(ApiError::new(500, "", "resourceVersion should not be set on objects to be created"));
    }
    let base = meta["generateName"].as_str().unwrap_or_default().to_owned();
    let generated = !base.is_empty() && meta["name"].as_str().unwrap_or_default().is_empty();
    let created = metadata::now();
    meta["uid"] = uuid::Uuid::new_v4().to_string().into();
    meta["creationTimestamp"] = created.as_str().into();
    if let Some(meta) = meta.as_object_mut() {
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"] {
            meta.remove(field);
        }
        if namespace.is_empty() {
            meta.remove("namespace");
        }
    }
    if resource.has_generation() {
        meta["generation"] = 1.into();
    }
    metadata::drop_nulls(&mut value);

    let attempts = if generated { NAME_ATTEMPTS } else { 1 };
    for attempt in 1.. {
        if generated {
            value["metadata"]["name"] = metadata::generate_name(&base).into();
        }
        let mut value = value.clone();
        let warnings = strategy::prepare_create(resource, &mut value, applied, options)?;
        let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let _addresses = strategy::allocate(api, resource, &mut value).await?;
        let value = registry::to_stored(resource, value);
        let key = key(resource, namespace, &name);
        if options.dry_run {
            check_dry(api, resource, namespace, &name)?;
            let object = Arc::new(Object::unstored(&key, value));
            return Ok(Written { object, created: true, warnings });
        }
        let in_live_namespace = !namespace.is_empty();
        match api.store.write(key, Change::Put { value, expect: Expect::Absent, in_live_namespace }).await {
            Ok(object) => return Ok(Written { object, created: true, warnings }),
            Err(WriteError::Exists) if attempt < attempts => {}
            Err(error) => return Err(ApiError::of_write(&error, resource, namespace, &name)),
        }
    }
    Err(ApiError::already_exists(resource, &base))
}

/// The checks that the store would make, for a dry run.
fn check_dry(api: &Api, resource: &Resource, namespace: &str, name: &str) -> Result<(), ApiError> {
    if api.store.get(&key(resource, namespace, name)).is_some() {
        return Err(ApiError::already_exists(resource, name));
    }
    if namespace.is_empty() {
        return Ok(());
    }
    let found = api.store.get(&crate::store::Key::new("/namespaces", "", namespace));
    match found.map(|namespace| namespace.value()) {
        None => Err(ApiError::namespace_not_found(namespace)),
        Some(value) if !value["metadata"]["deletionTimestamp"].is_null() => {
            Err(ApiError::terminating(resource, name, namespace))
        }
        Some(_) => Ok(()),
    }
}
