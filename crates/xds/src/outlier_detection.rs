//! Outlier detection, in Envoy's terms.

use envoy_types::pb::envoy::config::cluster::v3::OutlierDetection;
use envoy_types::pb::google::protobuf::UInt32Value;
use serin_api::proxy::{self, LocalOrigin};

use crate::protobuf::duration;

/// Envoy's settings for `outliers`. Everything is said, so that no default of an Envoy's own comes in.
pub(crate) fn outlier_detection(outliers: &proxy::OutlierDetection) -> OutlierDetection {
    let proxy::OutlierDetection {
        interval,
        base_ejection_time,
        max_ejection_percent,
        consecutive_5xx,
        enforcing_consecutive_5xx,
        consecutive_gateway_failure,
        enforcing_consecutive_gateway_failure,
        success_rate_minimum_hosts,
        success_rate_request_volume,
        success_rate_stdev_factor,
        enforcing_success_rate,
        local_origin,
    } = outliers;
    let number = |value: u32| Some(UInt32Value { value });
    let percent = |value: u8| number(value.into());
    let mut made = OutlierDetection {
        interval: Some(duration(interval.0)),
        base_ejection_time: Some(duration(base_ejection_time.0)),
        max_ejection_percent: percent(*max_ejection_percent),
        consecutive_5xx: number(*consecutive_5xx),
        enforcing_consecutive_5xx: percent(*enforcing_consecutive_5xx),
        consecutive_gateway_failure: number(*consecutive_gateway_failure),
        enforcing_consecutive_gateway_failure: percent(*enforcing_consecutive_gateway_failure),
        success_rate_minimum_hosts: number(*success_rate_minimum_hosts),
        success_rate_request_volume: number(*success_rate_request_volume),
        success_rate_stdev_factor: number(*success_rate_stdev_factor),
        enforcing_success_rate: percent(*enforcing_success_rate),
        ..OutlierDetection::default()
    };
    if let Some(LocalOrigin { consecutive_failure, enforcing_consecutive_failure, enforcing_success_rate }) =
        local_origin
    {
        made.split_external_local_origin_errors = true;
        made.consecutive_local_origin_failure = number(*consecutive_failure);
        made.enforcing_consecutive_local_origin_failure = percent(*enforcing_consecutive_failure);
        made.enforcing_local_origin_success_rate = percent(*enforcing_success_rate);
    }
    made
}
