//! A route: which requests, and what is done with them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{DelegateAction, DelegateOptionsRefs, Matcher, RouteOptions, Stickiness, WeightedDestinationOptions};
use crate::{Ref, Written, enumeration};

/// A route of a VirtualService or a RouteTable. It has exactly one action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Route {
    /// A name, for messages and metrics.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Which requests this route is for: alternatives, one of which must match. None means every path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matchers: Vec<Matcher>,
    /// Whether the parent's headers, methods and query parameters are added to this route's. Unset: as on the parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inheritable_matchers: Option<bool>,
    /// Whether this route takes the parent's path. Unset: as on the parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inheritable_path_matchers: Option<bool>,
    /// Forward the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_action: Option<RouteAction>,
    /// Answer with a redirect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_action: Option<RedirectAction>,
    /// Answer with a fixed response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct_response_action: Option<DirectResponseAction>,
    /// Hand the request to the routes of other tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegate_action: Option<DelegateAction>,
    /// Options of this route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Written<RouteOptions>>,
    /// RouteOptions to take over where `options` is silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options_config_refs: Option<DelegateOptionsRefs>,
}

/// Where requests are forwarded to. Exactly one of its fields is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteAction {
    /// One destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single: Option<Destination>,
    /// Several destinations, by weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi: Option<MultiDestination>,
    /// The weighted destinations of an UpstreamGroup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_group: Option<Ref>,
    /// The name of a request header that holds the cluster's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_header: Option<String>,
}

/// Several destinations, by weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MultiDestination {
    /// The destinations. Weights are relative; their sum need not be 100, but must not be 0.
    pub destinations: Vec<WeightedDestination>,
    /// Keeps each user on one of the destinations while the weights change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stickiness: Option<Stickiness>,
}

/// A destination and its share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WeightedDestination {
    /// Where to.
    pub destination: Destination,
    /// Its share, relative to the other weights. Missing means 0: no traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// Options for the requests that go here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Written<WeightedDestinationOptions>>,
}

/// A place to forward to: an Upstream, or a Kubernetes Service directly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Destination {
    /// The Upstream. Without a namespace: the one of the resource that holds the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Ref>,
    /// A Kubernetes Service, without an Upstream of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube: Option<KubeDestination>,
    /// Only the endpoints whose labels have these values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subset: Option<Subset>,
}

/// A Kubernetes Service's port as a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeDestination {
    /// The Service.
    #[serde(rename = "ref")]
    pub reference: Ref,
    /// The Service's port.
    pub port: u32,
}

/// A subset of an Upstream's endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Subset {
    /// Labels and the values they must have. The set of labels must be one of the Upstream's `subsetSpec` selectors.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

/// Answers with a redirect, built from the request's own URL and what is set here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RedirectAction {
    /// The host to redirect to. Empty: the request's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host_redirect: String,
    /// The path to redirect to, in place of the whole path (a query in it replaces the request's).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_redirect: Option<String>,
    /// What replaces the matched prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_rewrite: Option<String>,
    /// A pattern in the path, and what replaces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex_rewrite: Option<RegexRewrite>,
    /// The status code (default 301).
    pub response_code: RedirectResponseCode,
    /// Redirect to https.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub https_redirect: bool,
    /// Leave the query out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strip_query: bool,
    /// The port to redirect to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_redirect: Option<u32>,
}

/// The status codes of a redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RedirectResponseCode {
    /// 301.
    #[default]
    MovedPermanently,
    /// 302.
    Found,
    /// 303.
    SeeOther,
    /// 307.
    TemporaryRedirect,
    /// 308.
    PermanentRedirect,
}

impl<'de> Deserialize<'de> for RedirectResponseCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = [
            ("MOVED_PERMANENTLY", Self::MovedPermanently),
            ("FOUND", Self::Found),
            ("SEE_OTHER", Self::SeeOther),
            ("TEMPORARY_REDIRECT", Self::TemporaryRedirect),
            ("PERMANENT_REDIRECT", Self::PermanentRedirect),
        ];
        enumeration::deserialize(deserializer, &values, &[])
    }
}

impl RedirectResponseCode {
    /// The HTTP status code.
    pub fn status(self) -> u16 {
        match self {
            Self::MovedPermanently => 301,
            Self::Found => 302,
            Self::SeeOther => 303,
            Self::TemporaryRedirect => 307,
            Self::PermanentRedirect => 308,
        }
    }
}

/// A pattern and what replaces each of its matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RegexRewrite {
    /// What to look for.
    pub pattern: RegexPattern,
    /// What replaces it; `\1` stands for the first group.
    pub substitution: String,
}

/// A regular expression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RegexPattern {
    /// The expression, in RE2's syntax.
    pub regex: String,
}

/// Answers with a fixed response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DirectResponseAction {
    /// The status code, 200 to 599.
    pub status: u32,
    /// The body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
}
