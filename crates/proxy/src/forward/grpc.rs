//! Answers of the gateway's own to gRPC clients: they are told in gRPC's words, as Envoy does it.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use http::{HeaderValue, Method, Request, StatusCode};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC: &[u8] = b"application/grpc";

/// Whether a request is one of gRPC.
pub(super) fn is_grpc<B>(request: &Request<B>) -> bool {
    *request.method() == Method::POST
        && request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.as_bytes().strip_prefix(GRPC))
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'+')
}

/// Says in `headers` what `status` and `text` say to others.
pub(super) fn tell(headers: &mut HeaderMap, status: StatusCode, text: &[u8]) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_STATUS, HeaderValue::from(grpc_status(status)));
    if !text.is_empty()
        && let Ok(message) = HeaderValue::from_str(&escaped(text))
    {
        headers.insert(GRPC_MESSAGE, message);
    }
}

/// Says that the call's time has run out.
pub(super) fn tell_expired(headers: &mut HeaderMap) {
    const DEADLINE_EXCEEDED: u16 = 4;
    headers.insert(GRPC_STATUS, HeaderValue::from(DEADLINE_EXCEEDED));
}

/// The status of gRPC for one of HTTP (gRPC's own table).
pub(crate) fn grpc_status(status: StatusCode) -> u16 {
    const UNKNOWN: u16 = 2;
    const PERMISSION_DENIED: u16 = 7;
    const UNIMPLEMENTED: u16 = 12;
    const INTERNAL: u16 = 13;
    const UNAVAILABLE: u16 = 14;
    const UNAUTHENTICATED: u16 = 16;
    match status.as_u16() {
        400 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        429 | 502 | 503 | 504 => UNAVAILABLE,
        _ => UNKNOWN,
    }
}

/// A message with every byte escaped that may not stand in one.
fn escaped(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b' '..=b'~' if *byte != b'%' => out.push(char::from(*byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_grpc_is_grpc() {
        for (kind, is) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            let request = Request::builder().method("POST").header("content-type", kind).body(()).unwrap();
            assert_eq!(is_grpc(&request), is, "{kind}");
        }
    }

    #[test]
    fn messages_are_escaped() {
        let mut headers = HeaderMap::new();
        tell(&mut headers, StatusCode::SERVICE_UNAVAILABLE, "no 100% ü\n".as_bytes());
        assert_eq!(headers["grpc-status"], "14");
        assert_eq!(headers["grpc-message"], "no 100%25 %C3%BC%0A");
        assert_eq!(headers["content-type"], "application/grpc");
    }
}
