//! Listeners and the virtual hosts on them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AccessLog, HostPolicy, HttpSettings, Route, ServerTls};
use crate::ResourceId;

/// An address and a port, and the hosts served there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// The Gateway it comes from, as `namespace.name`: unique, and stable over changes.
    pub name: String,
    /// The Gateway itself.
    pub source: ResourceId,
    /// The address asked for (`::` means all). A data plane may be told to bind another one.
    pub bind_address: String,
    /// The port asked for.
    pub bind_port: u16,
    /// Whether it speaks TLS.
    pub ssl: bool,
    /// How it does, by the names that clients ask for. A name that is not here is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tls: Vec<Arc<ServerTls>>,
    /// Whether a port in the request's Host is cut off before the domains are compared.
    pub strip_any_host_port: bool,
    /// How it speaks HTTP.
    #[serde(default, skip_serializing_if = "HttpSettings::is_default")]
    pub http: HttpSettings,
    /// Where its requests are logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_logs: Vec<AccessLog>,
    /// The hosts. Their domains are disjoint.
    pub virtual_hosts: Vec<Arc<VirtualHost>>,
}

/// A set of domains and the routes for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VirtualHost {
    /// The VirtualService it comes from, as `namespace.name`.
    pub name: String,
    /// The VirtualService itself.
    pub source: ResourceId,
    /// Exact (`a.com`), `*.suffix`, `prefix.*` or `*`; never empty. Matched in that order, the longest first, without
    /// regard to case.
    pub domains: Vec<String>,
    /// The routes, in order: the first that matches wins.
    pub routes: Vec<Arc<Route>>,
    /// What holds for all of its routes; `None` where no option says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Arc<HostPolicy>>,
}
