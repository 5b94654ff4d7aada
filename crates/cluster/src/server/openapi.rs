//! OpenAPI documents: what clients read to explain kinds and to learn which parameters the server knows.

use std::collections::BTreeMap;

use axum::body::Body;
use http::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use http::{Request, Response, StatusCode};

use super::negotiate::ranges;
use super::respond;
use crate::openapi::{Kind, v2_document, v3_document, v3_index};
use crate::registry::{Resource, Served};
use crate::rest::ApiError;

/// Answers a path below `/openapi`.
pub(super) fn handle(served: &Served, request: &Request<Body>, parts: &[&str]) -> Result<Response<Body>, ApiError> {
    match parts {
        ["v2"] => {
            // The protobuf form is not made; whoever asks only for that is told so, and uses v3.
            let json = |media: &str| matches!(media, "application/json" | "application/*" | "*/*");
            let ranges = ranges(request.headers());
            if !ranges.is_empty() && !ranges.iter().any(|range| json(range.media)) {
                return Err(ApiError::new(406, "NotAcceptable", "only application/json is offered here"));
            }
            Ok(tagged(request, &version_of(served, |_| true), || v2_document(&kinds(served, |_| true))))
        }
        ["v3"] => {
            let mut versions: BTreeMap<(&str, &str), String> = BTreeMap::new();
            for resource in served.iter() {
                let tag = versions.entry((&resource.group, &resource.version)).or_default();
                *tag = version_of(served, |r| r.group == resource.group && r.version == resource.version);
            }
            let index = v3_index(versions.iter().map(|((group, version), tag)| (*group, *version, tag.as_str())));
            Ok(respond::json(200, index.to_string()))
        }
        ["v3", "api", version] => document(served, request, "", version),
        ["v3", "apis", group, version] => document(served, request, group, version),
        _ => Err(ApiError::no_such_path()),
    }
}

fn document(served: &Served, request: &Request<Body>, group: &str, version: &str) -> Result<Response<Body>, ApiError> {
    if !served.has_version(group, version) {
        return Err(ApiError::no_such_path());
    }
    let wanted = |resource: &Resource| &*resource.group == group && &*resource.version == version;
    Ok(tagged(request, &version_of(served, wanted), || v3_document(&kinds(served, wanted))))
}

/// What changes whenever the documents of some kinds do.
fn version_of(served: &Served, wanted: impl Fn(&Resource) -> bool) -> String {
    let mut tag = env!("CARGO_PKG_VERSION").to_owned();
    for resource in served.iter().filter(|resource| wanted(resource)) {
        if let Some(custom) = resource.custom() {
            tag.push_str(&format!("-{}", custom.definition.revision));
        }
    }
    tag
}

/// A document, unless the client has it already.
fn tagged(request: &Request<Body>, tag: &str, make: impl FnOnce() -> String) -> Response<Body> {
    let tag = format!("\"{tag}\"");
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        respond::json(200, make())
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn kinds(served: &Served, wanted: impl Fn(&Resource) -> bool) -> Vec<Kind> {
    let kind = |resource: &std::sync::Arc<Resource>| Kind {
        group: resource.group.to_string(),
        version: resource.version.to_string(),
        kind: resource.kind.to_string(),
        plural: resource.plural.to_string(),
        namespaced: resource.namespaced,
        verbs: resource.main_verbs().to_vec(),
        status: resource.status,
        scale: resource.scale.is_some(),
        schema: resource.schema(),
    };
    served.iter().filter(|resource| wanted(resource)).map(kind).collect()
}
