//! Settings: how the control plane behaves. One object, `default` in `gloo-system`.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::CircuitBreakerConfig;
use crate::{NamespacedStatuses, enumeration};

/// How the control plane behaves.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "gloo.solo.io",
    version = "v1",
    kind = "Settings",
    plural = "settings",
    shortname = "st",
    category = "gloo",
    namespaced,
    status = "NamespacedStatuses",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(rename_all = "camelCase", default)]
pub struct SettingsSpec {
    /// The namespace that discovered Upstreams belong to (default `gloo-system`).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub discovery_namespace: String,
    /// The namespaces to read resources from; none means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watch_namespaces: Vec<String>,
    /// Settings of the translation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gloo: Option<GlooOptions>,
    /// Settings of the routing resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayOptions>,
    /// Whether Upstreams exist for Services of their own accord.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery: Option<DiscoveryOptions>,
    /// Settings of role-based access control.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rbac: Option<RbacSettings>,
}

/// Settings of role-based access control.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RbacSettings {
    /// Deny every request of a virtual host that has no policy. There are no policies yet, so this closes every host.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_rbac: bool,
}

/// Settings of the translation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GlooOptions {
    /// What is served when part of the configuration is invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid_config_policy: Option<InvalidConfigPolicy>,
    /// How much each Upstream that says nothing of it may have under way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit_breakers: Option<CircuitBreakerConfig>,
}

/// What is served when part of the configuration is invalid. Without `replaceInvalidRoutes` the last good
/// configuration is kept, whole, until the fault is mended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InvalidConfigPolicy {
    /// Answer on each invalid route with the response below, and let every other change take effect.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replace_invalid_routes: bool,
    /// The status code of that response (default 404).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid_route_response_code: Option<u32>,
    /// The body of that response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid_route_response_body: Option<String>,
}

/// Settings of the routing resources.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayOptions {
    /// What is refused before it is stored, and what is warned of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationOptions>,
    /// Read Gateways from every watched namespace, not only from `gloo-system`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_gateways_from_all_namespaces: bool,
}

/// What is refused before it is stored, and what is warned of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ValidationOptions {
    /// Warn of duplicate matchers and of routes that an earlier prefix or regex hides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn_route_short_circuiting: Option<bool>,
}

/// Whether Upstreams exist for Services of their own accord.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DiscoveryOptions {
    /// `DISABLED` switches discovered Upstreams off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fds_mode: Option<FdsMode>,
    /// Discovery of Upstreams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uds_options: Option<UdsOptions>,
}

/// How much is discovered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FdsMode {
    /// Everything that is not excluded.
    #[default]
    Blacklist,
    /// What is asked for.
    Whitelist,
    /// Nothing.
    Disabled,
}

impl<'de> Deserialize<'de> for FdsMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = [("BLACKLIST", Self::Blacklist), ("WHITELIST", Self::Whitelist), ("DISABLED", Self::Disabled)];
        enumeration::deserialize(deserializer, &values, &[])
    }
}

/// Discovery of Upstreams.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UdsOptions {
    /// Whether a Service that a route names as `<namespace>-<service>-<port>` is an Upstream (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}
