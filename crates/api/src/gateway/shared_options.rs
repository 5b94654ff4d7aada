//! RouteOption and VirtualHostOption: options kept apart, so that many routes or hosts can share them.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RouteOptions, VirtualHostOptions};
use crate::{NamespacedStatuses, Written};

/// Options for routes, pulled in by a route's `optionsConfigRefs`.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "gateway.solo.io",
    version = "v1",
    kind = "RouteOption",
    plural = "routeoptions",
    shortname = "rto",
    category = "gloo",
    namespaced,
    status = "NamespacedStatuses",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteOptionSpec {
    /// The options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Written<RouteOptions>>,
}

/// Options for virtual hosts, pulled in by a virtual host's `optionsConfigRefs`.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "gateway.solo.io",
    version = "v1",
    kind = "VirtualHostOption",
    plural = "virtualhostoptions",
    shortname = "vho",
    category = "gloo",
    namespaced,
    status = "NamespacedStatuses",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualHostOptionSpec {
    /// The options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Written<VirtualHostOptions>>,
}
