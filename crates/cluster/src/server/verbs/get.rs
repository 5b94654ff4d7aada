//! Reading one object.

use axum::body::Body;
use http::Response;

use super::Call;
use crate::rest::{self, ApiError};
use crate::server::negotiate::Accepted;
use crate::server::{respond, table};

pub(super) fn get(call: &Call, name: &str, accepted: Accepted) -> Result<Response<Body>, ApiError> {
    let object = call.server.api.get(&call.resource, call.namespace(), name)?;
    let body = table::present(call, &object, accepted.form);
    Ok(respond::encoded(200, accepted.encoding, body))
}

pub(super) fn scale(call: &Call, name: &str) -> Result<Response<Body>, ApiError> {
    let scale = rest::get_scale(&call.server.api, &call.resource, call.namespace(), name)?;
    Ok(respond::json(200, scale.to_string()))
}
