//! The options of a weighted destination.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HeaderManipulation;

/// The options of a weighted destination.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WeightedDestinationOptions {
    /// Headers that are added to and removed from its requests and responses, before what the route does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_manipulation: Option<HeaderManipulation>,
}
