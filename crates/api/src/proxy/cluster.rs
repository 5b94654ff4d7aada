//! Clusters: upstreams as a data plane needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CircuitBreakers, Endpoint, HealthCheck, OutlierDetection, SlowStart, Transport};
use crate::{GoDuration, Ref, ResourceId};

/// A cluster's name: `name_namespace` for an Upstream (as Gloo names its Envoy clusters),
/// `kube-svc:<ns>-<service>-<port>_<ns>` for a Service that is routed to directly. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClusterName(Arc<str>);

impl ClusterName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for ClusterName {
    fn from(name: T) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for ClusterName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A destination: how its endpoints fall into subsets, and how requests are spread over them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its name.
    pub name: ClusterName,
    /// The Upstream or Service it comes from.
    pub source: ResourceId,
    /// Where its endpoints are found. Kept here so that a configuration that is frozen goes on following the cluster,
    /// whatever became of the Upstream.
    pub endpoints: EndpointSource,
    /// The subsets; `None` where there are none.
    pub subsets: Option<Subsets>,
    /// How requests are spread.
    pub load_balancing: LoadBalancing,
    /// How endpoints come by their share of the requests, where each is chosen in turn or by its requests in flight;
    /// `None`: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_start: Option<SlowStart>,
    /// How its endpoints are spoken to.
    #[serde(default, skip_serializing_if = "Transport::is_plain")]
    pub transport: Transport,
    /// The share of healthy endpoints, in percent, below which all are used; `None`: as the data plane sees fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panic_percent: Option<f64>,
    /// How much may be under way.
    #[serde(default, skip_serializing_if = "CircuitBreakers::is_unset")]
    pub circuit_breakers: CircuitBreakers,
    /// When endpoints are ejected for what they answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlier_detection: Option<Box<OutlierDetection>>,
    /// How endpoints are asked whether they are well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<Arc<HealthCheck>>,
    /// How often names of endpoints are looked up again; not zero; `None`: as the data plane sees fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_refresh: Option<GoDuration>,
    /// Whether connections are given up when there are other endpoints than before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closes_on_change: bool,
    /// How long changes of endpoints may wait for others; `None`: as the data plane sees fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_window: Option<GoDuration>,
}

impl Cluster {
    /// A cluster without subsets and options.
    pub fn new(name: impl Into<ClusterName>, source: ResourceId, endpoints: EndpointSource) -> Self {
        Self {
            name: name.into(),
            source,
            endpoints,
            subsets: None,
            load_balancing: LoadBalancing::default(),
            slow_start: None,
            transport: Transport::default(),
            panic_percent: None,
            circuit_breakers: CircuitBreakers::default(),
            outlier_detection: None,
            health_check: None,
            dns_refresh: None,
            closes_on_change: false,
            merge_window: None,
        }
    }
}

/// Where a cluster's endpoints are found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndpointSource {
    /// The ready pods behind a Service.
    #[serde(rename_all = "camelCase")]
    Service {
        /// The Service.
        service: Ref,
        /// The Service's port; each pod's own is found by its name.
        port: u16,
        /// Only pods with these labels.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        selector: BTreeMap<String, String>,
    },
    /// A fixed list.
    Fixed(Vec<Endpoint>),
}

/// How a cluster's endpoints fall into subsets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subsets {
    /// The sets of label names that a target may name values for.
    pub selectors: Vec<BTreeSet<String>>,
    /// What serves a request whose subset has no endpoint.
    pub fallback: SubsetFallback,
}

/// What serves a request whose subset has no endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SubsetFallback {
    /// Any endpoint of the cluster.
    AnyEndpoint,
    /// The endpoints with these labels.
    DefaultSubset(BTreeMap<String, String>),
    /// Nothing: 503.
    None,
}

/// How requests are spread over endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LoadBalancing {
    /// Each in turn, weighted.
    #[default]
    RoundRobin,
    /// The one with the fewest requests in flight, of `choices` drawn at random.
    LeastRequest {
        /// How many are drawn; at least 1.
        choices: u32,
    },
    /// One drawn at random.
    Random,
    /// The same one for the same hash, by places on a ring.
    #[serde(rename_all = "camelCase")]
    RingHash {
        /// The places that there are at least.
        minimum: u64,
        /// The places that there are at most; no less than `minimum`.
        maximum: u64,
        /// Whether endpoints that have a name are placed by it.
        by_name: bool,
    },
    /// The same one for the same hash, by places in a table.
    #[serde(rename_all = "camelCase")]
    Maglev {
        /// Whether endpoints that have a name are placed by it.
        by_name: bool,
    },
}
