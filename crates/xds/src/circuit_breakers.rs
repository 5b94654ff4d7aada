//! How much a cluster may have under way, in Envoy's terms.

use envoy_types::pb::envoy::config::cluster::v3::CircuitBreakers;
use envoy_types::pb::envoy::config::cluster::v3::circuit_breakers::Thresholds;
use envoy_types::pb::google::protobuf::UInt32Value;
use serin_api::proxy;

/// Envoy's limits for `breakers`; what is not said is as Envoy has it.
pub(crate) fn limits(breakers: &proxy::CircuitBreakers) -> Option<CircuitBreakers> {
    let proxy::CircuitBreakers { connections, pending, requests, retries } = *breakers;
    let limit = |most: Option<u32>| most.map(|value| UInt32Value { value });
    let thresholds = Thresholds {
        max_connections: limit(connections),
        max_pending_requests: limit(pending),
        max_requests: limit(requests),
        max_retries: limit(retries),
        ..Thresholds::default()
    };
    (!breakers.is_unset()).then(|| CircuitBreakers { thresholds: vec![thresholds], ..CircuitBreakers::default() })
}
