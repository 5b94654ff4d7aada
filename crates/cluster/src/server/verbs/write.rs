//! Creating, replacing and patching.

use axum::body::Body;
use http::{HeaderMap, Method, Request, Response};

use super::Call;
use crate::rest::{self, ApiError, FieldValidation, PatchKind, WriteOptions, Written};
use crate::server::negotiate::{Accepted, accepted};
use crate::server::{body, respond, table};

pub(super) async fn create(call: &Call, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    let accepted = accepted(request.headers())?;
    let mut options = options(call, request.headers(), None)?;
    let (headers, bytes) = body::read(request).await?;
    let (value, duplicates) = body::object_and_duplicates(&headers, &bytes)?;
    options.duplicates = duplicates;
    let written = rest::create(&call.server.api, &call.resource, call.namespace(), value, &options).await?;
    Ok(answer(call, &written, accepted))
}

pub(super) async fn replace(
    call: &Call,
    name: &str,
    subresource: Option<&'static str>,
    request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    let accepted = accepted(request.headers())?;
    let mut options = options(call, request.headers(), subresource)?;
    let (headers, bytes) = body::read(request).await?;
    let (value, duplicates) = body::object_and_duplicates(&headers, &bytes)?;
    options.duplicates = duplicates;
    let written = rest::replace(&call.server.api, &call.resource, call.namespace(), name, value, &options).await?;
    Ok(answer(call, &written, accepted))
}

pub(super) async fn patch(
    call: &Call,
    name: &str,
    subresource: Option<&'static str>,
    request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    let accepted = accepted(request.headers())?;
    let mut options = options(call, request.headers(), subresource)?;
    let (headers, bytes) = body::read(request).await?;
    let (kind, patch) = patch_body(call, &headers, &bytes)?;
    if matches!(kind, PatchKind::Merge | PatchKind::Strategic) {
        options.duplicates = body::duplicates(&bytes);
    }
    if kind == PatchKind::Apply && options.manager.is_empty() {
        return Err(ApiError::new(
            422,
            "Invalid",
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
        ));
    }
    let api = &call.server.api;
    let written = rest::patch(api, &call.resource, call.namespace(), name, kind, &patch, &options).await?;
    Ok(answer(call, &written, accepted))
}

pub(super) async fn scale(call: &Call, name: &str, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    let options = options(call, request.headers(), Some("scale"))?;
    let method = request.method().clone();
    let (headers, bytes) = body::read(request).await?;
    let api = &call.server.api;
    let scale = if method == Method::PUT {
        let scale = body::object(&headers, &bytes)?;
        rest::put_scale(api, &call.resource, call.namespace(), name, scale, &options).await?
    } else {
        let (kind, patch) = patch_body(call, &headers, &bytes)?;
        let make = |scale: &serde_json::Value| rest::patched_scale(kind, scale, &patch);
        rest::patch_scale(api, &call.resource, call.namespace(), name, &options, make).await?
    };
    Ok(respond::json(200, scale.to_string()))
}

fn patch_body(call: &Call, headers: &HeaderMap, bytes: &[u8]) -> Result<(PatchKind, serde_json::Value), ApiError> {
    let custom = call.resource.custom().is_some();
    let kind = match body::media_type(headers) {
        "application/json-patch+json" => PatchKind::Json,
        "application/merge-patch+json" => PatchKind::Merge,
        "application/strategic-merge-patch+json" if !custom => PatchKind::Strategic,
        "application/apply-patch+yaml" => PatchKind::Apply,
        other => {
            let strategic = if custom { "" } else { ", application/strategic-merge-patch+json" };
            return Err(ApiError::new(
                415,
                "UnsupportedMediaType",
                format!(
                    "the body of the request was in an unknown format ({other}) - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml{strategic}"
                ),
            ));
        }
    };
    let patch = if kind == PatchKind::Apply { body::yaml(bytes)? } else { body::json(bytes)? };
    Ok((kind, patch))
}

fn options(call: &Call, headers: &HeaderMap, subresource: Option<&'static str>) -> Result<WriteOptions, ApiError> {
    let query = &call.query;
    let dry_run = super::delete::dry_run(query)?;
    let validation = match query.get("fieldValidation") {
        None | Some("Warn") => FieldValidation::Warn,
        Some("Strict") => FieldValidation::Strict,
        Some("Ignore") => FieldValidation::Ignore,
        Some(other) => {
            return Err(ApiError::new(
                422,
                "Invalid",
                format!(
                    "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Invalid value: \"{other}\": allowed values: Ignore, Strict, Warn"
                ),
            ));
        }
    };
    let is_apply = body::media_type(headers) == "application/apply-patch+yaml";
    let manager = match query.get("fieldManager") {
        Some(manager) => manager.to_owned(),
        None if is_apply => String::new(),
        // As kube-apiserver: what stands before the first slash of the user agent.
        None => {
            let agent = headers.get(http::header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
            let name = agent.split('/').next().unwrap_or_default();
            if name.is_empty() { "unknown".to_owned() } else { name.chars().take(128).collect() }
        }
    };
    Ok(WriteOptions { dry_run, manager, force: query.flag("force"), validation, subresource, duplicates: Vec::new() })
}

fn answer(call: &Call, written: &Written, accepted: Accepted) -> Response<Body> {
    let body = table::present(call, &written.object, accepted.form);
    let mut response = respond::encoded(if written.created { 201 } else { 200 }, accepted.encoding, body);
    respond::warn(&mut response, &written.warnings);
    response
}
