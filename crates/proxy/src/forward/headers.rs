//! Headers between client and upstream: what belongs to one connection is taken out.

use bytes::{BufMut, BytesMut};
use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderName, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderValue, Method, Request, Uri, Version};

use crate::front::is_told;
use crate::router::without_port;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Why a request's host was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// HTTP/1.1 without Host.
    Missing,
    /// More than one Host.
    Repeated,
    /// Not a host and port.
    Malformed,
}

/// The host that a request is for, as it was sent: from its target where that names one, else from Host.
///
/// # Errors
/// When it is missing though the protocol demands it, there are several, or it is not a host (RFC 9112, 3.2).
pub fn authority<B>(request: &Request<B>) -> Result<Option<&str>, HostError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(HostError::Repeated);
    }
    let text = match (request.uri().authority(), host) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) => host.to_str().map_err(|_| HostError::Malformed)?,
        (None, None) if request.version() == Version::HTTP_10 => return Ok(None),
        (None, None) => return Err(HostError::Missing),
    };
    if text.bytes().all(is_host_byte) { Ok(Some(text)) } else { Err(HostError::Malformed) }
}

/// Cuts the port off the host that a request is for, so that neither routes nor upstreams see it. Not for CONNECT, whose
/// target it is part of.
pub(crate) fn strip_port<B>(request: &mut Request<B>) {
    if *request.method() == Method::CONNECT {
        return;
    }
    if let Some(authority) = request.uri().authority() {
        let stripped = without_port(authority.as_str()).parse();
        let mut parts = request.uri().clone().into_parts();
        parts.authority = stripped.ok().or(parts.authority);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    } else if request.headers().get_all(HOST).iter().count() == 1
        && let Some(host) = request.headers().get(HOST).and_then(|host| host.to_str().ok())
        && let Ok(stripped) = HeaderValue::from_str(without_port(host))
        && stripped.len() < host.len()
    {
        request.headers_mut().insert(HOST, stripped);
    }
}

/// Bytes of a host name, an IP address in brackets, and a port.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'.' | b'-'
                | b':'
                | b'_'
                | b'['
                | b']'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

/// Which headers of one connection a message has, found in one pass.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    connection: bool,
    keep_alive: bool,
    proxy_connection: bool,
    te: bool,
    transfer_encoding: bool,
    upgrade: bool,
    expect: bool,
    cookies: bool,
}

impl Found {
    fn in_headers(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        for name in headers.keys() {
            match *name {
                CONNECTION => found.connection = true,
                TE => found.te = true,
                TRANSFER_ENCODING => found.transfer_encoding = true,
                UPGRADE => found.upgrade = true,
                EXPECT => found.expect = true,
                COOKIE => found.cookies = true,
                _ if *name == KEEP_ALIVE => found.keep_alive = true,
                _ if *name == PROXY_CONNECTION => found.proxy_connection = true,
                _ => {}
            }
        }
        found
    }

    fn strip(self, headers: &mut HeaderMap) {
        if self.connection {
            strip_named(headers);
            headers.remove(CONNECTION);
        }
        if self.keep_alive {
            headers.remove(KEEP_ALIVE);
        }
        if self.proxy_connection {
            headers.remove(PROXY_CONNECTION);
        }
        if self.transfer_encoding {
            headers.remove(TRANSFER_ENCODING);
        }
        if self.upgrade {
            headers.remove(UPGRADE);
        }
    }
}

/// Removes what Connection names. Host, the length and what upstreams are told are not the connection's, whatever it says.
fn strip_named(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| {
            ![HOST, CONTENT_LENGTH, TRANSFER_ENCODING, TE, UPGRADE, CONNECTION].contains(name) && !is_told(name)
        })
        .collect();
    for name in named {
        headers.remove(name);
    }
}

/// Whether a comma-separated header holds `token`, in any case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// The protocol that a client asks to switch to, if it is one to pass on. A switch of HTTP/1.1 to HTTP/2 is not: it would
/// carry requests past the router.
pub(crate) fn upgrade<B>(request: &Request<B>) -> Option<HeaderValue> {
    let wanted = request.headers().get(UPGRADE)?;
    if request.extensions().get::<hyper::ext::Protocol>().is_some() {
        return Some(wanted.clone());
    }
    let passes = request.version() == Version::HTTP_11
        && has_token(request.headers(), &CONNECTION, "upgrade")
        && !has_token(request.headers(), &UPGRADE, "h2c")
        && !has_token(request.headers(), &UPGRADE, "h2");
    passes.then(|| wanted.clone())
}

/// Makes a client's request one for an upstream.
pub(crate) fn to_upstream<B>(request: &mut Request<B>, upgrade: Option<HeaderValue>) {
    // The target names the host: it outranks Host, and the upstream gets a path.
    if request.uri().authority().is_some() {
        let host = request.uri().authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
        let path = request.uri().path_and_query().cloned();
        if let Some(host) = host {
            request.headers_mut().insert(HOST, host);
        }
        if let Some(path) = path {
            *request.uri_mut() = path.into();
        }
    }
    let one_cookie_a_line = request.version() == Version::HTTP_2;
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    let found = Found::in_headers(headers);
    found.strip(headers);
    if found.te {
        let trailers = has_token(headers, &TE, "trailers");
        headers.remove(TE);
        if trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
    }
    if found.expect {
        // The client is told to continue when its body is first read.
        headers.remove(EXPECT);
    }
    if found.cookies && one_cookie_a_line {
        join_cookies(headers);
    }
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol);
    }
}

/// Takes an upstream's connection headers out of its response.
pub(crate) fn to_client(headers: &mut HeaderMap) {
    Found::in_headers(headers).strip(headers);
}

/// HTTP/2 may send cookies one by one; HTTP/1.1 has them on one line (RFC 9113, 8.2.3). No cookies are no line.
fn join_cookies(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(COOKIE).iter();
    if lines.next().is_some_and(|first| !first.is_empty()) && lines.next().is_none() {
        return;
    }
    let mut all = BytesMut::new();
    for value in headers.get_all(COOKIE) {
        if !all.is_empty() {
            all.put_slice(b"; ");
        }
        all.put_slice(value.as_bytes());
    }
    match HeaderValue::from_maybe_shared(all.freeze()) {
        Ok(value) if !value.is_empty() => headers.insert(COOKIE, value),
        _ => headers.remove(COOKIE),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn the_host_is_the_targets_or_the_headers_and_only_one() {
        assert_eq!(authority(&request("/", &[("host", "a:80")])), Ok(Some("a:80")));
        assert_eq!(authority(&request("http://b/x", &[("host", "a")])), Ok(Some("b")));
        assert_eq!(authority(&request("/", &[])), Err(HostError::Missing));
        assert_eq!(authority(&request("/", &[("host", "a"), ("host", "a")])), Err(HostError::Repeated));
        for bad in ["a b", "a/b", "u@a", "a\"", "a?b", "a#b"] {
            assert_eq!(authority(&request("/", &[("host", bad)])), Err(HostError::Malformed), "{bad}");
        }
        assert_eq!(authority(&request("http://u@b/x", &[])), Err(HostError::Malformed));
    }

    #[test]
    fn headers_of_the_connection_go_but_never_the_length_or_the_host() {
        let mut headers = request(
            "/",
            &[
                ("connection", "close, X-Gone, Host, content-length"),
                ("keep-alive", "5"),
                ("proxy-connection", "x"),
                ("x-gone", "1"),
                ("x-stays", "1"),
                ("content-length", "3"),
                ("host", "h"),
                ("upgrade", "x"),
            ],
        )
        .headers()
        .clone();
        to_client(&mut headers);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "host", "x-stays"]);
    }

    #[test]
    fn a_port_is_cut_off_wherever_the_host_is() {
        let mut plain = request("/", &[("host", "a.com:8080")]);
        strip_port(&mut plain);
        assert_eq!(authority(&plain), Ok(Some("a.com")));
        let mut absolute = request("http://a.com:80/x?y", &[("host", "b")]);
        strip_port(&mut absolute);
        assert_eq!(absolute.uri(), "http://a.com/x?y");
        let mut repeated = request("/", &[("host", "a:1"), ("host", "a:1")]);
        strip_port(&mut repeated);
        assert_eq!(authority(&repeated), Err(HostError::Repeated));
    }

    #[test]
    fn only_a_complete_upgrade_passes() {
        assert!(upgrade(&request("/", &[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")])).is_some());
        assert!(upgrade(&request("/", &[("upgrade", "websocket")])).is_none());
        assert!(upgrade(&request("/", &[("connection", "upgrade"), ("upgrade", "H2C")])).is_none());
        assert!(upgrade(&request("/", &[("connection", "upgrade"), ("upgrade", "foo, h2c")])).is_none());
    }

    #[test]
    fn cookies_become_one_line() {
        let mut headers = request("/", &[("cookie", "a=1"), ("cookie", "b=2")]).headers().clone();
        join_cookies(&mut headers);
        assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    }
}
