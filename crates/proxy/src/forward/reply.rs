//! Responses that come from the data plane itself, in the words that Envoy uses and people search for.

use std::rc::Rc;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderMap, LOCATION, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

use super::body::Body;
use super::changes;
use super::exchange::Exchange;
use super::grpc;
use crate::access_log::Outcome;
use crate::worker::ConnectionState;

/// No endpoint to send the request to.
pub(crate) const NO_HEALTHY_UPSTREAM: &str = "no healthy upstream";
/// The route's time ran out.
pub(crate) const TIMEOUT: &str = "upstream request timeout";
/// The endpoint could not be connected to. This and those below are the reasons in [`unanswered`].
pub(crate) const CONNECT_FAILURE: &str = "remote connection failure";
/// There is no credential to speak TLS with the endpoint.
pub(crate) const NO_CREDENTIAL: &str =
    "remote connection failure, transport failure reason: TLS error: Secret is not supplied by SDS";
/// The endpoint's certificate is not one to trust.
pub(crate) const UNTRUSTED: &str =
    "remote connection failure, transport failure reason: TLS_error: CERTIFICATE_VERIFY_FAILED";
/// TLS was not agreed on with the endpoint.
pub(crate) const HANDSHAKE: &str = "remote connection failure, transport failure reason: TLS_error: HANDSHAKE_FAILURE";
/// The endpoint did not answer the attempt to connect.
pub(crate) const CONNECT_TIMEOUT: &str = "connection timeout";
/// The endpoint closed the connection without an answer.
pub(crate) const DISCONNECTED: &str = "connection termination";
/// The endpoint reset the request's stream.
pub(crate) const REMOTE_RESET: &str = "remote reset";
/// The endpoint refused the request's stream.
pub(crate) const REMOTE_REFUSED: &str = "remote refused stream reset";
/// There is too much under way already.
pub(crate) const OVERFLOW: &str = "overflow";
/// What the endpoint sent is not HTTP.
pub(crate) const PROTOCOL_ERROR: &str = "protocol error";

/// The request's body is longer than its route holds.
pub(crate) const TOO_LONG: &str = "Payload Too Large";
/// A route that fails on purpose.
pub(crate) const FAULT: &str = "fault filter abort";
/// The request or its response took longer than either may.
pub(crate) const EXPIRED: &str = "downstream duration timeout";
/// The client took too long to send the request.
pub(crate) const SENT_TOO_SLOWLY: &str = "request timeout";
/// Nothing moved for too long.
pub(crate) const STANDSTILL: &str = "stream timeout";

/// A response with a text.
pub(crate) fn text(exchange: Exchange, status: StatusCode, body: &'static str) -> Response<Body> {
    fixed(exchange, status, Bytes::from_static(body.as_bytes()))
}

/// What is said of a request that no endpoint answered. `retried`: it was tried more than once.
pub(crate) fn unanswered(reason: &str, retried: bool) -> Bytes {
    let lead = if retried { "retried and the latest reset reason" } else { "reset reason" };
    format!("upstream connect error or disconnect/reset before headers. {lead}: {reason}").into()
}

/// The answer to a request that is at fault itself: nothing after it on its connection is served.
pub(crate) fn refusal(exchange: Exchange, status: StatusCode, body: Bytes) -> Response<Body> {
    let connection = Rc::clone(&exchange.connection);
    let mut response = fixed(exchange, status, body);
    end_connection(&connection, &mut response);
    response
}

/// Has the connection end with this response, unless it carries others besides.
pub(crate) fn end_connection(connection: &ConnectionState, response: &mut Response<Body>) {
    if connection.refuse() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// A response with a body, which is empty or plain text.
pub(crate) fn fixed(exchange: Exchange, status: StatusCode, body: Bytes) -> Response<Body> {
    with_headers(exchange, status, HeaderMap::new(), body)
}

/// A redirect.
pub(crate) fn redirect(exchange: Exchange, status: StatusCode, location: HeaderValue) -> Response<Body> {
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, location);
    with_headers(exchange, status, headers, Bytes::new())
}

/// The answer to a browser's preflight request. It has not come as far as the route's own headers.
pub(crate) fn preflight(mut exchange: Exchange, headers: HeaderMap) -> Response<Body> {
    exchange.status = StatusCode::OK.as_u16();
    let mut response = Response::new(Body::full(Bytes::new(), exchange));
    *response.headers_mut() = headers;
    response
}

/// The route's options may say something else of the body than that it is plain text.
fn with_headers(mut exchange: Exchange, status: StatusCode, mut headers: HeaderMap, body: Bytes) -> Response<Body> {
    let is_grpc = exchange.notes().is_some_and(|notes| notes.grpc);
    exchange.status = if is_grpc { StatusCode::OK } else { status }.as_u16();
    changes::response(&exchange, &mut headers, 0);
    let (mut told, mut body) = (status, body);
    if is_grpc {
        grpc::tell(&mut headers, status, &body);
        if exchange.outcome == Outcome::Expired {
            grpc::tell_expired(&mut headers);
        }
        (told, body) = (StatusCode::OK, Bytes::new());
    } else if body.is_empty() {
        headers.remove(CONTENT_TYPE);
    } else if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    }
    if let Some(cookie) = exchange.take_sticky_cookie() {
        headers.append(SET_COOKIE, cookie);
    }
    let mut response = Response::new(Body::full(body, exchange));
    *response.status_mut() = told;
    *response.headers_mut() = headers;
    response
}
