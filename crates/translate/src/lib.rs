//! A snapshot in, a `Proxy` and reports out. No I/O, no clock, no chance.
//!
//! * [`translate`] flattens VirtualServices and the tables they delegate to into what a data plane serves, with every
//!   invalid part replaced at the narrowest place it can be, and says on each resource what is wrong with it.
//! * [`choose`] decides what is served, given what was served: the translation, or the last good configuration.
//! * [`endpoints`] says where each cluster's requests can go right now.

mod access_log;
mod action;
mod buffer;
mod certificate;
mod circuit_breakers;
mod client_certificate;
mod closed;
mod compile;
mod connection;
mod connection_settings;
mod cors;
mod destination;
mod domain;
mod endpoints;
mod faults;
mod field_path;
mod flatten;
mod hashing;
mod header_changes;
mod health_check;
mod host;
mod host_policy;
mod http_settings;
mod internal_addresses;
mod known;
mod labels;
mod listener;
mod load_balancing;
mod log_filter;
mod matcher;
mod option_fault;
mod options;
mod outlier_detection;
mod overlap;
mod path;
mod pattern;
mod policy;
mod report;
mod retries;
mod rewrite;
mod route_policy;
mod selection;
pub mod serving;
mod shadowing;
pub mod slow_start;
mod snapshot;
mod stickiness;
mod tls;
mod translation;
mod upgrades;
mod upstream;
mod upstream_http2;
mod upstream_tls;
mod view;
mod weighted;

pub use certificate::CertificateAge;
pub use endpoints::endpoints;
pub use flatten::{MAX_DEPTH, MAX_ROUTES};
pub use pattern::PATTERN_SIZE_LIMIT;
pub use policy::InvalidPolicy;
pub use report::{Finding, Grade, Report, Reports};
pub use serving::{Served, ServedProxy, Standing, choose};
pub use snapshot::{
    Backend, CertificateFacts, CredentialFacts, Resource, Resources, Service, ServicePort, Snapshot, Unreadable,
};
pub use tls::credential_source;
pub use translation::{Translation, translate};
