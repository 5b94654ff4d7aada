//! How an Upstream's requests are spread over its endpoints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// How requests are spread over the endpoints (default round robin). At most one of `roundRobin`, `leastRequest`,
/// `random`, `ringHash` and `maglev` is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancerConfig {
    /// Each endpoint in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_robin: Option<RoundRobin>,
    /// The one with the fewest requests in flight, of a few drawn at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_request: Option<LeastRequest>,
    /// One drawn at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random: Option<Empty>,
    /// The same one for the same hash (a route's `lbHash`), by each endpoint's places on a ring. When an endpoint goes,
    /// its requests move, and a few of the others'. A request without a hash goes anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring_hash: Option<RingHash>,
    /// The same one for the same hash (a route's `lbHash`), by a table of 65537 places: more even than a ring, and
    /// found faster. A request without a hash goes anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maglev: Option<Empty>,
    /// The share of healthy endpoints, in percent, below which all endpoints get requests, healthy or not (default 50).
    /// 0: only healthy ones ever do. In a subset its own endpoints count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy_panic_threshold: Option<f64>,
    /// Whether `ringHash` and `maglev` place endpoints by their names in place of their addresses: for `static` hosts
    /// whose addresses change, or are the same. Pods have no names, and keep to their addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_hostname_for_hashing: Option<bool>,
    /// Close connections that are idle, and those of requests under way when they end, whenever there are other endpoints
    /// than before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub close_connections_on_host_set_change: bool,
    /// How long Envoys wait for more changes of endpoints' health and weights before they take them in together (default
    /// 1s; `0s`: not at all). Serin's own data plane takes all that has changed in at once, which costs it little, and does
    /// not wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_merge_window: Option<GoDuration>,
    /// Spread requests over localities by their weights first. Upstreams have no localities here, so that this changes
    /// nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality_weighted_lb_config: Option<Empty>,
}

/// A message without fields that are read here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Empty {}

/// Each endpoint in turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RoundRobin {
    /// Gives an endpoint that is new, or healthy again, few requests at first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_start_config: Option<SlowStartConfig>,
}

/// The one with the fewest requests in flight, of a few drawn at random.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LeastRequest {
    /// How many are drawn (default 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice_count: Option<u32>,
    /// Gives an endpoint that is new, or healthy again, few requests at first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_start_config: Option<SlowStartConfig>,
}

/// Few requests for an endpoint at first, and more with time. Its weight is multiplied by (its time so far /
/// `slowStartWindow`) to the power of 1 / `aggression`, but by no less than `minWeightPercent`. Its time begins when it joins
/// the Upstream or, with health checks, when they find it healthy. Where all endpoints are new, all are alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SlowStartConfig {
    /// How long it takes until an endpoint gets its whole share. Without it, or at `0s`, it does at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_start_window: Option<GoDuration>,
    /// How fast its share grows: 1 evenly, more than 1 faster at first, less than 1 slower at first (default 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggression: Option<f64>,
    /// The least share, in percent of the whole one (default 10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_weight_percent: Option<f64>,
}

/// Endpoints on a ring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RingHash {
    /// The ring's size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring_hash_config: Option<RingHashConfig>,
}

/// The size of a ring, in places: the more there are for each endpoint, the closer the shares come to the weights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RingHashConfig {
    /// The places that there are at least (default 1024, at most 8388608). 0 counts as unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_ring_size: Option<u64>,
    /// The places that there are at most (default and at most 8388608). 0 counts as unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_ring_size: Option<u64>,
}
