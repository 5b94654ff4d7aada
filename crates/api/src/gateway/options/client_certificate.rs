//! What upstreams are told of the certificate that a client has shown: the header `x-forwarded-client-cert`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::choices::choices;

choices! {
    /// What is done with `x-forwarded-client-cert`. A certificate counts where it was asked for and verified.
    ForwardClientCertDetails {
        /// It is taken out.
        #[default]
        Sanitize = "SANITIZE",
        /// A client that has shown a certificate is believed; else it is taken out.
        ForwardOnly = "FORWARD_ONLY",
        /// The client's certificate is appended to it; without one, it is taken out.
        AppendForward = "APPEND_FORWARD",
        /// It tells of the client's certificate and of nothing else; without one, it is taken out.
        SanitizeSet = "SANITIZE_SET",
        /// Every client is believed, also in plain text.
        AlwaysForwardOnly = "ALWAYS_FORWARD_ONLY",
    }
}

/// What is told of a client's certificate beside its hash and the URIs of the gateway's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SetCurrentClientCertDetails {
    /// Its subject (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<bool>,
    /// The certificate itself, as PEM with percent signs (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<bool>,
    /// The certificate and those that were sent with it, likewise (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<bool>,
    /// Its host names (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<bool>,
    /// Its URIs (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<bool>,
}
