//! Requests that are held until all of them has come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether requests are held until all of their body has come. The upstream then gets them with their length, without
/// trailers. Unlike in Gloo, this needs no `buffer` on the Gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BufferPerRoute {
    /// They are not, whatever the virtual host says. At most one of `disabled` and `buffer` is set.
    pub disabled: bool,
    /// They are, up to a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<Buffer>,
}

/// How much of a request is held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Buffer {
    /// Bytes of the body, at least 1. A request with more is answered with 413.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_request_bytes: Option<u32>,
}
