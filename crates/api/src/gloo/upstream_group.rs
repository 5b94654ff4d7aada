//! UpstreamGroup: weighted destinations that many routes can refer to.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::NamespacedStatuses;
use crate::gateway::WeightedDestination;

/// Weighted destinations under one name.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "gloo.solo.io",
    version = "v1",
    kind = "UpstreamGroup",
    plural = "upstreamgroups",
    shortname = "ug",
    category = "gloo",
    namespaced,
    status = "NamespacedStatuses",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(rename_all = "camelCase", default)]
pub struct UpstreamGroupSpec {
    /// The destinations. Weights are relative; their sum must not be 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<WeightedDestination>,
}
