//! What a listener does to every request before any route sees it, and to every response: its connection manager's
//! settings, compiled.

mod client_certificate;
mod forwarded;
mod path;

use http::header::{HOST, HeaderMap, HeaderName, SERVER, VIA};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Uri, Version};
use serin_api::proxy::{ConnectionSettings, Http1Settings, HttpSettings, Underscores};

use crate::worker::ConnectionState;

pub(crate) use forwarded::{is_told, request_id};
pub use path::{ResolvedPath, resolve_path};

/// A listener's settings, compiled.
#[derive(Debug)]
pub(crate) struct Front {
    settings: HttpSettings,
    server: Option<(HeaderValue, bool)>,
    via: Option<HeaderValue>,
}

/// A request that comes no further.
pub(crate) enum Turned {
    /// It is refused.
    Refused,
    /// It is of a version that is not spoken.
    TooOld,
    /// Its path is another one.
    Redirect(HeaderValue),
}

impl Front {
    pub(crate) fn new(settings: &HttpSettings) -> Self {
        let value = |text: &String| HeaderValue::from_str(text).ok();
        Self {
            server: settings.server.as_ref().and_then(|server| Some((value(&server.name)?, server.overwrite))),
            via: settings.via.as_ref().and_then(value),
            settings: settings.clone(),
        }
    }

    /// What a client's connection may use.
    pub(crate) fn connections(&self) -> &ConnectionSettings {
        &self.settings.connections
    }

    /// Makes a client's request what routes see and upstreams get.
    ///
    /// # Errors
    /// When it comes no further.
    pub(crate) fn receive<B>(
        &self,
        request: &mut Request<B>,
        connection: &ConnectionState,
        random: &mut fastrand::Rng,
    ) -> Result<(), Turned> {
        if request.version() == Version::HTTP_10 {
            self.screen_version(request)?;
        }
        if self.settings.underscores != Underscores::Allow {
            self.screen_names(request.headers_mut())?;
        }
        if *request.method() != Method::CONNECT {
            self.resolve_path(request)?;
        }
        let internal = self.settings.internal.as_deref();
        forwarded::tell(&self.settings.forwarded, internal, request.headers_mut(), connection, random);
        client_certificate::tell(self.settings.client_certificate, request.headers_mut(), connection);
        if let Some(via) = &self.via {
            append(request.headers_mut(), VIA, via, b", ");
        }
        Ok(())
    }

    /// Makes a response what clients get.
    pub(crate) fn send(&self, headers: &mut HeaderMap) {
        match &self.server {
            Some((name, overwrite)) if *overwrite || !headers.contains_key(SERVER) => {
                headers.insert(SERVER, name.clone());
            }
            _ => {}
        }
        if let Some(via) = &self.via {
            append(headers, VIA, via, b", ");
        }
    }

    /// `http` or `https`, as the client spoke it: to the proxy in front of this one, where that is believed.
    pub(crate) fn scheme(&self, headers: &HeaderMap, connection: &ConnectionState) -> &'static str {
        let forwarded = &self.settings.forwarded;
        if forwarded.use_remote_address && forwarded.trusted_hops == 0 {
            return connection.scheme();
        }
        forwarded::scheme(headers).unwrap_or_else(|| connection.scheme())
    }

    /// Who the client is, where that is not whoever connected.
    pub(crate) fn client(&self, headers: &HeaderMap) -> Option<std::net::IpAddr> {
        forwarded::client(&self.settings.forwarded, headers)
    }

    /// Whether HTTP/1.0 is served, and for which host where the request names none.
    fn screen_version<B>(&self, request: &mut Request<B>) -> Result<(), Turned> {
        let Http1Settings { accept_http10, default_host, proper_case: _ } = &self.settings.connections.http1;
        if *accept_http10 == Some(false) {
            return Err(Turned::TooOld);
        }
        if request.uri().authority().is_some() || request.headers().contains_key(HOST) {
            return Ok(());
        }
        match default_host.as_ref().and_then(|host| HeaderValue::from_str(host).ok()) {
            Some(host) => {
                request.headers_mut().insert(HOST, host);
                Ok(())
            }
            // An Envoy that is told to serve HTTP/1.0 wants a host.
            None if *accept_http10 == Some(true) => Err(Turned::Refused),
            None => Ok(()),
        }
    }

    /// Bytes of a request's body up to which it is held until it is whole, where nothing narrower says otherwise.
    pub(crate) fn buffer(&self) -> Option<u32> {
        self.settings.buffer
    }

    /// Whether no `x-envoy-` headers are added.
    pub(crate) fn suppresses_envoy_headers(&self) -> bool {
        self.settings.suppress_envoy_headers
    }

    fn screen_names(&self, headers: &mut HeaderMap) -> Result<(), Turned> {
        let named = |name: &HeaderName| name.as_str().contains('_');
        let found: Vec<HeaderName> = headers.keys().filter(|name| named(name)).cloned().collect();
        if !found.is_empty() && self.settings.underscores == Underscores::Reject {
            return Err(Turned::Refused);
        }
        for name in found {
            headers.remove(name);
        }
        Ok(())
    }

    fn resolve_path<B>(&self, request: &mut Request<B>) -> Result<(), Turned> {
        let uri = request.uri();
        let (path, turn) = match resolve_path(self.settings.paths, uri.path()) {
            ResolvedPath::Same => return Ok(()),
            ResolvedPath::Refused => return Err(Turned::Refused),
            ResolvedPath::Redirect(path) => (path, true),
            ResolvedPath::Other(path) => (path, false),
        };
        let target = match uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        if turn {
            return Err(HeaderValue::try_from(target).map_or(Turned::Refused, Turned::Redirect));
        }
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(target).map_err(|_| Turned::Refused)?);
        *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Turned::Refused)?;
        Ok(())
    }
}

/// Appends to a header that is a list, and makes one value of all.
fn append(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue, comma: &[u8]) {
    let mut all = Vec::new();
    for value in headers.get_all(&name).iter().chain([value]) {
        if !all.is_empty() {
            all.extend_from_slice(comma);
        }
        all.extend_from_slice(value.as_bytes());
    }
    if let Ok(all) = HeaderValue::from_maybe_shared(bytes::Bytes::from(all)) {
        headers.insert(name, all);
    }
}
