//! What endpoints answer to health checks: read without harm, and well only where they say so.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use libfuzzer_sys::fuzz_target;
use serin_proxy::{has_all, says_serving};

fn said(status: Option<&[u8]>) -> HeaderMap {
    let value = status.and_then(|status| HeaderValue::from_bytes(status).ok());
    value.map(|value| (HeaderName::from_static("grpc-status"), value)).into_iter().collect()
}

fuzz_target!(|input: (u16, Option<&[u8]>, Option<&[u8]>, &[u8], Vec<Vec<u8>>)| {
    let (status, header, trailer, body, expected) = input;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    match says_serving(status, &said(header), &said(trailer), body) {
        Ok(()) => assert!(status == StatusCode::OK && body.get(5..7) == Some(&[8, 1][..])),
        Err(reason) => assert!(!reason.is_empty()),
    }
    let all = has_all(body, &expected);
    let length: usize = expected.iter().map(Vec::len).sum();
    assert!(!all || length <= body.len());
    // What comes later takes nothing back.
    assert!(!all || has_all(&[body, b"more"].concat(), &expected));
});
