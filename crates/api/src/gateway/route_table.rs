//! RouteTable: the routes of one team, delegated to by a VirtualService or by another table.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Route;
use crate::NamespacedStatuses;

/// Routes that a VirtualService, or another RouteTable, delegates to.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "gateway.solo.io",
    version = "v1",
    kind = "RouteTable",
    plural = "routetables",
    shortname = "rt",
    category = "gloo",
    namespaced,
    status = "NamespacedStatuses",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteTableSpec {
    /// The routes, in order: the first that matches wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// The table's place among others that the same selector chooses: lower comes first (default 0). Tables of one
    /// weight are merged and sorted so that a specific route is not hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i32>,
}
