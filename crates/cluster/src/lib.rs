//! The embedded Kubernetes-style API server, and the node that runs pods.

#[allow(dead_code)]
pub mod controllers;
#[allow(dead_code)]
mod informer;
#[allow(dead_code, unused_imports)]
pub mod node;
pub mod patch;
pub mod schema;
#[allow(dead_code, unused_imports)]
pub mod subprocess;
