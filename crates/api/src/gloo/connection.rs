//! How connections to an Upstream's endpoints are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// How connections to the endpoints are made and kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionConfig {
    /// Requests after which a connection is closed (default: as many as come).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests_per_connection: Option<u32>,
    /// How long an endpoint may take to accept a connection, TLS included (default 5s).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<GoDuration>,
    /// Asks an endpoint that says nothing whether it is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_keepalive: Option<TcpKeepalive>,
    /// Bytes of a response that are read ahead on a connection of HTTP/1.1 (default and at most 64 KiB, at least 1 KiB; in
    /// Envoys 1 MiB, and both ways). In HTTP/2 `initialStreamWindowSize` says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_connection_buffer_limit_bytes: Option<u32>,
    /// What HTTP/1.1 and HTTP/2 have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_http_protocol_options: Option<CommonHttpProtocolOptions>,
}

/// When an endpoint that says nothing is asked whether it is still there. Times are rounded up to seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpKeepalive {
    /// How often it is asked before the connection counts as gone (default: the system's).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_probes: Option<u32>,
    /// How long it says nothing before it is asked (default: the system's).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_time: Option<GoDuration>,
    /// How long between two questions (default: the system's).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_interval: Option<GoDuration>,
}

/// What HTTP/1.1 and HTTP/2 have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CommonHttpProtocolOptions {
    /// How long a connection without a request is kept; `0s`: for ever (default 1m).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<GoDuration>,
    /// Headers that a response may have: one with more is not passed on, and the request gets 502. 0 counts as unset
    /// (default and at most 256; in Envoys 100).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_headers_count: Option<u32>,
}
