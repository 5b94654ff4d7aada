//! Answers as bytes.

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WARNING};
use http::{Response, StatusCode};
use serde_json::Value;

use super::negotiate::Encoding;
use crate::rest::ApiError;

/// JSON text as an answer.
pub(super) fn json(code: u16, body: impl Into<Bytes>) -> Response<Body> {
    with_type(code, "application/json", body)
}

/// An answer of any type.
pub(super) fn with_type(code: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert("cache-control", HeaderValue::from_static("no-cache, private"));
    response
}

/// JSON text in the encoding that is wanted.
pub(super) fn encoded(code: u16, encoding: Encoding, body: Bytes) -> Response<Body> {
    match encoding {
        Encoding::Json => json(code, body),
        Encoding::Yaml => {
            let value: Value = serde_json::from_slice(&body).unwrap_or_default();
            with_type(code, "application/yaml", serin_yaml::to_string(&value))
        }
    }
}

/// An error as an answer.
pub(super) fn error(error: &ApiError) -> Response<Body> {
    let mut response = json(error.code, error.status().to_string());
    if matches!(error.code, 429 | 503 | 504) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Adds `Warning` headers.
pub(super) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings {
        let text: String = warning.chars().filter(|c| !c.is_control()).collect();
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{text}\"").as_bytes()) {
            response.headers_mut().append(WARNING, value);
        }
    }
}
