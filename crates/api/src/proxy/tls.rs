//! TLS: which credential is used where. Certificates and keys themselves are no part of the model: it names them, and a
//! data plane gets them by a call of its own, so that they follow their Secret even while the configuration is frozen.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Ref, ResourceId};

/// Where a certificate, its key and the roots for the other side's certificate come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CredentialSource {
    /// A Secret.
    Secret(Ref),
    /// Files, by their paths; an empty path is none.
    #[serde(rename_all = "camelCase")]
    Files {
        /// The certificate and those between it and its root.
        certificate: String,
        /// Its key.
        key: String,
        /// The roots for the other side's certificate.
        authority: String,
    },
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(secret) => write!(f, "Secret {secret}"),
            Self::Files { certificate, key, authority } => {
                let named = [certificate, key, authority].into_iter().filter(|path| !path.is_empty());
                write!(f, "files {}", named.map(String::as_str).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V1_3,
}

/// How a listener speaks TLS with clients that ask for certain names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerTls {
    /// The VirtualServices that ask for it.
    pub sources: BTreeSet<ResourceId>,
    /// The names, exact or `*.suffix`, in lower case. Disjoint from those of the listener's others.
    pub names: BTreeSet<String>,
    /// Whether it is for every name that no other has, and for clients that name none.
    pub default: bool,
    /// The certificate, its key, and the roots for clients' certificates.
    pub credential: CredentialSource,
    /// The oldest version that is spoken.
    pub minimum: TlsVersion,
    /// The newest version that is spoken.
    pub maximum: TlsVersion,
    /// What is spoken inside, by preference.
    pub alpn: Vec<String>,
    /// Whether clients must show a certificate where the credential has roots to check it against.
    pub verify_clients: bool,
    /// The names of which a client's certificate must have one; none: any certificate will do.
    pub client_names: Vec<String>,
    /// Whether sessions can be resumed.
    pub resumption: bool,
}
