//! Which requests a route is for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One way to match a request. All conditions in it must hold; several matchers on a route are alternatives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Matcher {
    /// The path begins with this string. A plain string prefix: `/echo` matches `/echoes` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The path, without its query, is exactly this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// The whole path, without its query, matches this regular expression (RE2 syntax).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Matches CONNECT requests, whatever their target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_matcher: Option<ConnectMatcher>,
    /// Whether the path is compared with its case (default true). Does not apply to `regex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_sensitive: Option<bool>,
    /// Headers that the request must (or must not) carry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderMatcher>,
    /// Query parameters that the request must carry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query_parameters: Vec<QueryParameterMatcher>,
    /// The methods to match; none means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
}

/// Matches CONNECT requests. It has no fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectMatcher {}

/// A condition on one header.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderMatcher {
    /// The header's name, in any case. The Host header is called `:authority`.
    pub name: String,
    /// The value it has. Empty: the header only has to be present.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// Whether `value` is a regular expression for the whole value.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub regex: bool,
    /// Match the requests for which this condition does not hold.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invert_match: bool,
}

/// A condition on one query parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct QueryParameterMatcher {
    /// The parameter's name.
    pub name: String,
    /// The value it has. Empty: the parameter only has to be present.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// Whether `value` is a regular expression for the whole value.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub regex: bool,
}
