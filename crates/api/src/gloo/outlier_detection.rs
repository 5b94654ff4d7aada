//! Endpoints that answer worse than they may, and are spared for a while.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// When an endpoint is ejected for what it answers: it gets no requests for a while, unless fewer than the panic threshold
/// are left.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OutlierDetection {
    /// After how many 5xx in a row, from one endpoint, it is ejected (default 5). An endpoint that cannot be connected to,
    /// breaks off or takes too long counts as one that answers 5xx, unless `splitExternalLocalOriginErrors` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_5xx: Option<u32>,
    /// How often success rates are compared, and ejected endpoints are looked at whether they may come back (default 10s).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<GoDuration>,
    /// How long an endpoint is ejected the first time (default 30s). It is as much longer each time that it is ejected
    /// again soon, up to 5 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_ejection_time: Option<GoDuration>,
    /// How many of the Upstream's endpoints may be ejected at once, in percent (default 10). Of fewer than ten endpoints
    /// none is ejected by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ejection_percent: Option<u32>,
    /// How many of the ejections for 5xx in a row really happen, in percent (default 100).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_consecutive_5xx: Option<u32>,
    /// How many of the ejections for the success rate really happen, in percent (default 100).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_success_rate: Option<u32>,
    /// How many endpoints must have had enough requests in an interval for their success rates to be compared (default 5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate_minimum_hosts: Option<u32>,
    /// How many requests in an interval are enough for an endpoint's success rate to count (default 100).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate_request_volume: Option<u32>,
    /// How far below the mean success rate an endpoint is ejected: in thousandths of the standard deviation (default 1900).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate_stdev_factor: Option<u32>,
    /// After how many 502, 503 and 504 in a row an endpoint is ejected (default 5), as far as
    /// `enforcingConsecutiveGatewayFailure` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_gateway_failure: Option<u32>,
    /// How many of the ejections for 502, 503 and 504 in a row really happen, in percent (default 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_consecutive_gateway_failure: Option<u32>,
    /// Count what happens on the way to an endpoint (no connection, a connection that breaks off, a timeout) apart from what
    /// it answers (default false).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub split_external_local_origin_errors: bool,
    /// After how many failures on the way to it, in a row, an endpoint is ejected (default 5), if they are counted apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_local_origin_failure: Option<u32>,
    /// How many of the ejections for failures on the way really happen, in percent (default 100).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_consecutive_local_origin_failure: Option<u32>,
    /// How many of the ejections for the success rate of reaching an endpoint really happen, in percent (default 100).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing_local_origin_success_rate: Option<u32>,
}
