//! How an Upstream's new endpoints come by their share of the requests.

use serin_api::gloo::{LoadBalancerConfig, SlowStartConfig};
use serin_api::proxy::SlowStart;

use crate::load_balancing::Fault;

/// The least share where nothing is said, in percent (as in Envoy).
const LEAST_PERCENT: f64 = 10.0;

/// What `config` says of it; `None`: endpoints have their whole share at once.
///
/// # Errors
/// When a number is out of range.
pub(crate) fn of(config: Option<&LoadBalancerConfig>) -> Result<Option<SlowStart>, Fault> {
    let Some(config) = config else { return Ok(None) };
    let round_robin = config.round_robin.as_ref().and_then(|policy| policy.slow_start_config.as_ref());
    let least_request = config.least_request.as_ref().and_then(|policy| policy.slow_start_config.as_ref());
    let fields = |aggression, percent| move |written| slow_start(written, aggression, percent);
    let round_robin =
        round_robin.map(fields("roundRobin.slowStartConfig.aggression", "roundRobin.slowStartConfig.minWeightPercent"));
    let least_request = least_request
        .map(fields("leastRequest.slowStartConfig.aggression", "leastRequest.slowStartConfig.minWeightPercent"));
    round_robin.or(least_request).transpose().map(Option::flatten)
}

fn slow_start(
    written: &SlowStartConfig,
    aggression_field: &'static str,
    percent_field: &'static str,
) -> Result<Option<SlowStart>, Fault> {
    let SlowStartConfig { slow_start_window, aggression, min_weight_percent } = written;
    let aggression = aggression.unwrap_or(1.0);
    if aggression <= 0.0 {
        return Err((aggression_field, format!("{aggression} is not more than 0")));
    }
    let least_percent = min_weight_percent.unwrap_or(LEAST_PERCENT);
    if !(0.0..=100.0).contains(&least_percent) {
        return Err((percent_field, format!("{least_percent} is no percentage; use 0 to 100")));
    }
    let window = slow_start_window.filter(|window| !window.0.is_zero());
    Ok(window.map(|window| SlowStart { window, aggression, least_percent }))
}
