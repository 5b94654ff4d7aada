//! The `/scale` subresource: a kind's replicas, as `autoscaling/v1` Scale.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Api, ApiError, WriteOptions, update};
use crate::registry::{Resource, Scale};
use crate::schema::FieldError;
use crate::store::Object;

fn paths(resource: &Resource) -> Result<&Scale, ApiError> {
    resource.scale.as_ref().ok_or_else(ApiError::no_such_path)
}

fn pointer(path: &str) -> String {
    path.replace('.', "/")
}

/// The Scale of an object.
///
/// # Errors
/// 404 when there is no such object or it has none.
pub fn get_scale(api: &Api, resource: &Resource, namespace: &str, name: &str) -> Result<Value, ApiError> {
    let object = api.get(resource, namespace, name)?;
    scale_of(resource, &object)
}

fn scale_of(resource: &Resource, object: &Object) -> Result<Value, ApiError> {
    let paths = paths(resource)?;
    let value = object.value();
    let meta = &value["metadata"];
    let number = |path: &str| value.pointer(&pointer(path)).and_then(Value::as_i64).unwrap_or(0);
    let mut metadata = json!({
        "name": meta["name"], "uid": meta["uid"], "resourceVersion": meta["resourceVersion"],
        "creationTimestamp": meta["creationTimestamp"],
    });
    if !object.namespace.is_empty() {
        metadata["namespace"] = Value::from(&*object.namespace);
    }
    let selector = match paths.selector.as_deref().and_then(|path| value.pointer(&pointer(path))) {
        Some(Value::String(text)) => text.clone(),
        Some(object @ Value::Object(_)) => {
            crate::selector::LabelSelector::from_object(object).map(|s| s.to_string()).unwrap_or_default()
        }
        _ => String::new(),
    };
    let mut status = json!({"replicas": number(&paths.status_replicas)});
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    Ok(json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
        "spec": {"replicas": number(&paths.spec_replicas)}, "status": status,
    }))
}

/// Sets the replicas from a whole Scale.
///
/// # Errors
/// As an update of the object itself.
pub async fn put_scale(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    name: &str,
    scale: Value,
    options: &WriteOptions,
) -> Result<Value, ApiError> {
    patch_scale(api, resource, namespace, name, options, |_| Ok(scale.clone())).await
}

/// Sets the replicas to what `make` makes of the Scale.
///
/// # Errors
/// As an update of the object itself, and those of `make`.
pub async fn patch_scale(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    name: &str,
    options: &WriteOptions,
    make: impl Fn(&Value) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let path = pointer(&paths(resource)?.spec_replicas);
    let written = update(api, resource, namespace, name, options, |live| {
        let current = scale_of(resource, &Object::unstored(&super::key(resource, namespace, name), live.clone()))?;
        let wanted = make(&current)?;
        let replicas = wanted["spec"]["replicas"].as_i64().unwrap_or(0);
        if replicas < 0 {
            let detail = "must be greater than or equal to 0";
            return Err(ApiError::invalid(
                resource,
                name,
                &[FieldError::invalid("spec.replicas", &replicas.into(), detail)],
            ));
        }
        let mut new = live.clone();
        let version = &wanted["metadata"]["resourceVersion"];
        if *version != current["metadata"]["resourceVersion"] {
            new["metadata"]["resourceVersion"] = version.clone();
        }
        let mut slot = &mut new;
        for part in path.split('/').skip(1) {
            slot = &mut slot[part];
        }
        *slot = replicas.into();
        Ok(new)
    })
    .await?;
    scale_of(resource, &written.object)
}
