//! Retries, in Envoy's terms.

use envoy_types::pb::envoy::config::route::v3::RetryPolicy;
use envoy_types::pb::envoy::config::route::v3::retry_policy::RetryBackOff;
use envoy_types::pb::google::protobuf::UInt32Value;
use serin_api::proxy::{BackOff, Retries, RetryCondition};

use crate::protobuf::duration;

/// Envoy's policy for `retries`.
pub(crate) fn policy(retries: &Retries) -> RetryPolicy {
    let Retries { on, times, per_try_timeout, back_off, status_codes } = retries;
    RetryPolicy {
        retry_on: on.iter().map(|condition: &RetryCondition| condition.as_str()).collect::<Vec<_>>().join(","),
        num_retries: Some(UInt32Value { value: *times }),
        per_try_timeout: per_try_timeout.map(|timeout| duration(timeout.0)),
        retry_back_off: back_off.map(|BackOff { base, max }| RetryBackOff {
            base_interval: Some(duration(base.0)),
            max_interval: max.map(|max| duration(max.0)),
        }),
        retriable_status_codes: status_codes.iter().map(|code| u32::from(*code)).collect(),
        ..RetryPolicy::default()
    }
}
