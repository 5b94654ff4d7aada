//! Requests that hyper lets through and a strict proxy refuses, by what they ask and not by how they are spelt.

use http::uri::{Authority, Scheme};
use http::{Method, Request, StatusCode, Version};
use memchr::memchr;

/// Why a request is refused: a status and a text.
type Refusal = (StatusCode, &'static str);

const BAD_REQUEST: Refusal = (StatusCode::BAD_REQUEST, "");

/// Methods of HTTP/1.1 beside those that [`Method`] has names for. Others are refused, as Envoy does it.
const METHODS: [&str; 25] = [
    "ACL",
    "BIND",
    "CHECKOUT",
    "COPY",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "MSEARCH",
    "NOTIFY",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
];

/// Refuses a target, a method or a scheme that no upstream should see. `uri_bytes`: the longest target.
pub(super) fn check<B>(request: &Request<B>, uri_bytes: usize) -> Result<(), Refusal> {
    let (method, uri) = (request.method(), request.uri());
    if request.version() <= Version::HTTP_11 {
        if !is_known(method) {
            return Err(BAD_REQUEST);
        }
    } else if request.headers().keys().any(|name| memchr(b'"', name.as_str().as_bytes()).is_some()) {
        // Not a token, though the library takes it for one in HTTP/2.
        return Err(BAD_REQUEST);
    }
    // CONNECT names a host and nothing else (RFC 9112, 3.2.3).
    let bare = uri.scheme().is_none() && uri.authority().is_some() && uri.path_and_query().is_none();
    if *method == Method::CONNECT && !bare {
        return Err(BAD_REQUEST);
    }
    match (uri.scheme(), uri.authority()) {
        (Some(scheme), _) if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS => return Err(BAD_REQUEST),
        // A host alone is a target for CONNECT only (RFC 9112, 3.2.3).
        (None, Some(_)) if *method != Method::CONNECT => return Err(BAD_REQUEST),
        (_, Some(authority)) if authority.host().is_empty() || !has_port(authority) => return Err(BAD_REQUEST),
        _ => {}
    }
    let Some(target) = uri.path_and_query().map(|target| target.as_str()) else { return Ok(()) };
    if target.len() > uri_bytes {
        return Err((StatusCode::URI_TOO_LONG, ""));
    }
    match target.as_bytes().first() {
        Some(b'/') | None => Ok(()),
        // The server as a whole (RFC 9112, 3.2.4).
        Some(b'*') if target.len() == 1 && *method == Method::OPTIONS => Ok(()),
        // What follows the host of an absolute target: `http://host?query`.
        Some(b'?') if request.version() <= Version::HTTP_11 && uri.authority().is_some() => Ok(()),
        Some(_) => Err(BAD_REQUEST),
    }
}

/// Whether a port, where one is written, is one.
fn has_port(authority: &Authority) -> bool {
    let written = authority.as_str().rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.contains(']'));
    !written || authority.port_u16().is_some()
}

fn is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::POST
            | Method::PUT
            | Method::DELETE
            | Method::HEAD
            | Method::OPTIONS
            | Method::CONNECT
            | Method::PATCH
            | Method::TRACE
    ) || METHODS.contains(&method.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &str, target: &str, version: Version) -> Option<u16> {
        let request = Request::builder().method(method).uri(target).version(version).body(()).unwrap();
        check(&request, 20).err().map(|(status, _)| status.as_u16())
    }

    #[test]
    fn targets_methods_and_schemes_are_those_of_http() {
        for (method, target) in
            [("GET", "/"), ("PROPFIND", "/a"), ("GET", "http://h/a"), ("GET", "http://h"), ("OPTIONS", "*")]
        {
            assert_eq!(refused(method, target, Version::HTTP_11), None, "{method} {target}");
        }
        for (method, target) in
            [("get", "/"), ("FOO", "/"), ("GET", "h"), ("GET", "*"), ("GET", "ftp://h/a"), ("GET", "http://h:99999/")]
        {
            assert_eq!(refused(method, target, Version::HTTP_11), Some(400), "{method} {target}");
        }
        assert_eq!(refused("CONNECT", "h:1", Version::HTTP_11), None);
        assert_eq!(refused("FOO", "/", Version::HTTP_2), None);
        assert_eq!(refused("GET", "/23456789012345678901", Version::HTTP_11), Some(414));
    }
}
