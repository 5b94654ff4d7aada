//! Protocols that a connection may switch to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A protocol that a connection may switch to, or may not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProtocolUpgradeConfig {
    /// WebSocket, which is allowed where nothing is said. A request for it that is not allowed is answered with 403.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub websocket: Option<ProtocolUpgradeSpec>,
}

/// Whether a protocol is allowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProtocolUpgradeSpec {
    /// Whether it is (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}
