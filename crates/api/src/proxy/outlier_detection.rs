//! When endpoints are ejected for what they answer.

use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// When endpoints are ejected for what they answer, and for how long. Percents are from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutlierDetection {
    /// How often success rates are compared, and ejected endpoints are looked at.
    pub interval: GoDuration,
    /// How long the first ejection lasts.
    pub base_ejection_time: GoDuration,
    /// How many of the endpoints may be ejected at once, in percent.
    pub max_ejection_percent: u8,
    /// After how many 5xx in a row; 0 is never.
    pub consecutive_5xx: u32,
    /// How many of the ejections for that really happen, in percent.
    pub enforcing_consecutive_5xx: u8,
    /// After how many 502, 503 and 504 in a row; 0 is never.
    pub consecutive_gateway_failure: u32,
    /// How many of the ejections for that really happen, in percent.
    pub enforcing_consecutive_gateway_failure: u8,
    /// How many endpoints must have had enough requests in an interval.
    pub success_rate_minimum_hosts: u32,
    /// How many requests in an interval are enough.
    pub success_rate_request_volume: u32,
    /// How far below the mean: in thousandths of the standard deviation.
    pub success_rate_stdev_factor: u32,
    /// How many of the ejections for that really happen, in percent.
    pub enforcing_success_rate: u8,
    /// What happens on the way to an endpoint, where that is counted apart from what it answers.
    pub local_origin: Option<LocalOrigin>,
}

/// When endpoints are ejected for what happens on the way to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalOrigin {
    /// After how many failures in a row; 0 is never.
    pub consecutive_failure: u32,
    /// How many of the ejections for that really happen, in percent.
    pub enforcing_consecutive_failure: u8,
    /// How many of the ejections for the success rate really happen, in percent.
    pub enforcing_success_rate: u8,
}
