//! Requests to go on in another protocol than HTTP. HTTP/1.1 asks with `Upgrade` and agrees with 101; HTTP/2 asks with
//! extended CONNECT and agrees with 200 (RFC 8441). Inside, all of them are asked as in HTTP/1.1. CONNECT itself asks for a
//! tunnel, in both, and agrees with 2xx; its end is the route's own upstream, whatever it names.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use ring::digest;
use serin_api::proxy::Connect;

use super::body::Body;
use super::carrier::Carrier;
use super::exchange::Exchange;
use super::tunnel::Tunnel;
use super::{headers, reply};
use crate::access_log::Outcome;
use crate::http1::{BodyDecoder, ResponseHead};

/// The protocol that routes allow.
const WEBSOCKET: &[u8] = b"websocket";
/// What a server adds to a client's key before it hashes it (RFC 6455, 4.2.2).
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What is remembered of such a request until its response.
pub(crate) struct Switch {
    /// The client's stream of HTTP/2, to be had once the response is sent.
    client: Option<OnUpgrade>,
    /// The protocol it asked for, as `Upgrade` has it; `None`: a tunnel.
    protocol: Option<HeaderValue>,
    key: Key,
}

/// What becomes of WebSocket's key, which HTTP/2 does without (RFC 8441, 5).
enum Key {
    /// Both sides see to it.
    Theirs,
    /// It was made for the upstream: the client expects no answer to it.
    Ours,
    /// The client expects an answer to it, which the upstream need not give.
    Answer(HeaderValue),
}

/// Takes a request of HTTP/2 for a tunnel apart: what is left asks as in HTTP/1.1.
pub(super) fn receive<B>(exchange: &mut Exchange, request: &mut Request<B>) {
    if *request.method() != Method::CONNECT || request.version() != Version::HTTP_2 {
        return;
    }
    let client = request.extensions_mut().remove::<OnUpgrade>();
    exchange.note().switch = Some(Switch { client, protocol: None, key: Key::Theirs });
    if let Some(protocol) = request.extensions().get::<Protocol>()
        && let Ok(protocol) = HeaderValue::from_str(protocol.as_str())
    {
        *request.method_mut() = Method::GET;
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        request.headers_mut().insert(UPGRADE, protocol);
    }
}

/// Whether a request may go on in `protocol`.
pub(super) fn is_allowed(exchange: &Exchange, protocol: &HeaderValue) -> bool {
    protocol.as_bytes().eq_ignore_ascii_case(WEBSOCKET)
        && exchange.policy.as_ref().is_none_or(|policy| policy.allows_websocket())
}

/// Whether a request asks for a protocol that nothing here goes on in. What a route says of WebSocket is of no account to
/// an answer of its own.
pub(super) fn is_unknown<B>(request: &Request<B>) -> bool {
    let unknown = |protocol: HeaderValue| !protocol.as_bytes().eq_ignore_ascii_case(WEBSOCKET);
    *request.method() == Method::CONNECT || headers::upgrade(request).is_some_and(unknown)
}

/// Whether a request of CONNECT may have its tunnel.
pub(super) fn may_connect<B>(exchange: &Exchange, request: &Request<B>) -> bool {
    request.version() >= Version::HTTP_11 && exchange.policy.as_ref().is_some_and(|policy| policy.connect().is_some())
}

/// Whether tunnels of CONNECT begin here, and not at the upstream.
pub(super) fn ends_here(exchange: &Exchange) -> bool {
    exchange.policy.as_ref().is_some_and(|policy| policy.connect() == Some(Connect::Terminate))
}

/// The upstream's agreement to a tunnel that begins here. `headers` lend their memory.
pub(super) fn connected(mut headers: HeaderMap) -> ResponseHead {
    headers.clear();
    ResponseHead { status: StatusCode::OK, headers, keep_alive: false, body: BodyDecoder::empty() }
}

/// Makes a request for `protocol` one that the upstream understands. `http2`: it speaks HTTP/2.
pub(super) fn prepare<B>(exchange: &mut Exchange, request: &mut Request<B>, protocol: HeaderValue, http2: bool) {
    let worker = Rc::clone(&exchange.worker);
    let switch =
        exchange.note().switch.get_or_insert_with(|| Switch { client: None, protocol: None, key: Key::Theirs });
    match request.headers().get(SEC_WEBSOCKET_KEY) {
        Some(key) if http2 && switch.client.is_none() => switch.key = Key::Answer(key.clone()),
        None if !http2 && switch.client.is_some() => {
            let key = STANDARD.encode(worker.random.borrow_mut().u128(..).to_ne_bytes());
            if let Ok(key) = HeaderValue::try_from(key) {
                request.headers_mut().insert(SEC_WEBSOCKET_KEY, key);
                switch.key = Key::Ours;
            }
        }
        _ => {}
    }
    if http2 && let Ok(text) = protocol.to_str() {
        request.extensions_mut().insert(h2::ext::Protocol::from(text));
    }
    switch.protocol = Some(protocol);
}

/// Remembers that the request asks for a tunnel.
pub(super) fn prepare_tunnel(exchange: &mut Exchange) {
    exchange.note().switch.get_or_insert_with(|| Switch { client: None, protocol: None, key: Key::Theirs });
}

/// Whether an upstream agreed with `status`, be it to something that it was not asked.
pub(super) fn is_agreed(exchange: &Exchange, upstream: &Carrier, status: StatusCode) -> bool {
    let switch = exchange.notes().and_then(|notes| notes.switch.as_ref());
    match (switch.map(|switch| switch.protocol.is_some()), upstream) {
        (Some(false), _) if status.is_success() => true,
        (_, Carrier::Http1(_)) => status == StatusCode::SWITCHING_PROTOCOLS,
        (asked, Carrier::Http2(_)) => asked == Some(true) && status == StatusCode::OK,
    }
}

/// Whether a client of HTTP/2 asks for another protocol.
pub(super) fn is_asked(exchange: &Exchange) -> bool {
    exchange.notes().is_some_and(|notes| notes.switch.as_ref().is_some_and(|switch| switch.client.is_some()))
}

/// Whether the client would take a response with `status` for an agreement.
pub(super) fn would_agree(exchange: &Exchange, status: StatusCode) -> bool {
    status.is_success() && is_asked(exchange)
}

/// Passes an upstream's agreement on, and joins client and upstream. `named`: the protocol, if the upstream named one.
pub(super) fn agree(
    mut exchange: Exchange,
    mut response: Response<Body>,
    upstream: Carrier,
    named: Option<HeaderValue>,
) -> Response<Body> {
    let switch = exchange.note().switch.take();
    let Some(switch) = switch else { return disagree(exchange) };
    let agreed = response.status();
    let headers = response.headers_mut();
    let status = match (&switch.protocol, &switch.client) {
        (None, _) if agreed.is_success() => {
            headers.remove(CONTENT_LENGTH);
            agreed
        }
        (None, _) => return disagree(exchange),
        (Some(_), _) if named.is_none() && matches!(upstream, Carrier::Http1(_)) => return disagree(exchange),
        (Some(_), Some(_)) => StatusCode::OK,
        (Some(protocol), None) => {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, protocol.clone());
            StatusCode::SWITCHING_PROTOCOLS
        }
    };
    match switch.key {
        Key::Theirs => {}
        Key::Ours => drop(headers.remove(SEC_WEBSOCKET_ACCEPT)),
        Key::Answer(key) => {
            if let (Ok(answer), false) =
                (HeaderValue::try_from(answer_to(&key)), headers.contains_key(SEC_WEBSOCKET_ACCEPT))
            {
                headers.insert(SEC_WEBSOCKET_ACCEPT, answer);
            }
        }
    }
    *response.status_mut() = status;
    exchange.status = status.as_u16();
    if let Some(mut record) = exchange.take_record() {
        record.keep_response(&response);
        exchange.note().record = Some(record);
    }
    let connection = Rc::clone(&exchange.connection);
    let tunnel = Tunnel::new(upstream, exchange);
    match switch.client {
        Some(client) => drop(tokio::task::spawn_local(async move {
            // When the response could not be sent, there is nobody to join.
            if let Ok(client) = client.await {
                tunnel.run(TokioIo::new(client), Bytes::new()).await;
            }
        })),
        None => *connection.tunnel.borrow_mut() = Some(tunnel),
    }
    response
}

/// The answer where an upstream's agreement cannot be passed on.
pub(super) fn disagree(mut exchange: Exchange) -> Response<Body> {
    exchange.outcome = Outcome::UpstreamProtocol;
    let text = reply::unanswered(reply::PROTOCOL_ERROR, false);
    reply::fixed(exchange, StatusCode::BAD_GATEWAY, text)
}

/// What a server of WebSocket answers to a client's key.
fn answer_to(key: &HeaderValue) -> String {
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key.as_bytes());
    hash.update(KEY_SUFFIX);
    STANDARD.encode(hash.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_answered_as_the_protocols_own_example_has_it() {
        assert_eq!(answer_to(&HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==")), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
