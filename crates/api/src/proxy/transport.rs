//! How a cluster's endpoints are spoken to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CredentialSource, Endpoint, TlsVersion};
use crate::GoDuration;

/// How a cluster's endpoints are spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Transport {
    /// How TLS is spoken with them; `None`: plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
    /// How HTTP/2 is spoken with them; `None`: HTTP/1.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http2: Option<Http2>,
    /// How connections to them are made and kept.
    #[serde(skip_serializing_if = "Connections::is_default")]
    pub connections: Connections,
}

/// How connections to endpoints are made and kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Connections {
    /// Requests after which one is closed; `None`: as many as come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u32>,
    /// How long an endpoint may take to accept one; `None`: the data plane's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<GoDuration>,
    /// How long one without a request is kept; zero: for ever; `None`: the data plane's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<GoDuration>,
    /// Asks an endpoint that says nothing whether it is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive: Option<Keepalive>,
    /// Bytes of a response that are read ahead on one; `None`: as many as the data plane sees fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer_bytes: Option<u32>,
    /// Headers that a response may have, at least 1; `None`: the data plane's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_headers: Option<u32>,
}

impl Connections {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// When an endpoint is asked whether it is still there; what is `None` is the system's to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Keepalive {
    /// How often it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<u32>,
    /// After how many seconds of silence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<u32>,
    /// How many seconds between two questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<u32>,
}

/// How HTTP/2 is spoken with endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Http2 {
    /// Bytes of a response's body that may be under way on one stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_window: Option<u32>,
    /// Bytes of all responses' bodies that may be under way on one connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_window: Option<u32>,
    /// Requests that a connection carries at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_streams: Option<u32>,
}

impl Transport {
    /// Whether it is plain HTTP/1.1 with every setting at its default.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// How TLS is spoken with endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientTls {
    /// The roots that their certificates must lead to, and the certificate that they are shown. `None`: they are not
    /// checked, and shown none. While a credential that is named is missing, no endpoint is spoken to.
    pub credential: Option<CredentialSource>,
    /// Whether they are shown the credential's certificate.
    pub show_certificate: bool,
    /// The name that they are asked for; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sni: String,
    /// The names that some of them are asked for in its place, by `host:port`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub host_sni: BTreeMap<String, String>,
    /// The names of which their certificate must have one; none: any will do that leads to the roots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The oldest version that is spoken.
    pub minimum: TlsVersion,
    /// The newest version that is spoken.
    pub maximum: TlsVersion,
    /// What is offered to be spoken inside; none: the protocol that they are spoken to with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<String>,
}

impl ClientTls {
    /// The name that an endpoint is asked for; empty: none.
    pub fn sni_for(&self, endpoint: &Endpoint) -> &str {
        if self.host_sni.is_empty() {
            return &self.sni;
        }
        self.host_sni.get(&host_and_port(&endpoint.host, endpoint.port)).unwrap_or(&self.sni)
    }
}

/// Under which key an endpoint's own name is kept in [`ClientTls::host_sni`].
pub fn host_and_port(host: &str, port: u16) -> String {
    format!("{host}:{port}")
}
