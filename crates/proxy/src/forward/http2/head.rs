//! The head and the trailers of a request as HTTP/2 has them.

use h2::ext::Protocol;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

/// Headers that belong to a connection of HTTP/1.1 and must not be sent.
const OF_CONNECTION: [HeaderName; 6] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HOST,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// What HTTP/2 sends besides the body.
pub(in crate::forward) struct Http2Request {
    head: Request<()>,
    /// What comes after the body, once that is known.
    pub(in crate::forward) trailers: Option<HeaderMap>,
    /// Whether the end has been sent.
    pub(in crate::forward) ended: bool,
    /// Whether it asks for another protocol, for which its stream stays open.
    pub(in crate::forward) switches: bool,
}

impl Http2Request {
    /// The head is that of `parts`, whose headers are taken. `scheme`: what the client speaks.
    pub(in crate::forward) fn new(parts: &mut Parts, scheme: Scheme) -> Self {
        let mut headers = std::mem::take(&mut parts.headers);
        let host = headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
        for name in OF_CONNECTION {
            headers.remove(name);
        }
        if headers.get(TE).is_some_and(|te| te != "trailers") {
            headers.remove(TE);
        }
        let mut uri = http::uri::Parts::default();
        // CONNECT has neither scheme nor path (RFC 9113, 8.5).
        let plain = parts.method != Method::CONNECT;
        uri.scheme = plain.then_some(scheme);
        uri.authority = Some(host.unwrap_or_else(|| Authority::from_static("localhost")));
        uri.path_and_query = parts.uri.path_and_query().cloned();
        let mut head = Request::new(());
        *head.method_mut() = parts.method.clone();
        let protocol = parts.extensions.remove::<Protocol>();
        let switches = protocol.is_some() || parts.method == Method::CONNECT;
        if let Some(protocol) = protocol {
            *head.method_mut() = Method::CONNECT;
            head.extensions_mut().insert(protocol);
            headers.remove(CONTENT_LENGTH);
        }
        *head.version_mut() = Version::HTTP_2;
        *head.uri_mut() = Uri::from_parts(uri).unwrap_or_else(|_| parts.uri.clone());
        *head.headers_mut() = headers;
        Self { head, trailers: None, ended: false, switches }
    }

    /// Whether it asks for another protocol by extended CONNECT.
    pub(in crate::forward) fn is_extended_connect(&self) -> bool {
        self.head.extensions().get::<Protocol>().is_some()
    }

    /// The head, to be sent; it may be sent again.
    pub(in crate::forward) fn head(&self) -> Request<()> {
        self.head.clone()
    }

    /// Sends `value` in place of what the head says of `name`.
    pub(in crate::forward) fn set_header(&mut self, name: &HeaderName, value: &HeaderValue) {
        if *name != HOST {
            self.head.headers_mut().insert(name, value.clone());
        } else if let Ok(authority) = Authority::try_from(value.as_bytes()) {
            let mut parts = self.head.uri().clone().into_parts();
            parts.authority = Some(authority);
            if let Ok(uri) = Uri::from_parts(parts) {
                *self.head.uri_mut() = uri;
            }
        }
    }

    /// What comes after the body, without what may not come there.
    pub(in crate::forward) fn set_trailers(&mut self, mut trailers: HeaderMap) {
        for name in OF_CONNECTION.into_iter().chain([CONTENT_LENGTH, TRAILER, TE]) {
            trailers.remove(name);
        }
        self.trailers = (!trailers.is_empty()).then_some(trailers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_the_authority_and_nothing_of_the_connection_is_left() {
        let request = Request::builder()
            .uri("/a?b")
            .header("host", "h:1")
            .header("te", "gzip")
            .header("connection", "x")
            .header("x-kept", "1");
        let mut made = Http2Request::new(&mut request.body(()).unwrap().into_parts().0, Scheme::HTTP);
        assert_eq!(made.head().uri(), "http://h:1/a?b");
        assert_eq!(made.head().headers().keys().collect::<Vec<_>>(), ["x-kept"]);
        made.set_header(&HOST, &HeaderValue::from_static("other"));
        assert_eq!(made.head().uri(), "http://other/a?b");
        made.set_trailers([(CONTENT_LENGTH, HeaderValue::from_static("1"))].into_iter().collect());
        assert_eq!(made.trailers, None);
    }
}
