//! How long a route's requests may take from beginning to end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// How long requests may take, from their beginning to the end of their responses. Calls of gRPC tell upstreams of it in
/// `grpc-timeout`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MaxStreamDuration {
    /// All of them (default: as the Gateway's `maxStreamDuration` says). 0: as long as they like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stream_duration: Option<GoDuration>,
    /// Where this is set, a request's `grpc-timeout` says how long it may take, up to this; 0: whatever it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_timeout_header_max: Option<GoDuration>,
    /// So much less than `grpc-timeout` says, so that the gateway ends a request before its client does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_timeout_header_offset: Option<GoDuration>,
}
