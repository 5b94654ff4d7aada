//! VirtualService: a set of domains and the routes at their root.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DelegateOptionsRefs, Route, SslConfig, VirtualHostOptions};
use crate::{NamespacedStatuses, Written};

/// A set of domains, their root routes, and the options and certificate of the host.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "gateway.solo.io",
    version = "v1",
    kind = "VirtualService",
    plural = "virtualservices",
    shortname = "vs",
    category = "gloo",
    namespaced,
    status = "NamespacedStatuses",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualServiceSpec {
    /// The domains and their routes.
    pub virtual_host: VirtualHost,
    /// The certificate to serve these domains with. A VirtualService that has one is never served in plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_config: Option<SslConfig>,
    /// A name for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub display_name: String,
}

/// Domains and the ordered routes for them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualHost {
    /// The domains: exact (`api.example.com`), `*.suffix`, `prefix.*` or `*`. None means `*`. A domain may be in one
    /// VirtualService of a Gateway only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// The routes, in order: the first that matches wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Options for the whole host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Written<VirtualHostOptions>>,
    /// VirtualHostOptions to take over where `options` is silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options_config_refs: Option<DelegateOptionsRefs>,
}
