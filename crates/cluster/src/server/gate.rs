//! Who may ask: clients with the administrator's certificate, that are not a web page.
//!
//! A page in a browser could reach a loopback port, under a name of its own that resolves to 127.0.0.1 (DNS rebinding) or
//! across origins. Neither gets an answer: the `Host` must be one of ours, and a foreign `Origin` is refused.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use http::Request;
use http::header::{HOST, ORIGIN};

use crate::rest::ApiError;

/// Names under which the server may be addressed, besides loopback addresses.
const NAMES: [&str; 5] =
    ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"];

/// Lets a request in, or says why not.
pub(super) fn admit(address: SocketAddr, authenticated: bool, request: &Request<Body>) -> Result<(), ApiError> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"));
    let host = request.uri().authority().map(http::uri::Authority::as_str).or_else(|| header(HOST)).unwrap_or_default();
    if !is_ours(host) || header(HOST).is_some_and(|host| !is_ours(host)) {
        let message = format!("forbidden: the host \"{host}\" is not this server; use https://{address}");
        return Err(ApiError::new(403, "Forbidden", message));
    }
    if let Some(origin) = header(ORIGIN) {
        let ours =
            origin.strip_prefix("https://").is_some_and(|host| is_ours(host) && port_of(host) == Some(address.port()));
        if !ours {
            return Err(ApiError::new(
                403,
                "Forbidden",
                format!("forbidden: requests from the origin \"{origin}\" are refused"),
            ));
        }
    }
    if !authenticated {
        return Err(ApiError::new(401, "Unauthorized", "Unauthorized"));
    }
    Ok(())
}

fn port_of(host: &str) -> Option<u16> {
    host.rsplit_once(':').and_then(|(_, port)| port.parse().ok())
}

/// Whether a `Host` names this server.
pub(super) fn is_ours(host: &str) -> bool {
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = without_port.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) || NAMES.iter().any(|name| name.eq_ignore_ascii_case(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_ours() {
        for host in
            ["127.0.0.1:6443", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:6443", "[::1]", "kubernetes.default.svc"]
        {
            assert!(is_ours(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1:6443",
            "localhost.evil:6443",
            "0.0.0.0",
            "127.0.0.1@evil",
        ] {
            assert!(!is_ours(host), "{host}");
        }
    }
}
