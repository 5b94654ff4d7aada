//! The host that the upstream gets, where it is not the client's.

use bytes::{BufMut, BytesMut};
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use serin_api::proxy::{HostRewrite, Substitution};

use crate::error::CompileError;
use crate::substitution::CompiledSubstitution;

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// A compiled [`HostRewrite`].
#[derive(Debug)]
pub(super) struct CompiledHostRewrite {
    to: To,
    /// Whether the old host is appended to `x-forwarded-host`.
    append: bool,
}

#[derive(Debug)]
enum To {
    Literal(HeaderValue),
    /// Only known once an endpoint has been chosen.
    Endpoint,
    Header(HeaderName),
    Path(CompiledSubstitution),
}

impl CompiledHostRewrite {
    pub(super) fn new(rewrite: &HostRewrite, append: bool) -> Result<Self, CompileError> {
        let to = match rewrite {
            HostRewrite::Literal(host) => {
                To::Literal(HeaderValue::from_str(host).map_err(|_| CompileError::HeaderValue(host.clone()))?)
            }
            HostRewrite::Endpoint => To::Endpoint,
            HostRewrite::Header(name) => {
                To::Header(HeaderName::from_bytes(name.as_bytes()).map_err(|_| CompileError::HeaderName(name.clone()))?)
            }
            HostRewrite::Path(Substitution { pattern, substitution }) => {
                To::Path(CompiledSubstitution::new(pattern, substitution)?)
            }
        };
        Ok(Self { to, append })
    }

    /// Whether the endpoint's name becomes the host.
    pub(super) fn is_endpoints(&self) -> bool {
        matches!(self.to, To::Endpoint)
    }

    /// Changes Host. `path` is the client's, `named` whether the endpoints have names.
    pub(super) fn apply(&self, headers: &mut HeaderMap, path: &str, named: bool) {
        let host = match &self.to {
            To::Literal(host) => Some(host.clone()),
            To::Endpoint if named => None,
            To::Endpoint => return,
            To::Header(name) => match headers.get(name).filter(|value| !value.is_empty()) {
                Some(value) => Some(value.clone()),
                None => return,
            },
            To::Path(substitution) => match HeaderValue::try_from(substitution.apply(path)) {
                Ok(host) => Some(host),
                Err(_) => return,
            },
        };
        if self.append {
            append_forwarded_host(headers);
        }
        if let Some(host) = host {
            headers.insert(HOST, host);
        }
    }
}

/// Appends Host to `x-forwarded-host`, unless it was the last to be appended.
fn append_forwarded_host(headers: &mut HeaderMap) {
    let Some(host) = headers.get(HOST).cloned() else { return };
    let mut all = BytesMut::new();
    for value in headers.get_all(FORWARDED_HOST) {
        if !all.is_empty() {
            all.put_slice(b",");
        }
        all.put_slice(value.as_bytes());
    }
    let last = all.rsplit(|byte| *byte == b',').next().unwrap_or_default();
    if !all.is_empty() && last == host.as_bytes() {
        return;
    }
    if !all.is_empty() {
        all.put_slice(b",");
    }
    all.put_slice(host.as_bytes());
    if let Ok(value) = HeaderValue::from_maybe_shared(all.freeze()) {
        headers.insert(FORWARDED_HOST, value);
    }
}
