//! The options of a virtual host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BufferPerRoute, CorsPolicy, HeaderManipulation, RetryPolicy};

/// The options of a virtual host. In a VirtualHostOption, those of every host that takes them over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualHostOptions {
    /// Which other origins' pages may read the responses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsPolicy>,
    /// Headers that are added to and removed from requests and responses, after what each route does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_manipulation: Option<HeaderManipulation>,
    /// Whether requests are held until all of their body has come, on routes that say nothing of it themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer_per_route: Option<BufferPerRoute>,
    /// When a request is tried again, on routes that say nothing of it themselves: a route's own `retries` take the place
    /// of all of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<RetryPolicy>,
    /// Whether upstreams are told in `x-envoy-attempt-count` which try of a request this is (1 for the first). What a
    /// client says there is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_request_attempt_count: Option<bool>,
    /// Whether clients are told in `x-envoy-attempt-count` how many tries their request took. Answers that no try was
    /// made for, such as redirects, do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_attempt_count_in_response: Option<bool>,
}
