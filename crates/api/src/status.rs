//! The status that the control plane writes on each resource, one entry per control-plane namespace.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// `status` of every resource here: one entry per control-plane namespace (Gloo's NamespacedStatuses).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NamespacedStatuses {
    /// What each control plane says, by the namespace it runs in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub statuses: BTreeMap<String, ResourceStatus>,
}

/// What one control plane says of one resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceStatus {
    /// The verdict.
    pub state: StatusState,
    /// Why, in words; empty when there is nothing to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who wrote it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reported_by: String,
}

/// The verdict on a resource. Written as a name; the numbers 0 to 3 of older releases are read too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum StatusState {
    /// Not looked at yet.
    #[default]
    Pending,
    /// Taken as it is; a reason may still hold advice.
    Accepted,
    /// Taken, but something in it is not served.
    Warning,
    /// Refused.
    Rejected,
}

impl<'de> Deserialize<'de> for StatusState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Name(String),
            Number(u8),
        }
        match Written::deserialize(deserializer)? {
            Written::Name(name) => match name.as_str() {
                "Pending" => Ok(Self::Pending),
                "Accepted" => Ok(Self::Accepted),
                "Rejected" => Ok(Self::Rejected),
                "Warning" => Ok(Self::Warning),
                other => Err(serde::de::Error::custom(format!(
                    "unknown state {other:?}: expected Pending, Accepted, Rejected or Warning"
                ))),
            },
            // Gloo's enum order.
            Written::Number(0) => Ok(Self::Pending),
            Written::Number(1) => Ok(Self::Accepted),
            Written::Number(2) => Ok(Self::Rejected),
            Written::Number(3) => Ok(Self::Warning),
            Written::Number(other) => Err(serde::de::Error::custom(format!("unknown state {other}: expected 0 to 3"))),
        }
    }
}
