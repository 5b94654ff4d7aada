//! Stickiness: users who stay on the side of a rollout that they first got.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// Keeps each user on one destination while the weights change: who was moved to a destination whose weight grows stays
/// there, and nobody is moved back. A user is told by a cookie or by a header; exactly one of them is set. Not part of
/// Gloo's API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Stickiness {
    /// A cookie, which a response sets where the request has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<StickyCookie>,
    /// The name of a request header that tells users apart. A request without it is sent by weight alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

/// The cookie that tells users apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StickyCookie {
    /// Its name.
    pub name: String,
    /// How long browsers keep it (default: until they are closed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<GoDuration>,
    /// The path it is sent with (default `/`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}
