//! The flattened model: what a data plane serves, with every reference resolved.
//!
//! A [`ProxySpec`] is what the translator makes of a snapshot and what each data plane is handed: listeners, the
//! virtual hosts on them, their routes in order, and the clusters that the routes name. Which endpoints a cluster has
//! is kept apart ([`EndpointMap`]), because endpoints follow the cluster even while the configuration is frozen.

mod access_log;
mod circuit_breakers;
mod client_certificate;
mod cluster;
mod connection_settings;
mod cors;
mod endpoint;
mod faults;
mod header_changes;
mod health_check;
mod http_settings;
mod listener;
mod log_filter;
mod outlier_detection;
mod policy;
mod request_hash;
mod retries;
mod route;
mod shadow;
mod slow_start;
mod stickiness;
mod tls;
mod transport;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use access_log::{AccessLog, AccessLogFormat};
pub use circuit_breakers::CircuitBreakers;
pub use client_certificate::{ClientCertificateDetails, ClientCertificateHeader, ClientCertificateSettings};
pub use cluster::{Cluster, ClusterName, EndpointSource, LoadBalancing, SubsetFallback, Subsets};
pub use connection_settings::{Codec, ConnectionSettings, Http1Settings, Http2Settings};
pub use cors::{CorsPolicy, OriginMatch};
pub use endpoint::{Endpoint, EndpointMap};
pub use faults::{Abort, Delay, Faults};
pub use header_changes::{AddedHeader, HeaderChanges, HeaderEdits};
pub use health_check::{HealthCheck, HttpQuestion, Question};
pub use http_settings::{
    AddressRange, EscapedSlashes, ForwardedSettings, HttpSettings, PathSettings, RequestIds, ServerHeader, Underscores,
};
pub use listener::{Listener, VirtualHost};
pub use log_filter::{LogComparison, LogFilter, LogHeaderTest, LogSample, LogValueTest};
pub use outlier_detection::{LocalOrigin, OutlierDetection};
pub use policy::{
    Connect, HostPolicy, HostRewrite, MaxStreamDuration, PathRewrite, RequestBuffer, RoutePolicy, Substitution,
};
pub use request_hash::{HashKey, HashPart};
pub use retries::{BackOff, RateLimitedBackOff, Retries, RetryCondition};
pub use route::{Action, Forward, PathRedirect, Redirect, Route, Target, WeightedTarget};
pub use shadow::{Shadow, ShadowHost};
pub use slow_start::SlowStart;
pub use stickiness::{Stickiness, StickyKey};
pub use tls::{CredentialSource, ServerTls, TlsVersion};
pub use transport::{ClientTls, Connections, Http2, Keepalive, Transport, host_and_port};

use crate::ResourceId;

/// Everything one data plane serves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxySpec {
    /// The listeners, by address and port.
    pub listeners: Vec<Arc<Listener>>,
    /// The clusters that routes name.
    pub clusters: BTreeMap<ClusterName, Arc<Cluster>>,
    /// The generation of each resource that this was made of.
    #[serde(with = "source_list")]
    pub sources: BTreeMap<ResourceId, i64>,
}

/// Provenance as a list, since a map's keys must be strings in JSON.
mod source_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::ResourceId;

    #[derive(Serialize, Deserialize)]
    struct Source {
        #[serde(flatten)]
        id: ResourceId,
        generation: i64,
    }

    pub(super) fn serialize<S: Serializer>(sources: &BTreeMap<ResourceId, i64>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(sources.iter().map(|(id, generation)| Source { id: id.clone(), generation: *generation }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<ResourceId, i64>, D::Error> {
        Ok(Vec::<Source>::deserialize(from)?.into_iter().map(|source| (source.id, source.generation)).collect())
    }
}
