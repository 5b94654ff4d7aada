//! The smaller parts of an HTTP listener's options.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How requests get their ids. Serin traces nothing, so that no id tells of a trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UuidRequestIdConfig {
    /// Whether an Envoy writes into the id why it traces a request (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack_trace_reason: Option<bool>,
    /// Whether an Envoy chooses by the id what it traces (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_request_id_for_trace_sampling: Option<bool>,
}

/// Which clients are one's own: they may name their requests (`x-request-id`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InternalAddressConfig {
    /// Whether those are that come by a Unix socket, which Serin's listeners never do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unix_sockets: Option<bool>,
    /// Their addresses (default: loopback and private ones).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cidr_ranges: Vec<CidrRange>,
}

/// A range of addresses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CidrRange {
    /// An IP address.
    pub address_prefix: String,
    /// How many of its first bits the others share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_len: Option<u32>,
}

/// What becomes of requests on their way to upstreams.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouterOptions {
    /// Whether the gateway adds no `x-envoy-` headers of its own (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppress_envoy_headers: Option<bool>,
}
