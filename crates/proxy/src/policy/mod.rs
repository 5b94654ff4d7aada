//! What a route's options do to its requests, compiled so that nothing is parsed while serving. A route without options
//! has no policy and pays nothing.

mod path_rewrite;

use std::time::Duration;

use http::Uri;
use serin_api::proxy::RoutePolicy;

use crate::error::CompileError;
use path_rewrite::CompiledPathRewrite;

/// A route's compiled options.
#[derive(Debug)]
pub(crate) struct CompiledPolicy {
    path_rewrite: Option<CompiledPathRewrite>,
    timeout: Option<Duration>,
}

impl CompiledPolicy {
    /// Compiles `policy`.
    ///
    /// # Errors
    /// When a value cannot be served.
    pub(crate) fn new(policy: &RoutePolicy) -> Result<Self, CompileError> {
        Ok(Self {
            path_rewrite: policy.path_rewrite.as_ref().map(CompiledPathRewrite::new).transpose()?,
            timeout: policy.timeout.map(|timeout| timeout.0),
        })
    }

    /// Changes the target of a request that is forwarded. `prefix`: how much of the path the matcher's prefix covered.
    pub(crate) fn rewrite_path(&self, uri: &mut Uri, prefix: Option<usize>) {
        if let Some(rewrite) = &self.path_rewrite {
            rewrite.apply(uri, prefix);
        }
    }

    /// How long the upstream may take, where the route says so; zero is for ever.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}
