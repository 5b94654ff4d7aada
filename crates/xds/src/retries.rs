//! Retries, in Envoy's terms.

use envoy_types::pb::envoy::config::route::v3::RetryPolicy;
use envoy_types::pb::envoy::config::route::v3::retry_policy::{
    RateLimitedRetryBackOff, ResetHeader, ResetHeaderFormat, RetryBackOff, RetryHostPredicate, retry_host_predicate,
};
use envoy_types::pb::envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate;
use envoy_types::pb::google::protobuf::UInt32Value;
use serin_api::proxy::{BackOff, RateLimitedBackOff, Retries, RetryCondition};

use crate::protobuf::{any, duration};

/// The name of Envoy's predicate for endpoints that were tried.
const PREVIOUS_HOSTS: &str = "envoy.retry_host_predicates.previous_hosts";
/// How often Envoy looks for an endpoint that was not tried before it takes one that was.
const LOOKS: i64 = 10;

/// Envoy's policy for `retries`.
pub(crate) fn policy(retries: &Retries) -> RetryPolicy {
    let Retries { on, times, per_try_timeout, back_off, status_codes, rate_limited } = retries;
    RetryPolicy {
        retry_on: on.iter().map(|condition: &RetryCondition| condition.as_str()).collect::<Vec<_>>().join(","),
        num_retries: Some(UInt32Value { value: *times }),
        per_try_timeout: per_try_timeout.map(|timeout| duration(timeout.0)),
        retry_back_off: back_off.map(|BackOff { base, max }| RetryBackOff {
            base_interval: Some(duration(base.0)),
            max_interval: max.map(|max| duration(max.0)),
        }),
        retriable_status_codes: status_codes.iter().map(|code| u32::from(*code)).collect(),
        rate_limited_retry_back_off: rate_limited.as_ref().map(rate_limited_back_off),
        // As in Serin's data plane, a retry goes to an endpoint that has not failed the request before.
        retry_host_predicate: vec![RetryHostPredicate {
            name: PREVIOUS_HOSTS.to_owned(),
            config_type: Some(retry_host_predicate::ConfigType::TypedConfig(any(&PreviousHostsPredicate {}))),
        }],
        host_selection_retry_max_attempts: LOOKS,
        ..RetryPolicy::default()
    }
}

fn rate_limited_back_off(limited: &RateLimitedBackOff) -> RateLimitedRetryBackOff {
    let RateLimitedBackOff { headers, longest } = limited;
    let header = |(name, moment): &(String, bool)| {
        let format = if *moment { ResetHeaderFormat::UnixTimestamp } else { ResetHeaderFormat::Seconds };
        ResetHeader { name: name.clone(), format: format.into() }
    };
    RateLimitedRetryBackOff {
        reset_headers: headers.iter().map(header).collect(),
        max_interval: Some(duration(longest.0)),
    }
}
