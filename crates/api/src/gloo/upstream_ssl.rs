//! TLS towards upstreams: how an Upstream's endpoints are checked, and what they are shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Ref;
use crate::gateway::{SslFiles, SslParameters};

/// How TLS is spoken with an Upstream's endpoints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UpstreamSslConfig {
    /// A Secret: the `ca.crt` that the endpoints' certificates must lead to, and the `tls.crt` and `tls.key` that they
    /// are shown when they ask for a certificate. Without a `ca.crt`, their certificates are not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<Ref>,
    /// The same from files of the machine that the gateway runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_files: Option<SslFiles>,
    /// The name that endpoints are asked for (SNI). A static host's own name goes before it, unless `autoSniRewrite` is
    /// false.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sni: String,
    /// The names of which an endpoint's certificate must have one. Needs a `ca.crt` or `rootCa`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verify_subject_alt_name: Vec<String>,
    /// Versions of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<SslParameters>,
    /// What is offered to be spoken inside of TLS (default: what the Upstream is spoken to with).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn_protocols: Vec<String>,
    /// Show endpoints no certificate, whether or not there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_way_tls: Option<bool>,
}
