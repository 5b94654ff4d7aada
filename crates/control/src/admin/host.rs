//! Refuses requests that a web page could have sent: a foreign Host (DNS rebinding) or a foreign Origin.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Lets a request through if it was addressed to this machine by a loopback name.
pub(super) async fn refuse_foreign(request: Request, next: Next) -> Response {
    if is_local(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "the admin port answers to localhost, 127.0.0.1 and [::1] only\n").into_response()
    }
}

fn is_local(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(header::HOST).is_some_and(is_loopback);
    let origin = text(header::ORIGIN).is_none_or(|origin| {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(is_loopback)
    });
    host && origin
}

/// Whether `authority`, a name with or without a port, means this machine.
fn is_loopback(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(host: &'static str, origin: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        headers
    }

    #[test]
    fn loopback_names_are_let_through() {
        for host in ["localhost", "localhost:9901", "127.0.0.1:1", "[::1]:80", "[::1]", "LOCALHOST:80"] {
            assert!(is_local(&headers(host, None)), "{host}");
        }
        assert!(is_local(&headers("localhost:1", Some("http://localhost:1"))));
    }

    #[test]
    fn foreign_names_are_refused() {
        for host in
            ["example.com", "example.com:80", "10.0.0.1:80", "localhost.example.com", "127.0.0.1.example.com", ""]
        {
            assert!(!is_local(&headers(host, None)), "{host}");
        }
        assert!(!is_local(&headers("localhost", Some("https://example.com"))));
        assert!(!is_local(&headers("localhost", Some("null"))));
        assert!(!is_local(&HeaderMap::new()));
    }
}
