//! Cross-origin requests: the answers to browsers' preflight requests, and what responses tell them.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName, HeaderValue, ORIGIN,
};
use http::{Method, Request};
use serin_api::proxy::{CorsPolicy, OriginMatch};

use crate::error::CompileError;
use crate::router::Pattern;

/// A compiled [`CorsPolicy`], with what the virtual host says where the route is silent.
#[derive(Debug)]
pub(crate) struct CompiledCors {
    origins: Box<[Origin]>,
    allow_methods: Option<HeaderValue>,
    allow_headers: Option<HeaderValue>,
    expose_headers: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    allow_credentials: bool,
}

#[derive(Debug)]
enum Origin {
    Any,
    Exact(Box<[u8]>),
    Regex(Pattern),
}

/// What a request is to cross-origin rules.
pub(crate) enum CorsRequest {
    /// Nothing special.
    Plain,
    /// One of a page of this origin, which may read the response.
    Allowed(HeaderValue),
    /// A browser's question whether such a page may send a request; these headers are the answer.
    Preflight(HeaderMap),
}

impl CompiledCors {
    /// Compiles the policies of a route and of its host; `None` where neither, or the route, wants any.
    ///
    /// # Errors
    /// When a value cannot be served.
    pub(super) fn new(route: Option<&CorsPolicy>, host: Option<&CorsPolicy>) -> Result<Option<Self>, CompileError> {
        let Some(first) = route.or(host) else { return Ok(None) };
        // A host's policy is not switched off: only a route's can be.
        if route.is_some_and(|route| route.disabled) {
            return Ok(None);
        }
        let levels = [Some(first), route.and(host)];
        let origins = levels.iter().flatten().map(|policy| &policy.allow_origins).find(|origins| !origins.is_empty());
        let value = |field: fn(&CorsPolicy) -> &String| {
            let text = levels.iter().flatten().map(|policy| field(policy)).find(|text| !text.is_empty());
            text.map(|text| HeaderValue::from_str(text).map_err(|_| CompileError::HeaderValue(text.clone())))
                .transpose()
        };
        Ok(Some(Self {
            origins: origins.into_iter().flatten().map(Origin::new).collect::<Result<_, _>>()?,
            allow_methods: value(|policy| &policy.allow_methods)?,
            allow_headers: value(|policy| &policy.allow_headers)?,
            expose_headers: value(|policy| &policy.expose_headers)?,
            max_age: value(|policy| &policy.max_age)?,
            allow_credentials: levels.iter().flatten().any(|policy| policy.allow_credentials),
        }))
    }

    /// Looks at a request that is to be forwarded.
    pub(crate) fn look_at<B>(&self, request: &Request<B>) -> CorsRequest {
        let Some(origin) = request.headers().get(ORIGIN).filter(|origin| !origin.is_empty()) else {
            return CorsRequest::Plain;
        };
        if !self.origins.iter().any(|known| known.matches(origin.as_bytes())) {
            return CorsRequest::Plain;
        }
        let asks = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD).is_some_and(|method| !method.is_empty());
        if *request.method() != Method::OPTIONS || !asks {
            return CorsRequest::Allowed(origin.clone());
        }
        let mut headers = HeaderMap::new();
        self.allow(&mut headers, origin);
        let asked = |name, allowed| asked_for(request.headers(), name, allowed);
        let methods = asked(ACCESS_CONTROL_REQUEST_METHOD, self.allow_methods.as_ref());
        set(&mut headers, ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = asked(ACCESS_CONTROL_REQUEST_HEADERS, self.allow_headers.as_ref());
        set(&mut headers, ACCESS_CONTROL_ALLOW_HEADERS, names);
        set(&mut headers, ACCESS_CONTROL_MAX_AGE, self.max_age.as_ref());
        CorsRequest::Preflight(headers)
    }

    /// Tells the browser that a page of `origin` may read the response.
    pub(crate) fn allow(&self, headers: &mut HeaderMap, origin: &HeaderValue) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.allow_credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        set(headers, ACCESS_CONTROL_EXPOSE_HEADERS, self.expose_headers.as_ref());
    }
}

impl Origin {
    fn new(origin: &OriginMatch) -> Result<Self, CompileError> {
        Ok(match origin {
            OriginMatch::Exact(any) if any == "*" => Self::Any,
            OriginMatch::Exact(origin) => Self::Exact(origin.as_bytes().into()),
            OriginMatch::Regex(pattern) => Self::Regex(
                Pattern::new(pattern).map_err(|error| CompileError::Pattern { pattern: pattern.clone(), error })?,
            ),
        })
    }

    fn matches(&self, origin: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(known) => **known == *origin,
            // Envoy asks every test whether it would take the any-origin too.
            Self::Regex(pattern) => pattern.matches(origin) || pattern.matches(b"*"),
        }
    }
}

/// What is allowed. Where that is anything, what the browser asks for is named, which all browsers understand.
fn asked_for<'a>(
    headers: &'a HeaderMap,
    name: HeaderName,
    allowed: Option<&'a HeaderValue>,
) -> Option<&'a HeaderValue> {
    match allowed {
        Some(any) if any == "*" => headers.get(name),
        allowed => allowed,
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<&HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value.clone());
    }
}
