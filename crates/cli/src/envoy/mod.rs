//! An Envoy on this machine: which program it is, and keeping it running beside the gateway.

mod beside;
mod program;

pub(crate) use beside::{Beside, EnvoyInstance};
pub(crate) use program::Program;
