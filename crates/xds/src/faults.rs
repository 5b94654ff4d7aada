//! Faults that routes make on purpose, in Envoy's terms.

use envoy_types::pb::envoy::extensions::filters::common::fault::v3::FaultDelay;
use envoy_types::pb::envoy::extensions::filters::common::fault::v3::fault_delay::FaultDelaySecifier;
use envoy_types::pb::envoy::extensions::filters::http::fault::v3::fault_abort::ErrorType;
use envoy_types::pb::envoy::extensions::filters::http::fault::v3::{FaultAbort, HttpFault};
use envoy_types::pb::envoy::r#type::v3::FractionalPercent;
use envoy_types::pb::envoy::r#type::v3::fractional_percent::DenominatorType;
use serin_api::proxy::{Abort, Delay, Faults};

use crate::protobuf::duration;

/// The filter's name, in listeners and in routes.
pub(crate) const FILTER: &str = "envoy.filters.http.fault";

/// What the filter does for a route.
pub(crate) fn filter(faults: &Faults) -> HttpFault {
    let Faults { abort, delay } = faults;
    HttpFault {
        abort: abort.map(|Abort { per_million, status }| FaultAbort {
            percentage: Some(share(per_million)),
            error_type: Some(ErrorType::HttpStatus(status.into())),
            ..FaultAbort::default()
        }),
        delay: delay.map(|Delay { per_million, time }| FaultDelay {
            percentage: Some(share(per_million)),
            fault_delay_secifier: Some(FaultDelaySecifier::FixedDelay(duration(time.0))),
        }),
        ..HttpFault::default()
    }
}

fn share(per_million: u32) -> FractionalPercent {
    FractionalPercent { numerator: per_million, denominator: DenominatorType::Million.into() }
}
