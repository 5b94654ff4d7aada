//! Copies of requests for another cluster.

use serde::{Deserialize, Serialize};

use super::ClusterName;

/// Copies of requests for another cluster. Nobody waits for them, and what is answered is thrown away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shadow {
    /// Who gets them. Where there is no such cluster, there are no copies.
    pub cluster: ClusterName,
    /// How many of a million requests are copied; at least 1.
    pub per_million: u32,
    /// What the copies' host is.
    #[serde(default)]
    pub host: ShadowHost,
}

/// What a copy's host is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ShadowHost {
    /// The request's, with `-shadow` in front of its port.
    #[default]
    Suffixed,
    /// The request's.
    Same,
    /// This one.
    Literal(String),
}
