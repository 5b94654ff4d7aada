//! The options of a virtual host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The options of a virtual host. In a VirtualHostOption, those of every host that takes them over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualHostOptions {}
