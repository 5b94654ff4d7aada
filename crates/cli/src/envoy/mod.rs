//! Envoys: the discovery servers that feed them, and the one on this machine, kept running beside the gateway.

mod beside;
pub(crate) mod discovery;
mod program;

pub(crate) use beside::{Beside, EnvoyInstance, NODE};
pub(crate) use program::Program;

/// What every Envoy of the gateway is one of: the name of its `Proxy`.
pub(crate) const CLUSTER: &str = "gateway-proxy";
