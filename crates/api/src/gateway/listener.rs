//! Gateway: a listener, and which VirtualServices it serves.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expression, GatewayOptions, HttpListenerOptions};
use crate::{NamespacedStatuses, RawOptions, Ref, Written};

/// A listener: an address and a port, with TLS or without, and the VirtualServices it serves.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "gateway.solo.io",
    version = "v1",
    kind = "Gateway",
    plural = "gateways",
    shortname = "gw",
    category = "gloo",
    namespaced,
    status = "NamespacedStatuses",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewaySpec {
    /// Serve only the VirtualServices that have an `sslConfig`, over TLS; else only those that have none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ssl: bool,
    /// The address to listen on; `::` means all.
    pub bind_address: String,
    /// The port to listen on.
    pub bind_port: u32,
    /// Options of the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Written<GatewayOptions>>,
    /// Options of the route configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_options: Option<RawOptions>,
    /// An HTTP listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_gateway: Option<HttpGateway>,
    /// A TCP listener. Not implemented yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_gateway: Option<RawOptions>,
    /// HTTP and TCP on one port. Not implemented yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hybrid_gateway: Option<RawOptions>,
    /// The proxies that this listener belongs to (default `gateway-proxy`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proxy_names: Vec<String>,
}

/// Which VirtualServices an HTTP listener serves: by expressions, else by labels, else by reference, else all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpGateway {
    /// The VirtualServices, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub virtual_services: Vec<Ref>,
    /// Labels that a VirtualService must have, all of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub virtual_service_selector: BTreeMap<String, String>,
    /// Conditions on the labels of VirtualServices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_service_expressions: Option<VirtualServiceSelectorExpressions>,
    /// Only VirtualServices of these namespaces; `*` or none means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub virtual_service_namespaces: Vec<String>,
    /// Options of the HTTP listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Written<HttpListenerOptions>>,
}

/// Conditions on labels, all of which must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualServiceSelectorExpressions {
    /// The conditions.
    pub expressions: Vec<Expression>,
}
