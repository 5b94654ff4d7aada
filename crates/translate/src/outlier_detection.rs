//! An Upstream's `outlierDetection`: what is left out is as in Envoy, and what Envoy would refuse is refused.

use std::time::Duration;

use serin_api::proxy::{LocalOrigin, OutlierDetection};
use serin_api::{GoDuration, gloo};

use crate::option_fault::OptionFault;

/// Envoy keeps time by the millisecond.
const SHORTEST: Duration = Duration::from_millis(1);

/// What `written` comes to.
///
/// # Errors
/// The faults, by field.
pub(crate) fn of(written: &gloo::OutlierDetection) -> Result<OutlierDetection, Vec<OptionFault>> {
    let mut faults = Vec::new();
    let mut fault =
        |field: &str, reason: String| faults.push(OptionFault::new(&format!("outlierDetection.{field}"), reason));
    let gloo::OutlierDetection {
        consecutive_5xx,
        interval,
        base_ejection_time,
        max_ejection_percent,
        enforcing_consecutive_5xx,
        enforcing_success_rate,
        success_rate_minimum_hosts,
        success_rate_request_volume,
        success_rate_stdev_factor,
        consecutive_gateway_failure,
        enforcing_consecutive_gateway_failure,
        split_external_local_origin_errors,
        consecutive_local_origin_failure,
        enforcing_consecutive_local_origin_failure,
        enforcing_local_origin_success_rate,
    } = written;
    let mut time = |field, written: &Option<GoDuration>, default| {
        let time = written.unwrap_or(GoDuration(Duration::from_secs(default)));
        if time.0 < SHORTEST {
            fault(field, format!("{time} is too short; use at least 1ms"));
        }
        time
    };
    let interval = time("interval", interval, 10);
    let base_ejection_time = time("baseEjectionTime", base_ejection_time, 30);
    let mut percent = |field, written: &Option<u32>, default| match u8::try_from(written.unwrap_or(default)) {
        Ok(percent) if percent <= 100 => percent,
        _ => {
            fault(field, format!("{} is no percentage; use 0 to 100", written.unwrap_or_default()));
            0
        }
    };
    let made = OutlierDetection {
        interval,
        base_ejection_time,
        max_ejection_percent: percent("maxEjectionPercent", max_ejection_percent, 10),
        consecutive_5xx: consecutive_5xx.unwrap_or(5),
        enforcing_consecutive_5xx: percent("enforcingConsecutive5xx", enforcing_consecutive_5xx, 100),
        consecutive_gateway_failure: consecutive_gateway_failure.unwrap_or(5),
        enforcing_consecutive_gateway_failure: percent(
            "enforcingConsecutiveGatewayFailure",
            enforcing_consecutive_gateway_failure,
            0,
        ),
        success_rate_minimum_hosts: success_rate_minimum_hosts.unwrap_or(5),
        success_rate_request_volume: success_rate_request_volume.unwrap_or(100),
        success_rate_stdev_factor: success_rate_stdev_factor.unwrap_or(1900),
        enforcing_success_rate: percent("enforcingSuccessRate", enforcing_success_rate, 100),
        local_origin: Some(LocalOrigin {
            consecutive_failure: consecutive_local_origin_failure.unwrap_or(5),
            enforcing_consecutive_failure: percent(
                "enforcingConsecutiveLocalOriginFailure",
                enforcing_consecutive_local_origin_failure,
                100,
            ),
            enforcing_success_rate: percent(
                "enforcingLocalOriginSuccessRate",
                enforcing_local_origin_success_rate,
                100,
            ),
        })
        .filter(|_| *split_external_local_origin_errors),
    };
    if faults.is_empty() { Ok(made) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of_json(value: Value) -> Result<OutlierDetection, Vec<String>> {
        let said = |faults: Vec<OptionFault>| {
            faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect()
        };
        of(&serde_json::from_value(value).unwrap()).map_err(said)
    }

    #[test]
    fn what_is_left_out_is_as_in_envoy() {
        let made = of_json(json!({})).unwrap();
        assert_eq!((made.interval.to_string(), made.base_ejection_time.to_string()), ("10s".into(), "30s".into()));
        assert_eq!((made.max_ejection_percent, made.consecutive_5xx, made.enforcing_consecutive_5xx), (10, 5, 100));
        assert_eq!((made.consecutive_gateway_failure, made.enforcing_consecutive_gateway_failure), (5, 0));
        assert_eq!((made.success_rate_minimum_hosts, made.success_rate_request_volume), (5, 100));
        assert_eq!((made.success_rate_stdev_factor, made.enforcing_success_rate), (1900, 100));
        assert_eq!(made.local_origin, None);
    }

    #[test]
    fn everything_is_read() {
        let made = of_json(json!({
            "consecutive5xx": 1, "interval": "2s", "baseEjectionTime": "3s", "maxEjectionPercent": 4,
            "enforcingConsecutive5xx": 5, "enforcingSuccessRate": 6, "successRateMinimumHosts": 7,
            "successRateRequestVolume": 8, "successRateStdevFactor": 9, "consecutiveGatewayFailure": 10,
            "enforcingConsecutiveGatewayFailure": 11, "splitExternalLocalOriginErrors": true,
            "consecutiveLocalOriginFailure": 12, "enforcingConsecutiveLocalOriginFailure": 13,
            "enforcingLocalOriginSuccessRate": 14,
        }));
        let expected = OutlierDetection {
            interval: GoDuration(Duration::from_secs(2)),
            base_ejection_time: GoDuration(Duration::from_secs(3)),
            max_ejection_percent: 4,
            consecutive_5xx: 1,
            enforcing_consecutive_5xx: 5,
            consecutive_gateway_failure: 10,
            enforcing_consecutive_gateway_failure: 11,
            success_rate_minimum_hosts: 7,
            success_rate_request_volume: 8,
            success_rate_stdev_factor: 9,
            enforcing_success_rate: 6,
            local_origin: Some(LocalOrigin {
                consecutive_failure: 12,
                enforcing_consecutive_failure: 13,
                enforcing_success_rate: 14,
            }),
        };
        assert_eq!(made, Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let faults = of_json(json!({"interval": "0s", "baseEjectionTime": "10us", "maxEjectionPercent": 101,
            "enforcingLocalOriginSuccessRate": 1000}))
        .unwrap_err();
        assert_eq!(
            faults,
            [
                "outlierDetection.interval: 0s is too short; use at least 1ms",
                "outlierDetection.baseEjectionTime: 10us is too short; use at least 1ms",
                "outlierDetection.maxEjectionPercent: 101 is no percentage; use 0 to 100",
                "outlierDetection.enforcingLocalOriginSuccessRate: 1000 is no percentage; use 0 to 100",
            ]
        );
    }
}
