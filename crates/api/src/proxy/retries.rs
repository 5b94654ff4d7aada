//! When, how often and how soon a request is tried again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// When, how often and how soon a request is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retries {
    /// When. Empty: never, whatever the virtual host says.
    pub on: BTreeSet<RetryCondition>,
    /// How often at most; at least 1.
    pub times: u32,
    /// How long each try may take until its response begins; not zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_try_timeout: Option<GoDuration>,
    /// How long to wait before; the data plane's own back-off where this is unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_off: Option<BackOff>,
    /// What [`RetryCondition::RetriableStatusCodes`] means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status_codes: Vec<u16>,
    /// How long to wait when a response says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limited: Option<RateLimitedBackOff>,
}

/// A wait that a response asks for: that long, and up to half as long again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitedBackOff {
    /// The headers that ask for it, in lower case, and whether each names a moment (in seconds since 1970) in place of a
    /// number of seconds. The first that can be read counts.
    pub headers: Vec<(String, bool)>,
    /// What asks for more than this is not heeded; not zero.
    pub longest: GoDuration,
}

/// A random wait below an interval that doubles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackOff {
    /// The first interval; at least 1 ms.
    pub base: GoDuration,
    /// The longest one, not below `base`. Unset: ten times `base`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<GoDuration>,
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What makes a request be tried again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum RetryCondition {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl RetryCondition {
            /// Every condition there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, as `retryOn` has it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

conditions! {
    /// A response of class 5xx, or none.
    ServerError = "5xx",
    /// A response of 502, 503 or 504, or none.
    GatewayError = "gateway-error",
    /// No response: the connection failed, ended or stayed silent for too long.
    Reset = "reset",
    /// No response, and nothing of the request was sent.
    ResetBeforeRequest = "reset-before-request",
    /// The endpoint could not be connected to.
    ConnectFailure = "connect-failure",
    /// A response that says that a rate limit was exceeded.
    EnvoyRateLimited = "envoy-ratelimited",
    /// A response of 409.
    Retriable4xx = "retriable-4xx",
    /// The endpoint refused the stream.
    RefusedStream = "refused-stream",
    /// A response with one of the status codes that are named.
    RetriableStatusCodes = "retriable-status-codes",
    /// A response with one of the headers that are named. No field names any, so that none has one.
    RetriableHeaders = "retriable-headers",
    /// A failure of HTTP/3 after connecting. Upstreams are not spoken to in HTTP/3.
    Http3PostConnectFailure = "http3-post-connect-failure",
    /// gRPC status 1.
    Cancelled = "cancelled",
    /// gRPC status 4.
    DeadlineExceeded = "deadline-exceeded",
    /// gRPC status 13.
    Internal = "internal",
    /// gRPC status 8.
    ResourceExhausted = "resource-exhausted",
    /// gRPC status 14.
    Unavailable = "unavailable",
}
