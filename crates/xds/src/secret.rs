//! Secrets: certificates, keys and roots, as resources of their own. When one changes nothing else is sent again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::{DataSource, data_source};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::secret::Type;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, Secret, TlsCertificate,
};
use serin_api::proxy::CredentialSource;

use crate::transport::{authority_name, certificate_name};

/// What is in a credential, as PEM; an empty part is absent.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText {
    /// The certificate and those between it and its root.
    pub certificate: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
    /// The roots for the other side's certificate.
    pub authority: Vec<u8>,
}

/// Credentials by where they come from.
pub type SecretMap = BTreeMap<CredentialSource, Arc<SecretText>>;

/// Without the key.
impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretText").field("certificate", &self.has_certificate()).finish_non_exhaustive()
    }
}

impl SecretText {
    /// Whether there is a certificate with its key.
    pub(crate) fn has_certificate(&self) -> bool {
        !self.certificate.is_empty() && !self.key.is_empty()
    }

    /// Whether there are roots.
    pub(crate) fn has_authority(&self) -> bool {
        !self.authority.is_empty()
    }

    /// The secrets of a credential. Its roots are one even where there are none: who asks for them would wait for ever.
    pub(crate) fn secrets(&self, source: &CredentialSource) -> Vec<Secret> {
        let certificate = self.has_certificate().then(|| Secret {
            name: certificate_name(source),
            r#type: Some(Type::TlsCertificate(TlsCertificate {
                certificate_chain: Some(inline(&self.certificate)),
                private_key: Some(inline(&self.key)),
                ..TlsCertificate::default()
            })),
        });
        let roots = CertificateValidationContext {
            trusted_ca: self.has_authority().then(|| inline(&self.authority)),
            ..CertificateValidationContext::default()
        };
        let authority = Secret { name: authority_name(source), r#type: Some(Type::ValidationContext(roots)) };
        certificate.into_iter().chain([authority]).collect()
    }
}

fn inline(bytes: &[u8]) -> DataSource {
    let specifier = Some(data_source::Specifier::InlineBytes(bytes.to_vec()));
    DataSource { specifier, ..DataSource::default() }
}
