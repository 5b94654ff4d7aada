//! A [`ProxySpec`](serin_api::proxy::ProxySpec) as Envoy resources, and the server that hands them out.
//!
//! The translation is pure and decides nothing about routes: what the flattened model says, Envoy is told in its own terms.
//! Every type of the model is taken apart field by field, so that a field that is added there cannot be forgotten here.
//!
//! A [`Snapshot`] holds all resources of one configuration, each with a version of its own. A [`DiscoveryServer`] hands the
//! current one to every Envoy that connects, over one stream (ADS), state-of-the-world or delta, and remembers per node
//! what was accepted and what was refused. A [`Feed`] keeps what one route did wrong from holding up all others.

mod access_log;
pub mod bootstrap;
mod buffer;
mod circuit_breakers;
mod client_certificate;
mod client_checks;
mod cluster;
mod connection_manager;
mod cors;
mod endpoint;
mod faults;
mod header_changes;
mod health_check;
mod https;
mod listener;
mod log_filter;
mod matcher;
mod outlier_detection;
mod policy;
mod protobuf;
mod refusals;
mod request_hash;
mod retries;
mod route;
mod secret;
mod server;
mod shadow;
mod slow_start;
mod snapshot;
mod stickiness;
mod transport;
mod untranslated;

pub use listener::ListenerAddresses;
pub use refusals::{Complaint, Feed, Replacement};
pub use secret::{SecretMap, SecretText};
pub use server::{DiscoveryServer, NodeStatus, Refusal, ServerIdentity};
pub use snapshot::{Resource, ResourceType, Snapshot};
pub use untranslated::{UNTRANSLATED, Untranslated};
