//! Copies of requests for another upstream.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Ref;

/// Copies of requests for another upstream. A copy is sent once all of its request has come from the client, its answer
/// is thrown away, and whatever becomes of it, the request itself is neither held up nor changed. A request with a body
/// of more than 1 MiB is not copied, nor is one while 128 copies of a worker are under way, nor a CONNECT.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteShadowing {
    /// The Upstream that gets the copies. One that does not exist is a fault; the route is then served without copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Ref>,
    /// How many requests of a hundred are copied, 0 to 100 (default 0: none).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<f64>,
    /// Whether the copy's host stays as it is. Else `-shadow` is appended to it, in front of the port.
    pub disable_shadow_host_suffix_append: bool,
    /// The copy's host, port included, in place of the request's. Nothing is appended to it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host_rewrite_literal: String,
}
