//! What a virtual host's options do to the requests of all its routes.

use serin_api::proxy::{CorsPolicy, HostPolicy};

use super::CompiledHeaderChanges;
use crate::error::CompileError;

/// A host's compiled options.
#[derive(Debug)]
pub(crate) struct CompiledHostPolicy {
    pub(super) cors: Option<CorsPolicy>,
    pub(super) headers: Option<CompiledHeaderChanges>,
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
        })
    }
}
