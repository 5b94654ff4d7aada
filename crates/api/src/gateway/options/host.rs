//! The options of a virtual host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HeaderManipulation;

/// The options of a virtual host. In a VirtualHostOption, those of every host that takes them over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualHostOptions {
    /// Headers that are added to and removed from requests and responses, after what each route does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_manipulation: Option<HeaderManipulation>,
}
