//! Flattened routes: matchers, and an action with its references resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ClusterName, HeaderChanges, RoutePolicy, Stickiness};
use crate::ResourceId;
use crate::gateway::Matcher;

/// One route. It matches when one of its matchers does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Names the route in metrics and messages: its own name, else `namespace.table[index]`. Stable while the table's
    /// list keeps its shape; not always unique.
    pub name: String,
    /// The VirtualService or RouteTable that holds the route.
    pub source: ResourceId,
    /// What else it stands on: the tables between the VirtualService and `source`, outermost first, then the
    /// UpstreamGroup it forwards to. A route is gone when one of these tables is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<ResourceId>,
    /// The alternatives; never empty. Each has a path or is a CONNECT matcher.
    pub matchers: Vec<Matcher>,
    /// What is done with the request.
    pub action: Action,
    /// How requests and responses are changed and waited for; `None` where no option says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Arc<RoutePolicy>>,
    /// Whether a user stays with the target that was drawn, and by what users are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stickiness: Option<Arc<Stickiness>>,
}

/// What is done with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Forward it.
    Forward(Forward),
    /// Answer with a redirect.
    Redirect(Redirect),
    /// Answer with a fixed response.
    #[serde(rename_all = "camelCase")]
    DirectResponse {
        /// The status code.
        status: u16,
        /// The body.
        body: String,
    },
}

/// How a request is forwarded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Forward {
    /// To one of these, by weight. The sum of the weights is not 0; a target of weight 0 gets nothing.
    Weighted(Vec<WeightedTarget>),
    /// To the cluster named by this request header. No such header or cluster: 503.
    ClusterHeader(String),
}

/// A target and its share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WeightedTarget {
    /// Where to.
    pub target: Target,
    /// Its share, relative to the other weights.
    pub weight: u32,
    /// How headers change, before what the route does to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Arc<HeaderChanges>>,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// A cluster, or a subset of its endpoints.
    #[serde(rename_all = "camelCase")]
    Cluster {
        /// The cluster; it is in the same `ProxySpec`.
        cluster: ClusterName,
        /// Labels and their values. Empty: the whole cluster, or what its subsets fall back to. Else its keys are one of the cluster's key sets.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        subset: BTreeMap<String, String>,
    },
    /// A fixed response, in place of a destination that is invalid or closed.
    #[serde(rename_all = "camelCase")]
    DirectResponse {
        /// The status code.
        status: u16,
        /// The body.
        body: String,
    },
}

/// A redirect: the request's own URL with these parts changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redirect {
    /// The status code.
    pub status: u16,
    /// The host, if it changes.
    pub host: Option<String>,
    /// The port, if it is named.
    pub port: Option<u16>,
    /// Whether the scheme becomes https.
    pub https: bool,
    /// How the path changes.
    pub path: PathRedirect,
    /// Whether the query is left out.
    pub strip_query: bool,
}

/// How a redirect changes the path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PathRedirect {
    /// Not at all.
    #[default]
    Keep,
    /// It becomes this one. A query in it replaces the request's.
    Replace(String),
    /// The matched prefix (or the whole path, where `exact` or `regex` matched) becomes this.
    PrefixRewrite(String),
    /// Each match of the pattern becomes the substitution (`\1` for the first group).
    #[serde(rename_all = "camelCase")]
    Regex {
        /// What to look for.
        pattern: String,
        /// What replaces it.
        substitution: String,
    },
}
