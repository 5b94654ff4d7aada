//! What of a request brings it to the same endpoint as others like it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// What of a request brings it to the same endpoint as others like it, for Upstreams with `ringHash` or `maglev`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteActionHashConfig {
    /// The parts of the hash. Those that a request has are combined in their order; a request that has none of them goes
    /// to any endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hash_policies: Vec<HashPolicy>,
}

/// One part of a request's hash. Exactly one of `header`, `cookie` and `sourceIp` is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HashPolicy {
    /// The name of a request header. Of several values, the order does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// A cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<HashCookie>,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<bool>,
    /// Whether the parts after it count only for requests that have none so far.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub terminal: bool,
}

/// A cookie that is part of a request's hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HashCookie {
    /// Its name.
    pub name: String,
    /// How long browsers keep it, in whole seconds: where a request has no such cookie, one is made and set. 0: until
    /// they are closed. Unset: none is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<GoDuration>,
    /// The path that a cookie which is made is sent with (default: the browser's own choice).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
}
