//! How much a cluster may have under way, in Envoy's terms.

use envoy_types::pb::envoy::config::cluster::v3::CircuitBreakers;
use envoy_types::pb::envoy::config::cluster::v3::circuit_breakers::Thresholds;
use envoy_types::pb::envoy::config::cluster::v3::circuit_breakers::thresholds::RetryBudget;
use envoy_types::pb::envoy::r#type::v3::Percent;
use envoy_types::pb::google::protobuf::UInt32Value;
use serin_api::proxy;

/// Retries that may run at once however few requests there are, and the share of the requests that may be retries, in
/// percent: the same as in Serin's data plane.
const LEAST_RETRIES: u32 = 3;
const RETRY_PERCENT: f64 = 20.0;

/// Envoy's limits for `breakers`; what is not said is as Envoy has it, but for retries.
pub(crate) fn limits(breakers: &proxy::CircuitBreakers) -> CircuitBreakers {
    let proxy::CircuitBreakers { connections, pending, requests, retries } = *breakers;
    let limit = |most: Option<u32>| most.map(|value| UInt32Value { value });
    let thresholds = Thresholds {
        max_connections: limit(connections),
        max_pending_requests: limit(pending),
        max_requests: limit(requests),
        max_retries: limit(retries),
        retry_budget: retries.is_none().then(|| RetryBudget {
            budget_percent: Some(Percent { value: RETRY_PERCENT }),
            min_retry_concurrency: Some(UInt32Value { value: LEAST_RETRIES }),
            ..RetryBudget::default()
        }),
        ..Thresholds::default()
    };
    CircuitBreakers { thresholds: vec![thresholds], ..CircuitBreakers::default() }
}
