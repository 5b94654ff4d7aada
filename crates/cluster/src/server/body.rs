//! Request bodies: a limit on their size, and JSON or YAML.

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request};
use serde_json::Value;

use crate::rest::ApiError;
use crate::schema::duplicate_fields;

/// As kube-apiserver's limit on resource request bodies.
const MOST_BYTES: usize = 3 << 20;
/// Time for a body to arrive.
const TIME: std::time::Duration = std::time::Duration::from_secs(60);

/// The whole body, and the headers that came with it.
pub(super) async fn read(request: Request<Body>) -> Result<(HeaderMap, Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    let too_large = || {
        let message = format!("Request entity too large: limit is {MOST_BYTES}");
        ApiError::new(413, "RequestEntityTooLarge", message)
    };
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MOST_BYTES) {
        return Err(too_large());
    }
    match tokio::time::timeout(TIME, axum::body::to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(bytes)) => Ok((parts.headers, bytes)),
        Ok(Err(error)) if format!("{error:?}").contains("LengthLimit") => Err(too_large()),
        Ok(Err(error)) => Err(ApiError::bad_request(format!("cannot read the request's body: {error}"))),
        Err(_) => Err(ApiError::new(408, "Timeout", "the request's body did not arrive in time")),
    }
}

/// The media type of a body, without parameters; JSON when none is given.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match given.split(';').next().unwrap_or_default().trim() {
        "" => "application/json",
        media => media,
    }
}

/// An object from a body.
pub(super) fn object(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, ApiError> {
    match media_type(headers) {
        "application/json" | "*/*" => json(bytes),
        "application/yaml" | "application/x-yaml" | "text/yaml" => yaml(bytes),
        "application/vnd.kubernetes.protobuf" => {
            super::protobuf::decode(bytes).map_err(|error| ApiError::bad_request(error.to_string()))
        }
        other => Err(ApiError::new(
            415,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format ({other}) - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf"
            ),
        )),
    }
}

/// An object from a body, and the fields that it names twice.
pub(super) fn object_and_duplicates(headers: &HeaderMap, bytes: &[u8]) -> Result<(Value, Vec<String>), ApiError> {
    let value = object(headers, bytes)?;
    Ok((value, if media_type(headers).ends_with("json") { duplicates(bytes) } else { Vec::new() }))
}

/// The fields that a JSON body names twice, as messages.
pub(super) fn duplicates(bytes: &[u8]) -> Vec<String> {
    std::str::from_utf8(bytes).map(duplicate_fields).unwrap_or_default()
}

/// JSON from a body.
pub(super) fn json(bytes: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| {
        ApiError::bad_request(format!("the object provided is unrecognized (must be of type JSON): {error}"))
    })
}

/// YAML (so also JSON) from a body: its one document.
pub(super) fn yaml(bytes: &[u8]) -> Result<Value, ApiError> {
    let bad = |error: &dyn std::fmt::Display| ApiError::bad_request(format!("error converting YAML to JSON: {error}"));
    let text = std::str::from_utf8(bytes).map_err(|error| bad(&error))?;
    let mut documents = serin_yaml::parse(text).map_err(|error| bad(&error))?.into_iter();
    match (documents.next(), documents.next()) {
        (Some(document), None) => Ok(document.value),
        (None, _) => Err(ApiError::bad_request("the request has no body")),
        (Some(_), Some(_)) => Err(ApiError::bad_request("the body holds more than one YAML document")),
    }
}
