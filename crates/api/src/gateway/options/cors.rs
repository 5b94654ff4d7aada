//! Cross-origin requests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which other origins' pages may read the responses. A browser's preflight request is answered by the gateway itself.
/// Fields that a route leaves out are those of its virtual host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CorsPolicy {
    /// Origins such as `https://example.com`; `*` is any. One of these or of `allowOriginRegex` is needed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origin: Vec<String>,
    /// Expressions, in RE2's syntax, that match the whole of an origin.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origin_regex: Vec<String>,
    /// Methods that pages may use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Request headers that pages may set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Response headers that pages may read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// How long, in seconds, a browser may remember the answer to a preflight request.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_age: String,
    /// Whether pages may send cookies along.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_credentials: bool,
    /// On a route: browsers are told nothing, whatever the virtual host says.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_for_route: bool,
}
