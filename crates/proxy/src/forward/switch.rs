//! Requests to go on in another protocol than HTTP. HTTP/1.1 asks with `Upgrade` and agrees with 101; HTTP/2 asks with
//! extended CONNECT and agrees with 200 (RFC 8441). Inside, all of them are asked as in HTTP/1.1.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use ring::digest;

use super::body::Body;
use super::carrier::Carrier;
use super::exchange::Exchange;
use super::tunnel::Tunnel;
use super::{headers, reply};
use crate::access_log::Outcome;

/// The protocol that routes allow.
const WEBSOCKET: &[u8] = b"websocket";
/// What a server adds to a client's key before it hashes it (RFC 6455, 4.2.2).
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What is remembered of such a request until its response.
pub(crate) struct Switch {
    /// The client's stream of HTTP/2, to be had once the response is sent.
    client: Option<OnUpgrade>,
    /// The protocol it asked for, as `Upgrade` has it.
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

/// Whether a request asks for a protocol that it may not go on in.
pub(super) fn is_forbidden<B>(exchange: &Exchange, request: &Request<B>) -> bool {
    headers::upgrade(request).is_some_and(|protocol| !is_allowed(exchange, &protocol))
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

/// Whether an upstream agreed with `status`. `asked`: it was asked to.
pub(super) fn is_agreed(upstream: &Carrier, status: StatusCode, asked: bool) -> bool {
    match upstream {
        Carrier::Http1(_) => status == StatusCode::SWITCHING_PROTOCOLS,
        Carrier::Http2(_) => asked && status == StatusCode::OK,
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
    let over_http1 = matches!(upstream, Carrier::Http1(_));
    let protocol = switch.as_ref().and_then(|switch| switch.protocol.clone());
    let (Some(switch), Some(protocol)) = (switch, if over_http1 { protocol.and(named) } else { protocol }) else {
        return disagree(exchange);
    };
    let headers = response.headers_mut();
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
    let status = if switch.client.is_some() { StatusCode::OK } else { StatusCode::SWITCHING_PROTOCOLS };
    if switch.client.is_none() {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol);
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
