//! A request's host, and its way through a router whose only route is random too.
#![no_main]

use http::{HeaderMap, HeaderValue, Method, Request};
use libfuzzer_sys::fuzz_target;
use serin_api::gateway::{HeaderMatcher, Matcher};
use serin_proxy::router::{HostIndex, RequestView, RouterBuilder, without_port};

fuzz_target!(|input: (&str, &str, &[u8], &[u8], u8)| {
    let (pattern, target, host, header, kind) = input;
    let Ok(host) = HeaderValue::from_bytes(host) else { return };
    let Ok(request) = Request::builder().uri(target).header("host", host).body(()) else { return };
    let Ok(authority) = serin_proxy::authority(&request) else { return };
    let authority = authority.unwrap_or_default();
    assert!(authority.starts_with(without_port(authority)));
    for strip in [false, true] {
        let index = HostIndex::new([(pattern, 0), ("*", 1)], strip);
        assert!(index.find(authority).is_some(), "* serves every host");
    }

    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(header) {
        headers.insert("x-a", value);
    }
    let text = Some(pattern.to_owned());
    let mut matcher = match kind % 3 {
        0 => Matcher { prefix: text, ..Matcher::default() },
        1 => Matcher { exact: text, ..Matcher::default() },
        _ => Matcher { regex: text, ..Matcher::default() },
    };
    matcher.case_sensitive = Some(kind & 4 == 0);
    if kind & 8 != 0 {
        matcher.headers = vec![HeaderMatcher {
            name: "x-a".into(),
            value: pattern.into(),
            regex: true,
            invert_match: kind & 16 != 0,
        }];
    }
    let mut router = RouterBuilder::default();
    if router.add(7, &matcher).is_err() {
        return;
    }
    let router = router.build();
    let path = request.uri().path();
    let view = RequestView {
        method: &Method::GET,
        path,
        query: request.uri().query(),
        authority: Some(authority),
        scheme: "http",
        headers: &headers,
    };
    let found = router.find(&view);
    if let (Some(prefix), true, true) = (&matcher.prefix, kind & 4 == 0, kind & 8 == 0) {
        assert_eq!(found.is_some(), path.starts_with(prefix));
    }
});
