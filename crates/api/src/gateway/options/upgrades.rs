//! Protocols that a connection may switch to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A protocol that a connection may switch to, or may not: one of the fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProtocolUpgradeConfig {
    /// WebSocket, which is allowed where nothing is said. A request for it that is not allowed is answered with 403.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub websocket: Option<ProtocolUpgradeSpec>,
    /// CONNECT requests, which a `connectMatcher` matches, are passed on to the upstream, which opens the tunnel. They
    /// always go to the route's own upstream, whatever they name. Where nothing is said they are answered with 403.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<ProtocolUpgradeSpec>,
    /// CONNECT requests, which a `connectMatcher` matches, end here: what comes after them goes to the route's own upstream
    /// as it is, over TCP. The upstream gets it without any header; see to it who may ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_terminate: Option<ProtocolUpgradeSpec>,
}

/// Whether a protocol is allowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProtocolUpgradeSpec {
    /// Whether it is (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}
