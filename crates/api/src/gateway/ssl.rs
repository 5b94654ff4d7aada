//! TLS towards clients: which certificate a VirtualService is served with, and for which names.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Ref, enumeration};

/// The certificate of a VirtualService, and how TLS is spoken with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SslConfig {
    /// A Secret of type `kubernetes.io/tls`: `tls.crt`, `tls.key` and, where clients have to show a certificate, the
    /// `ca.crt` that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<Ref>,
    /// The same from files of the machine that the gateway runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_files: Option<SslFiles>,
    /// The names that clients ask for (SNI) to get this certificate: exact, or `*.suffix`. None: every name that no
    /// other VirtualService has, and clients that name none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sni_domains: Vec<String>,
    /// The names of which a client's certificate must have one. Needs a `ca.crt` or `rootCa`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verify_subject_alt_name: Vec<String>,
    /// Versions of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<SslParameters>,
    /// What is spoken inside of TLS, by preference (default `h2`, `http/1.1`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn_protocols: Vec<String>,
    /// Ask clients for no certificate, whether or not there is a `ca.crt` or `rootCa`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_way_tls: Option<bool>,
    /// Have every connection make a full handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_tls_session_resumption: Option<bool>,
}

/// Certificates and keys in files, as PEM. They are read again when they change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SslFiles {
    /// The certificate and those between it and its root.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls_cert: String,
    /// The certificate's key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls_key: String,
    /// The roots that the other side's certificate must lead to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root_ca: String,
}

/// How TLS is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SslParameters {
    /// The oldest version (default 1.2, which is the oldest there is).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_protocol_version: Option<ProtocolVersion>,
    /// The newest version (default 1.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_protocol_version: Option<ProtocolVersion>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum ProtocolVersion {
    /// The default.
    #[default]
    #[serde(rename = "TLS_AUTO")]
    Auto,
    /// TLS 1.0, which is not spoken.
    #[serde(rename = "TLSv1_0")]
    V1_0,
    /// TLS 1.1, which is not spoken.
    #[serde(rename = "TLSv1_1")]
    V1_1,
    /// TLS 1.2.
    #[serde(rename = "TLSv1_2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "TLSv1_3")]
    V1_3,
}

impl<'de> Deserialize<'de> for ProtocolVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = [
            ("TLS_AUTO", Self::Auto),
            ("TLSv1_0", Self::V1_0),
            ("TLSv1_1", Self::V1_1),
            ("TLSv1_2", Self::V1_2),
            ("TLSv1_3", Self::V1_3),
        ];
        enumeration::deserialize(deserializer, &values, &[])
    }
}
