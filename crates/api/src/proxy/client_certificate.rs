//! What upstreams are told of the certificate that a client has shown: the header `x-forwarded-client-cert`.

use serde::{Deserialize, Serialize};

/// What is done with `x-forwarded-client-cert`, and what it tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientCertificateSettings {
    /// What is done with the header.
    pub header: ClientCertificateHeader,
    /// What it tells of a certificate, where it is written here.
    pub details: ClientCertificateDetails,
}

/// What is done with `x-forwarded-client-cert`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientCertificateHeader {
    /// It is taken out.
    #[default]
    Remove,
    /// It stays as it came where the client has shown a certificate, and else is taken out.
    Keep,
    /// The client's certificate is appended; without one, it is taken out.
    Append,
    /// It tells of the client's certificate alone; without one, it is taken out.
    Replace,
    /// It stays as it came, whoever sent it.
    KeepAlways,
}

/// What is told of a certificate beside its hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientCertificateDetails {
    /// Its subject.
    pub subject: bool,
    /// Itself.
    pub certificate: bool,
    /// Itself and those that were sent with it.
    pub chain: bool,
    /// Its host names.
    pub dns: bool,
    /// Its URIs.
    pub uri: bool,
}
