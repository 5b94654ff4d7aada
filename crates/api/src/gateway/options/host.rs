//! The options of a virtual host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CorsPolicy, HeaderManipulation};

/// The options of a virtual host. In a VirtualHostOption, those of every host that takes them over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualHostOptions {
    /// Which other origins' pages may read the responses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsPolicy>,
    /// Headers that are added to and removed from requests and responses, after what each route does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_manipulation: Option<HeaderManipulation>,
}
