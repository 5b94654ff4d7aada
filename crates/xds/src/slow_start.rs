//! How a cluster's new endpoints come by their share of the requests, in Envoy's terms.

use envoy_types::pb::envoy::config::cluster::v3::cluster::SlowStartConfig;
use envoy_types::pb::envoy::config::core::v3::RuntimeDouble;
use envoy_types::pb::envoy::r#type::v3::Percent;
use serin_api::proxy::SlowStart;

use crate::protobuf::duration;

/// Envoy's settings for `slow_start`. `cluster`: its name, which Envoy wants a key for overrides made of.
pub(crate) fn config(slow_start: SlowStart, cluster: &str) -> SlowStartConfig {
    let SlowStart { window, aggression, least_percent } = slow_start;
    SlowStartConfig {
        slow_start_window: Some(duration(window.0)),
        aggression: Some(RuntimeDouble {
            default_value: aggression,
            runtime_key: format!("upstream.{cluster}.slowStart.aggression"),
        }),
        min_weight_percent: Some(Percent { value: least_percent }),
    }
}
