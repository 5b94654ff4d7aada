//! What a route's options do to its requests, compiled so that nothing is parsed while serving. A route without options
//! has no policy and pays nothing.

mod cors;
mod faults;
mod header_changes;
mod host_policy;
mod host_rewrite;
mod path_rewrite;
mod request_hash;
mod retries;
mod shadow;

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use serin_api::proxy::{Connect, MaxStreamDuration, RequestBuffer, RoutePolicy};

use crate::compile::Destinations;
use crate::error::CompileError;
pub(crate) use cors::{CompiledCors, CorsRequest};
pub(crate) use faults::CompiledFaults;
pub(crate) use header_changes::CompiledHeaderChanges;
pub(crate) use host_policy::CompiledHostPolicy;
use host_rewrite::CompiledHostRewrite;
use path_rewrite::CompiledPathRewrite;
pub(crate) use request_hash::CompiledHash;
pub(crate) use retries::{CompiledRetries, NoResponse};
pub(crate) use shadow::CompiledShadow;

/// A route's compiled options.
#[derive(Debug)]
pub(crate) struct CompiledPolicy {
    path_rewrite: Option<CompiledPathRewrite>,
    host_rewrite: Option<CompiledHostRewrite>,
    /// With what its host says.
    cors: Option<CompiledCors>,
    headers: Option<CompiledHeaderChanges>,
    /// Those of its host.
    host: Option<Arc<CompiledHostPolicy>>,
    timeout: Option<Duration>,
    retries: Option<Arc<CompiledRetries>>,
    idle_timeout: Option<Duration>,
    max_stream: Option<Box<MaxStreamDuration>>,
    shadow: Option<Box<CompiledShadow>>,
    buffer: Option<RequestBuffer>,
    faults: Option<CompiledFaults>,
    websocket: bool,
    connect: Option<Connect>,
    hash: Option<CompiledHash>,
}

impl CompiledPolicy {
    /// Compiles `policy` of a route on a host with the options `host`.
    ///
    /// # Errors
    /// When a value cannot be served.
    pub(crate) fn new(policy: &RoutePolicy, host: Option<&Arc<CompiledHostPolicy>>) -> Result<Self, CompileError> {
        Ok(Self {
            path_rewrite: policy.path_rewrite.as_ref().map(CompiledPathRewrite::new).transpose()?,
            host_rewrite: policy
                .host_rewrite
                .as_ref()
                .map(|rewrite| CompiledHostRewrite::new(rewrite, policy.append_x_forwarded_host))
                .transpose()?,
            cors: CompiledCors::new(policy.cors.as_ref(), host.and_then(|host| host.cors.as_ref()))?,
            headers: policy.headers.as_ref().map(CompiledHeaderChanges::new).transpose()?,
            host: host.cloned(),
            timeout: policy.timeout.map(|timeout| timeout.0),
            idle_timeout: policy.idle_timeout.map(|timeout| timeout.0),
            max_stream: policy.max_stream_duration.map(Box::new),
            shadow: None,
            buffer: policy.buffer.or_else(|| host?.buffer),
            faults: policy.faults.as_ref().map(CompiledFaults::new).transpose()?,
            websocket: policy.websocket.unwrap_or(true),
            connect: policy.connect,
            hash: CompiledHash::new(&policy.hash)?,
            retries: policy.retries.as_ref().map(CompiledRetries::new).map(Arc::new),
        })
    }

    /// The same with `policy`'s copies, whose destination is among `destinations`.
    ///
    /// # Errors
    /// When their host cannot be sent.
    pub(crate) fn with_shadow(
        mut self,
        policy: &RoutePolicy,
        destinations: &mut Destinations,
    ) -> Result<Self, CompileError> {
        let shadow = policy.shadow.as_ref().map(|shadow| CompiledShadow::new(shadow, destinations)).transpose()?;
        self.shadow = shadow.map(Box::new);
        Ok(self)
    }

    /// Which requests are copied.
    pub(crate) fn shadow(&self) -> Option<&CompiledShadow> {
        self.shadow.as_deref()
    }

    /// Whether a request is held until it is whole, where the route or its host says so.
    pub(crate) fn buffer(&self) -> Option<RequestBuffer> {
        self.buffer
    }

    /// What browsers are told.
    pub(crate) fn cors(&self) -> Option<&CompiledCors> {
        self.cors.as_ref()
    }

    /// How headers change, in the order in which that happens.
    pub(crate) fn header_changes(&self) -> impl Iterator<Item = &CompiledHeaderChanges> {
        self.headers.iter().chain(self.host.iter().filter_map(|host| host.headers.as_ref()))
    }

    /// Changes a request that is forwarded, once it is made for an upstream. `prefix`: how much of the path the
    /// matcher's prefix covered; `named`: whether the endpoints have names.
    pub(crate) fn change_request<B>(&self, request: &mut Request<B>, prefix: Option<usize>, named: bool) {
        if let Some(rewrite) = &self.host_rewrite {
            let path = request.uri().path().to_owned();
            rewrite.apply(request.headers_mut(), &path, named);
        }
        // CONNECT has no path.
        if let Some(rewrite) = self.path_rewrite.as_ref().filter(|_| *request.method() != Method::CONNECT) {
            rewrite.apply(request.uri_mut(), prefix);
        }
    }

    /// Whether the name of the endpoint that is chosen becomes the host.
    pub(crate) fn takes_endpoints_name(&self) -> bool {
        self.host_rewrite.as_ref().is_some_and(CompiledHostRewrite::is_endpoints)
    }

    /// How long the upstream may take, where the route says so; zero is for ever.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// When a request is tried again, where the route says so, or else its host.
    pub(crate) fn retries(&self) -> Option<&Arc<CompiledRetries>> {
        self.retries.as_ref().or_else(|| self.host.as_ref()?.retries.as_ref())
    }

    /// Whether the upstream is told which try of a request it is.
    pub(crate) fn attempts_in_request(&self) -> bool {
        self.host.as_ref().is_some_and(|host| host.attempts_in_request)
    }

    /// Whether the client is told how many tries its request took.
    pub(crate) fn attempts_in_response(&self) -> bool {
        self.host.as_ref().is_some_and(|host| host.attempts_in_response)
    }

    /// How long a request may stand still, where the route says so.
    pub(crate) fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }

    /// How long a request may take from beginning to end, where the route says so.
    pub(crate) fn max_stream(&self) -> Option<&MaxStreamDuration> {
        self.max_stream.as_deref()
    }

    /// Faults that are made on purpose.
    pub(crate) fn faults(&self) -> Option<&CompiledFaults> {
        self.faults.as_ref()
    }

    /// What brings a request to the same endpoint as others like it, where the route says so.
    pub(crate) fn hash(&self) -> Option<&CompiledHash> {
        self.hash.as_ref()
    }

    /// How requests of CONNECT are carried, where they are.
    pub(crate) fn connect(&self) -> Option<Connect> {
        self.connect
    }

    /// Whether requests may go on in WebSocket.
    pub(crate) fn allows_websocket(&self) -> bool {
        self.websocket
    }
}
