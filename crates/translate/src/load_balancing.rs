//! How an Upstream's requests are spread over its endpoints: one way, with sizes that can be served.

use serin_api::gloo::{LoadBalancerConfig, RingHash};
use serin_api::proxy::LoadBalancing;

/// The most places that a ring may have, and what it has at most where nothing is said (as in Envoy).
const LARGEST_RING: u64 = 8 * 1024 * 1024;
/// The places that a ring has at least where nothing is said (as in Envoy).
const SMALLEST_RING: u64 = 1024;

/// A field within `loadBalancerConfig` (empty: itself), and what is wrong with it.
pub(crate) type Fault = (&'static str, String);

/// What `config` comes to. `named`: whether endpoints have names.
///
/// # Errors
/// When it says two things at once, or a size is out of range.
pub(crate) fn of(config: Option<&LoadBalancerConfig>, named: bool) -> Result<LoadBalancing, Fault> {
    let Some(config) = config else { return Ok(LoadBalancing::default()) };
    let by_name = named && config.use_hostname_for_hashing.unwrap_or_default();
    match (&config.round_robin, &config.least_request, &config.random, &config.ring_hash, &config.maglev) {
        (_, None, None, None, None) => Ok(LoadBalancing::RoundRobin),
        // Envoy draws two unless told otherwise.
        (None, Some(least), None, None, None) => {
            let choices = least.choice_count.filter(|count| *count > 0).unwrap_or(2);
            Ok(LoadBalancing::LeastRequest { choices })
        }
        (None, None, Some(_), None, None) => Ok(LoadBalancing::Random),
        (None, None, None, Some(ring), None) => {
            ring_of(ring).map(|(minimum, maximum)| LoadBalancing::RingHash { minimum, maximum, by_name })
        }
        (None, None, None, None, Some(_)) => Ok(LoadBalancing::Maglev { by_name }),
        _ => Err(("", "set only one of roundRobin, leastRequest, random, ringHash and maglev".to_owned())),
    }
}

/// The share of healthy endpoints below which all are used, in percent.
///
/// # Errors
/// When it is none.
pub(crate) fn panic_percent(config: Option<&LoadBalancerConfig>) -> Result<Option<f64>, String> {
    match config.and_then(|config| config.healthy_panic_threshold) {
        Some(percent) if !(0.0..=100.0).contains(&percent) => Err(format!("{percent} is no percentage; use 0 to 100")),
        percent => Ok(percent),
    }
}

/// The places that a ring has at least and at most.
fn ring_of(ring: &RingHash) -> Result<(u64, u64), Fault> {
    let config = ring.ring_hash_config.clone().unwrap_or_default();
    let size = |written: Option<u64>, field, otherwise| match written.filter(|size| *size > 0) {
        Some(size) if size > LARGEST_RING => {
            Err((field, format!("{size} is too large: a ring has at most {LARGEST_RING} places")))
        }
        size => Ok(size.unwrap_or(otherwise)),
    };
    let minimum = size(config.minimum_ring_size, "ringHash.ringHashConfig.minimumRingSize", SMALLEST_RING)?;
    let field = "ringHash.ringHashConfig.maximumRingSize";
    let maximum = size(config.maximum_ring_size, field, LARGEST_RING)?;
    if minimum > maximum {
        let unset = if config.minimum_ring_size.unwrap_or_default() == 0 { ", its default" } else { "" };
        return Err((field, format!("{maximum} is less than minimumRingSize ({minimum}{unset})")));
    }
    Ok((minimum, maximum))
}
