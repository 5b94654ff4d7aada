//! Cross-origin requests: which other origins' pages may read a host's responses.

use serde::{Deserialize, Serialize};

/// What browsers are told. Where a route's leaves a field empty, that of its virtual host holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CorsPolicy {
    /// Whether the route says nothing to browsers, whatever its host does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The origins that may; one of them has to match.
    pub allow_origins: Vec<OriginMatch>,
    /// The value of `access-control-allow-methods`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub allow_methods: String,
    /// The value of `access-control-allow-headers`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub allow_headers: String,
    /// The value of `access-control-expose-headers`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expose_headers: String,
    /// The value of `access-control-max-age`: seconds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_age: String,
    /// Whether pages may send cookies along and read the response.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_credentials: bool,
}

/// A test of an origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OriginMatch {
    /// It is this one; `*` is any.
    Exact(String),
    /// The whole of it matches this expression.
    Regex(String),
}
