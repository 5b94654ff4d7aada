//! Deleting one object or a collection.

use axum::body::Body;
use http::{Request, Response};
use serde_json::{Value, json};

use super::Call;
use super::selection::Selection;
use crate::registry;
use crate::rest::{self, ApiError, DeleteOptions, Deleted, Propagation};
use crate::server::request::Query;
use crate::server::{body, respond};

pub(super) async fn one(call: &Call, name: &str, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    let options = options(&call.query, request).await?;
    let resource = &call.resource;
    match rest::delete(&call.server.api, resource, call.namespace(), name, &options).await? {
        Deleted::Marked(object) => Ok(respond::json(200, registry::json(resource, &object))),
        // Pods and a few others answer with what they were.
        Deleted::Gone(object) if matches!(&*resource.storage, "/pods" | "/services" | "/serviceaccounts") => {
            Ok(respond::json(200, registry::json(resource, &object)))
        }
        Deleted::Gone(object) => {
            let uid = object.value()["metadata"]["uid"].clone();
            let mut details = json!({"name": name, "kind": &*resource.plural, "uid": uid});
            if !resource.group.is_empty() {
                details["group"] = Value::from(&*resource.group);
            }
            let status =
                json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
            Ok(respond::json(200, status.to_string()))
        }
    }
}

pub(super) async fn collection(call: &Call, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    let options = options(&call.query, request).await?;
    let (api, resource) = (&call.server.api, &call.resource);
    let selection = Selection::new(resource, call.namespace.as_deref(), None, &call.query)?;
    let listing = api.store.list(&resource.storage, selection.namespace.as_deref());
    let mut items = Vec::new();
    for object in listing.objects.iter().filter(|object| selection.matches(object)) {
        match rest::delete(api, resource, &object.namespace, &object.name, &options).await {
            Ok(_) => items.push(registry::convert(resource, object.value())),
            Err(error) if error.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    let list = json!({
        "kind": &*resource.list_kind, "apiVersion": resource.api_version(),
        "metadata": {"resourceVersion": listing.revision.to_string()}, "items": items,
    });
    Ok(respond::json(200, list.to_string()))
}

/// Options come in the body or, body absent, in the query.
async fn options(query: &Query, request: Request<Body>) -> Result<DeleteOptions, ApiError> {
    let (headers, bytes) = body::read(request).await?;
    let given = if bytes.is_empty() { Value::Null } else { body::object(&headers, &bytes)? };
    let mut options = DeleteOptions { dry_run: dry_run(query)?, ..DeleteOptions::default() };
    options.grace = given["gracePeriodSeconds"].as_i64().or(query.number("gracePeriodSeconds")?);
    let precondition = |field: &str| given["preconditions"][field].as_str().map(str::to_owned);
    options.uid = precondition("uid");
    options.revision = precondition("resourceVersion");
    options.dry_run |= given["dryRun"].as_array().is_some_and(|list| list.iter().any(|v| v == "All"));
    let propagation = given["propagationPolicy"].as_str().or(query.get("propagationPolicy"));
    let orphan = given["orphanDependents"].as_bool().or(query.get("orphanDependents").map(|text| text == "true"));
    options.propagation = match (propagation, orphan) {
        (Some("Background"), _) | (None, Some(false)) => Some(Propagation::Background),
        (Some("Foreground"), _) => Some(Propagation::Foreground),
        (Some("Orphan"), _) | (None, Some(true)) => Some(Propagation::Orphan),
        (None, None) => None,
        (Some(other), _) => {
            return Err(ApiError::new(
                422,
                "Invalid",
                format!(
                    "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"{other}\": supported values: \"Background\", \"Foreground\", \"Orphan\""
                ),
            ));
        }
    };
    Ok(options)
}

/// Whether `dryRun=All` was asked for.
pub(super) fn dry_run(query: &Query) -> Result<bool, ApiError> {
    let mut dry = false;
    for value in query.all("dryRun").filter(|value| !value.is_empty()) {
        if value != "All" {
            return Err(ApiError::new(
                422,
                "Invalid",
                format!(
                    "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: \"{value}\": supported values: \"All\""
                ),
            ));
        }
        dry = true;
    }
    Ok(dry)
}
