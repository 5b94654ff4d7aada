//! What a route's options do to the headers of a request and of its response. The response is changed whoever it comes
//! from, as Envoy does it: the upstream, a redirect or direct response, or the data plane itself.

use bytes::{BufMut, BytesMut};
use http::header::{HOST, HeaderMap};
use http::{HeaderName, HeaderValue, Method, Request, Uri, Version};
use serin_api::{FormatPiece, HeaderSource, Operator};

use super::exchange::Exchange;
use crate::known;
use crate::policy::CompiledHeaderChanges;

/// Which try of a request it is, to the upstream; how many there were, to the client.
pub(super) const ATTEMPT_COUNT: HeaderName = HeaderName::from_static("x-envoy-attempt-count");

/// A request's head, kept for the values that a response's headers are made of.
pub(crate) struct SavedRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

/// The same, borrowed.
#[derive(Clone, Copy)]
struct Head<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
}

/// Changes a request that has been made one for an upstream. `prefix`: how much of the path the matcher's prefix
/// covered; `named`: whether the endpoints have names.
pub(super) fn request<B>(exchange: &mut Exchange, request: &mut Request<B>, prefix: Option<usize>, named: bool) {
    if exchange.policy.is_none() && exchange.notes().is_none() {
        return;
    }
    if exchange.policy.as_ref().is_some_and(|policy| policy.attempts_in_request()) {
        request.headers_mut().insert(ATTEMPT_COUNT, HeaderValue::from_static("1"));
    }
    for changes in all(exchange) {
        let mut headers = std::mem::take(request.headers_mut());
        changes.request.apply(&mut headers, |piece, headers, out| {
            let head = Head { method: request.method(), uri: request.uri(), headers };
            write(exchange, piece, Some(head), None, 0, out);
        });
        *request.headers_mut() = headers;
    }
    if let Some(policy) = &exchange.policy {
        policy.change_request(request, prefix, named);
    }
    save(exchange, request);
}

/// Keeps the request where its response's headers are made of it.
pub(super) fn save<B>(exchange: &mut Exchange, request: &Request<B>) {
    if let Some(saved) = saved(exchange, request) {
        exchange.note().request = Some(saved);
    }
}

/// What has to be kept of the request for its response's headers.
pub(super) fn saved<B>(exchange: &Exchange, request: &Request<B>) -> Option<SavedRequest> {
    all(exchange).any(|changes| changes.response.reads_request()).then(|| SavedRequest {
        method: request.method().clone(),
        uri: request.uri().clone(),
        headers: request.headers().clone(),
    })
}

/// Changes a response's headers. `status` is 0 where the response is the data plane's own.
pub(super) fn response(exchange: &Exchange, headers: &mut HeaderMap, status: u16) {
    if exchange.policy.is_none() && exchange.notes().is_none() {
        return;
    }
    let notes = exchange.notes();
    let saved = notes.and_then(|notes| notes.request.as_ref());
    let head = saved.map(|saved| Head { method: &saved.method, uri: &saved.uri, headers: &saved.headers });
    for changes in all(exchange) {
        changes.response.apply(headers, |piece, headers, out| write(exchange, piece, head, Some(headers), status, out));
    }
    if let Some(attempts @ 1..) = notes.map(|notes| notes.attempts) {
        headers.insert(ATTEMPT_COUNT, HeaderValue::from(attempts));
    }
    let cors = exchange.policy.as_ref().and_then(|policy| policy.cors());
    if let (Some(origin), Some(cors)) = (notes.and_then(|notes| notes.origin.as_ref()), cors) {
        cors.allow(headers, origin);
    }
}

/// The changes that hold for a request, in their order.
fn all(exchange: &Exchange) -> impl Iterator<Item = &CompiledHeaderChanges> {
    let policy = exchange.policy.as_ref();
    let target = exchange.notes().and_then(|notes| notes.target_headers.as_deref());
    target.into_iter().chain(policy.into_iter().flat_map(|policy| policy.header_changes()))
}

/// Writes what a piece of a value comes to; nothing where that is not known.
fn write(
    exchange: &Exchange,
    piece: &FormatPiece,
    request: Option<Head<'_>>,
    response: Option<&HeaderMap>,
    status: u16,
    out: &mut BytesMut,
) {
    let (operator, limit) = match piece {
        FormatPiece::Text(text) => return out.put_slice(text.as_bytes()),
        FormatPiece::Operator(operator, limit) => (operator, limit),
    };
    let start = out.len();
    match operator {
        Operator::RequestHeader(source) => {
            if let Some(head) = request {
                from_header(source, out, |name, out| of_request(head, name, out));
            }
        }
        Operator::RequestHeaderWithoutQuery(source) => {
            if let Some(head) = request {
                from_header(source, out, |name, out| of_request(head, name, out));
                let query = out[start..].iter().position(|byte| *byte == b'?');
                out.truncate(query.map_or(out.len(), |query| start + query));
            }
        }
        Operator::ResponseHeader(source) => {
            if let Some(headers) = response {
                from_header(source, out, |name, out| of_headers(headers, name, out));
            }
        }
        operator => {
            if let Some(text) = known(exchange, operator, response.is_some(), status) {
                out.put_slice(text.as_bytes());
            }
        }
    }
    if let Some(limit) = limit {
        out.truncate(start + limit);
    }
}

/// What an operator that is not about headers comes to.
fn known(exchange: &Exchange, operator: &Operator, answered: bool, status: u16) -> Option<String> {
    match operator {
        Operator::Protocol => Some(protocol(exchange.protocol).to_owned()),
        Operator::Time { of, local, format } => known::time(*of, *local, format.as_deref(), exchange.age()),
        Operator::ResponseCode => Some(status.to_string()),
        Operator::UpstreamHost => {
            exchange.active.as_ref().filter(|_| answered).map(|active| active.address().to_string())
        }
        Operator::ClientHost { direct: false } => Some(exchange.client().to_string()),
        Operator::ClientAddress { direct: false } => Some(exchange.client().ip().to_string()),
        Operator::ClientPort { direct: false } => Some(exchange.client().port().to_string()),
        operator => known::of_connection(operator, &exchange.connection),
    }
}

/// Writes a header, or the one in its place.
fn from_header(source: &HeaderSource, out: &mut BytesMut, take: impl Fn(&str, &mut BytesMut) -> bool) {
    if !take(&source.name, out)
        && let Some(or) = &source.or
    {
        take(or, out);
    }
}

fn of_request(head: Head<'_>, name: &str, out: &mut BytesMut) -> bool {
    let part = match name {
        ":method" => Some(head.method.as_str()),
        ":path" => head.uri.path_and_query().map(http::uri::PathAndQuery::as_str),
        ":authority" | "host" => match head.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => return of_headers(head.headers, HOST.as_str(), out),
        },
        ":scheme" => return of_headers(head.headers, "x-forwarded-proto", out),
        name => return of_headers(head.headers, name, out),
    };
    out.put_slice(part.unwrap_or_default().as_bytes());
    part.is_some()
}

/// Several values are one list, as in Envoy's headers' own terms: the first is what counts.
fn of_headers(headers: &HeaderMap, name: &str, out: &mut BytesMut) -> bool {
    let value = headers.get(name);
    if let Some(value) = value {
        out.put_slice(value.as_bytes());
    }
    value.is_some()
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}
