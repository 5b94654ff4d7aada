//! How much an Upstream may have under way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much an Upstream may have under way at once, over all its endpoints. What is beyond that is answered 503, with the
/// header `x-envoy-overloaded`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CircuitBreakerConfig {
    /// Connections that are open. Requests beyond them wait until one is free. Each worker may have one to each endpoint all
    /// the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    /// Requests that wait for a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_pending_requests: Option<u32>,
    /// Requests that have been sent, and whose responses have not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u32>,
    /// Requests that are being tried again (default: a fifth of those under way, and three always).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
}
