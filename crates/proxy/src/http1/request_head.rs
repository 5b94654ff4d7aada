//! The head of a request as bytes.

use http::header::{CONTENT_LENGTH, HOST, HeaderMap, TRAILER, TRANSFER_ENCODING};
use http::{HeaderName, Method};

/// How the end of a request's body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFraming {
    /// There is no body.
    Empty,
    /// So many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// Appends the head of a request to `out`. What `headers` say about the body's length is left out: `framing` says it.
pub fn encode_request_head(
    out: &mut Vec<u8>,
    method: &Method,
    target: &str,
    headers: &HeaderMap,
    framing: RequestFraming,
) {
    out.extend_from_slice(method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            encode_line(out, name, value.as_bytes());
        }
    }
    match framing {
        // A method that usually has a body says that this one has none (RFC 9110, 8.6).
        RequestFraming::Empty if expects_body(method) => out.extend_from_slice(b"content-length: 0\r\n"),
        RequestFraming::Empty => {}
        RequestFraming::Length(length) => {
            encode_line(out, &CONTENT_LENGTH, length.to_string().as_bytes());
        }
        RequestFraming::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
    }
    out.extend_from_slice(b"\r\n");
}

fn expects_body(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS | Method::CONNECT | Method::TRACE)
}

fn encode_line(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The line before a chunk of `length` bytes.
#[must_use]
pub fn encode_chunk_line(length: usize) -> Vec<u8> {
    format!("{length:x}\r\n").into_bytes()
}

/// What ends a chunked body: the last chunk, and `trailers`, without those that a trailer cannot be (RFC 9110, 6.5.1).
#[must_use]
pub fn encode_trailers(trailers: &HeaderMap) -> Vec<u8> {
    let mut out = b"0\r\n".to_vec();
    for (name, value) in trailers {
        if may_be_trailer(name) {
            encode_line(&mut out, name, value.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// Whether a header may come after the body: not if it says where the body ends or whom the message is for.
pub(super) fn may_be_trailer(name: &HeaderName) -> bool {
    ![CONTENT_LENGTH, TRANSFER_ENCODING, HOST, TRAILER].contains(name)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn head(method: Method, headers: &[(&'static str, &'static str)], framing: RequestFraming) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let mut out = Vec::new();
        encode_request_head(&mut out, &method, "/a?b", &headers, framing);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_framing_is_told_once_and_by_us() {
        let sent = [("host", "h"), ("content-length", "9"), ("transfer-encoding", "gzip"), ("x-a", "1"), ("x-a", "2")];
        assert_eq!(
            head(Method::GET, &sent, RequestFraming::Empty),
            "GET /a?b HTTP/1.1\r\nhost: h\r\nx-a: 1\r\nx-a: 2\r\n\r\n"
        );
        assert!(head(Method::POST, &sent, RequestFraming::Empty).ends_with("\r\ncontent-length: 0\r\n\r\n"));
        assert!(head(Method::GET, &sent, RequestFraming::Length(12)).ends_with("\r\ncontent-length: 12\r\n\r\n"));
        assert!(head(Method::PUT, &sent, RequestFraming::Chunked).ends_with("\r\ntransfer-encoding: chunked\r\n\r\n"));
    }

    #[test]
    fn trailers_do_not_say_how_long_the_body_was() {
        let trailers = [("x-sum", "1"), ("content-length", "4"), ("transfer-encoding", "x"), ("host", "h")]
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        assert_eq!(encode_trailers(&trailers), b"0\r\nx-sum: 1\r\n\r\n");
        assert_eq!(encode_chunk_line(0x1f), b"1f\r\n");
    }
}
