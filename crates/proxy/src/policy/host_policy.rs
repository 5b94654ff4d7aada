//! What a virtual host's options do to the requests of all its routes.

use std::sync::Arc;

use serin_api::proxy::{CorsPolicy, HostPolicy, RequestBuffer};

use super::{CompiledHeaderChanges, CompiledRetries};
use crate::error::CompileError;

/// A host's compiled options.
#[derive(Debug)]
pub(crate) struct CompiledHostPolicy {
    pub(super) cors: Option<CorsPolicy>,
    pub(super) headers: Option<CompiledHeaderChanges>,
    pub(super) buffer: Option<RequestBuffer>,
    pub(super) retries: Option<Arc<CompiledRetries>>,
    pub(super) attempts_in_request: bool,
    pub(super) attempts_in_response: bool,
}

impl CompiledHostPolicy {
    /// Compiles `policy`.
    ///
    /// # Errors
    /// When a value cannot be served.
    pub(crate) fn new(policy: &HostPolicy) -> Result<Self, CompileError> {
        Ok(Self {
            cors: policy.cors.clone(),
            headers: policy.headers.as_ref().map(CompiledHeaderChanges::new).transpose()?,
            buffer: policy.buffer,
            retries: policy.retries.as_ref().map(CompiledRetries::new).map(Arc::new),
            attempts_in_request: policy.attempts_in_request,
            attempts_in_response: policy.attempts_in_response,
        })
    }
}
