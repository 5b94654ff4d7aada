//! Which requests are tried again, how often and how soon.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{GoDuration, enumeration};

/// Which requests are tried again, how often and how soon.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RetryPolicy {
    /// When a request is tried again, comma-separated: `5xx`, `gateway-error`, `reset`, `reset-before-request`,
    /// `connect-failure`, `envoy-ratelimited`, `retriable-4xx`, `refused-stream`, `retriable-status-codes`,
    /// `retriable-headers`, `http3-post-connect-failure`, and for gRPC `cancelled`, `deadline-exceeded`, `internal`,
    /// `resource-exhausted`, `unavailable`. A request whose body is larger than 1 MiB is sent once. No more than a fifth
    /// of an upstream's requests (or three, where that is more) are retries at any moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_on: Option<String>,
    /// How often a request is tried again at most (default 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_retries: Option<u32>,
    /// How long each try may take until its response begins. The route's `timeout` bounds all tries together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_try_timeout: Option<GoDuration>,
    /// How long to wait before a request is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_back_off: Option<RetryBackOff>,
    /// The status codes that `retriable-status-codes` means.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retriable_status_codes: Vec<u32>,
    /// How long to wait when a response says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limited_retry_back_off: Option<RateLimitedRetryBackOff>,
}

/// How long to wait when a response that is tried again says when that makes sense: that long, and up to half as long
/// again. A response that does not say is tried again as `retryBackOff` has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RateLimitedRetryBackOff {
    /// The headers that say so, such as `Retry-After`. The first that can be read counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reset_headers: Vec<ResetHeader>,
    /// A header that asks for more than this is not heeded (default 300s).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_interval: Option<GoDuration>,
}

/// A response's header that says when to try again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResetHeader {
    /// The header's name.
    pub name: String,
    /// How it says so (default `SECONDS`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ResetHeaderFormat>,
}

/// How a header says when to try again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResetHeaderFormat {
    /// In so many seconds.
    #[default]
    Seconds,
    /// At a moment, in seconds since 1970.
    UnixTimestamp,
}

impl<'de> Deserialize<'de> for ResetHeaderFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = [("SECONDS", Self::Seconds), ("UNIX_TIMESTAMP", Self::UnixTimestamp)];
        enumeration::deserialize(deserializer, &values, &[])
    }
}

/// How long to wait before a request is tried again: a random time below the interval, which doubles from try to try.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RetryBackOff {
    /// The first interval (default 25ms, at least 1ms).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_interval: Option<GoDuration>,
    /// The longest interval (default ten times the first).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_interval: Option<GoDuration>,
}
