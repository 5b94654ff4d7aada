//! What a route does beside sending requests somewhere: how it changes them, how long it waits.

use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// A route's options, merged and checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoutePolicy {
    /// How the path changes on its way to the upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_rewrite: Option<PathRewrite>,
    /// How long the upstream may take; zero: as long as it likes. Unset: the data plane's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GoDuration>,
}

/// A virtual host's options, merged and checked: what they do to the requests of all its routes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HostPolicy {}

/// How a path changes on its way to the upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PathRewrite {
    /// The matched prefix (the whole path, where `exact` or `regex` matched) becomes this.
    Prefix(String),
}
