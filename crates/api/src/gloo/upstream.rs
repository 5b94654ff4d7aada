//! Upstream: a destination, its endpoints and their subsets.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    CircuitBreakerConfig, ConnectionConfig, HealthCheck, LoadBalancerConfig, OutlierDetection, UpstreamSslConfig,
};
use crate::{GoDuration, NamespacedStatuses, enumeration};

/// A destination. Exactly one of its types (`kube`, `static`, …) is set.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "gloo.solo.io",
    version = "v1",
    kind = "Upstream",
    plural = "upstreams",
    shortname = "us",
    category = "gloo",
    namespaced,
    status = "NamespacedStatuses",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(rename_all = "camelCase", default)]
pub struct UpstreamSpec {
    /// The pods behind a Kubernetes Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube: Option<KubeUpstream>,
    /// A fixed list of hosts.
    #[serde(rename = "static", skip_serializing_if = "Option::is_none")]
    pub fixed: Option<StaticUpstream>,
    /// How requests are spread over the endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer_config: Option<LoadBalancerConfig>,
    /// How TLS is spoken with the endpoints. Without it they are spoken to in plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_config: Option<UpstreamSslConfig>,
    /// When an endpoint gets no requests for a while, for what it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outlier_detection: Option<OutlierDetection>,
    /// How connections to the endpoints are made and kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_config: Option<ConnectionConfig>,
    /// Speak HTTP/2 with the endpoints, as gRPC needs it: by prior knowledge, or agreed on in TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_http2: Option<bool>,
    /// With `useHttp2`, bytes of a response's body that may be under way (65535 to 2147483647).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_stream_window_size: Option<u32>,
    /// With `useHttp2`, bytes of all responses' bodies that may be under way on one connection (65535 to 2147483647).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_connection_window_size: Option<u32>,
    /// With `useHttp2`, requests that a connection carries at once (1 to 2147483647).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent_streams: Option<u32>,
    /// How much may be under way at once (default: as `spec.gloo.circuitBreakers` of Settings says, and without that
    /// as much as comes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit_breakers: Option<CircuitBreakerConfig>,
    /// How endpoints are asked whether they are well. There can be one check only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<HealthCheck>,
    /// How often the names of `static` hosts are looked up again (default 5s, more than 1ms).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_refresh_rate: Option<GoDuration>,
    /// Whether an endpoint that is gone gets no more requests although its health checks are good. It never does here:
    /// false changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_health_on_host_removal: Option<bool>,
}

/// The pods behind a Kubernetes Service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeUpstream {
    /// The Service's name.
    pub service_name: String,
    /// The Service's namespace.
    pub service_namespace: String,
    /// The Service's port; it is resolved to the pods' own.
    pub service_port: u32,
    /// Only pods with these labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<String, String>,
    /// How the endpoints fall into subsets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subset_spec: Option<SubsetSpec>,
}

/// How an Upstream's endpoints fall into subsets, by their labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SubsetSpec {
    /// The sets of labels that a destination's `subset.values` may name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub selectors: Vec<SubsetSelector>,
    /// What serves a request whose subset has no endpoint (default `ANY_ENDPOINT`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_policy: Option<FallbackPolicy>,
    /// The labels of the default subset, for `DEFAULT_SUBSET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_subset: Option<DefaultSubset>,
}

/// The labels of the default subset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DefaultSubset {
    /// Labels and their values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

/// One set of labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SubsetSelector {
    /// The labels' names.
    pub keys: Vec<String>,
    /// Expect each subset to have one endpoint.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub single_host_per_subset: bool,
}

/// What serves a request whose subset has no endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FallbackPolicy {
    /// Any endpoint of the Upstream.
    #[default]
    AnyEndpoint,
    /// The endpoints of the default subset.
    DefaultSubset,
    /// Nothing: 503.
    NoFallback,
}

impl<'de> Deserialize<'de> for FallbackPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = [
            ("ANY_ENDPOINT", Self::AnyEndpoint),
            ("DEFAULT_SUBSET", Self::DefaultSubset),
            ("NO_FALLBACK", Self::NoFallback),
        ];
        enumeration::deserialize(deserializer, &values, &[])
    }
}

/// A fixed list of hosts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StaticUpstream {
    /// The hosts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<StaticHost>,
    /// Speak TLS with the hosts, without checking their certificates, where there is no `sslConfig` (default: if a host's
    /// port is 443).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_tls: Option<bool>,
    /// Ask each host for its own name (SNI), before the one in `sslConfig` (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_sni_rewrite: Option<bool>,
}

/// One host of a fixed list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StaticHost {
    /// An IP address, or a name that DNS knows.
    pub addr: String,
    /// The port.
    pub port: u32,
    /// Its share, relative to the other hosts' (default 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancing_weight: Option<u32>,
    /// The name that this host is asked for (SNI), before any other.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sni_addr: String,
}
