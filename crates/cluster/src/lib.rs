//! The embedded Kubernetes-style API server, and the node that runs pods.

pub mod patch;
pub mod schema;
