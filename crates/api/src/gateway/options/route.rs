//! The options of a route.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BufferPerRoute, CorsPolicy, HeaderManipulation, MaxStreamDuration, ProtocolUpgradeConfig, RetryPolicy,
    RouteActionHashConfig, RouteFaults, RouteShadowing,
};
use crate::GoDuration;
use crate::gateway::RegexRewrite;

/// The options of a route. In a RouteOption, those of every route that takes them over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteOptions {
    /// What replaces the matched prefix in the path that the upstream gets (the whole path, where `exact` or `regex`
    /// matched).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_rewrite: Option<String>,
    /// A pattern in the path (without the query) and what replaces each of its matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex_rewrite: Option<RegexRewrite>,
    /// The host that the upstream gets in place of the client's. At most one of `hostRewrite`, `autoHostRewrite`,
    /// `hostRewriteHeader` and `hostRewritePathRegex` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_rewrite: Option<String>,
    /// Whether the upstream gets the host name of the endpoint that was chosen, where that has one (`static` hosts do).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_host_rewrite: Option<bool>,
    /// The request header whose value becomes the host. Without such a header the host stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_rewrite_header: Option<String>,
    /// The host is made of the path (without the query): each match of the pattern is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_rewrite_path_regex: Option<RegexRewrite>,
    /// Whether the client's host is appended to `x-forwarded-host` when the host is rewritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub append_x_forwarded_host: Option<bool>,
    /// Which other origins' pages may read the responses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsPolicy>,
    /// Headers that are added to and removed from requests and responses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_manipulation: Option<HeaderManipulation>,
    /// How long the upstream may take, from the end of the request to the end of the response (default 15s). 0: as long
    /// as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GoDuration>,
    /// When a request is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<RetryPolicy>,
    /// How long the request may stand still: not a byte of it or of its response moves. Then it ends with 408 while the
    /// client has not sent all of it, and with 504 while the upstream has not answered. 0: as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<GoDuration>,
    /// How long a request may take from its beginning to the end of its response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stream_duration: Option<MaxStreamDuration>,
    /// Copies of the requests for another upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadowing: Option<RouteShadowing>,
    /// Whether requests are held until all of their body has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer_per_route: Option<BufferPerRoute>,
    /// Faults that are made on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<RouteFaults>,
    /// What brings a request to the same endpoint as others like it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lb_hash: Option<RouteActionHashConfig>,
    /// Protocols that a connection may switch to, or may not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub upgrades: Vec<ProtocolUpgradeConfig>,
}
