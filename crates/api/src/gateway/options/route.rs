//! The options of a route.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// The options of a route. In a RouteOption, those of every route that takes them over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteOptions {
    /// What replaces the matched prefix in the path that the upstream gets (the whole path, where `exact` or `regex`
    /// matched).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_rewrite: Option<String>,
    /// How long the upstream may take, from the end of the request to the end of the response (default 15s). 0: as long
    /// as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GoDuration>,
}
