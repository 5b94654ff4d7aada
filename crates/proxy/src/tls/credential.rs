//! A certificate with its key, and the roots for the other side's certificate: read from PEM once, off the workers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serin_api::proxy::CredentialSource;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// The credentials of a data plane.
pub type CredentialMap = BTreeMap<CredentialSource, Arc<Credential>>;

/// The parts of a credential as PEM; an empty part is absent.
#[derive(Clone, Copy, Default)]
pub struct Pem<'a> {
    /// The certificate and those between it and its root.
    pub certificate: &'a [u8],
    /// The certificate's key.
    pub key: &'a [u8],
    /// Roots for the other side's certificate.
    pub authority: &'a [u8],
}

/// Why a credential cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// There is a certificate and no key.
    #[error("it has a certificate and no key")]
    NoKey,
    /// There is a key and no certificate.
    #[error("it has a key and no certificate")]
    NoCertificate,
    /// The certificate is not one.
    #[error("its certificate cannot be read: {0}")]
    Certificate(String),
    /// The key is not one.
    #[error("its key cannot be read: {0}")]
    Key(String),
    /// The key is that of another certificate.
    #[error("its key does not belong to its certificate")]
    Mismatch,
    /// The roots are none.
    #[error("its root certificates (ca.crt) cannot be read: {0}")]
    Authority(String),
}

/// A certificate with its key, roots for the other side's certificate, or both.
pub struct Credential {
    identity: Option<Identity>,
    pub(crate) authority: Option<Arc<RootCertStore>>,
    /// What it was read from, for other data planes: certificate, key, roots.
    text: [Vec<u8>; 3],
}

struct Identity {
    certified: Arc<CertifiedKey>,
    names: Vec<String>,
    uris: Vec<String>,
    not_before: i64,
    not_after: i64,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is nobody's to see.
        let names = self.identity.as_ref().map(|identity| &identity.names);
        let authority = self.authority.is_some();
        f.debug_struct("Credential").field("names", &names).field("authority", &authority).finish_non_exhaustive()
    }
}

impl Credential {
    /// Reads a credential.
    ///
    /// # Errors
    /// When a part cannot be read, or the certificate and the key do not belong together.
    pub fn new(pem: Pem<'_>) -> Result<Self, CredentialError> {
        let identity = match (pem.certificate.is_empty(), pem.key.is_empty()) {
            (true, true) => None,
            (false, true) => return Err(CredentialError::NoKey),
            (true, false) => return Err(CredentialError::NoCertificate),
            (false, false) => Some(identity(pem.certificate, pem.key)?),
        };
        let authority = match pem.authority {
            [] => None,
            pem => Some(Arc::new(roots(pem).map_err(CredentialError::Authority)?)),
        };
        let text = [pem.certificate, pem.key, pem.authority].map(<[u8]>::to_vec);
        Ok(Self { identity, authority, text })
    }

    /// What it was read from.
    pub fn pem(&self) -> Pem<'_> {
        let [certificate, key, authority] = &self.text;
        Pem { certificate, key, authority }
    }

    /// The certificate and its key, if there are any.
    pub(crate) fn certified(&self) -> Option<&Arc<CertifiedKey>> {
        self.identity.as_ref().map(|identity| &identity.certified)
    }

    /// Whether there is a certificate with its key.
    pub fn has_certificate(&self) -> bool {
        self.identity.is_some()
    }

    /// Whether there are roots for the other side's certificate.
    pub fn has_authority(&self) -> bool {
        self.authority.is_some()
    }

    /// The names that the certificate is for, in lower case.
    pub fn names(&self) -> &[String] {
        self.identity.as_ref().map_or(&[], |identity| &identity.names)
    }

    /// The URIs that the certificate is for.
    pub(super) fn uris(&self) -> &[String] {
        self.identity.as_ref().map_or(&[], |identity| &identity.uris)
    }

    /// From when to when the certificate is valid, in seconds since 1970.
    pub fn validity(&self) -> Option<(i64, i64)> {
        self.identity.as_ref().map(|identity| (identity.not_before, identity.not_after))
    }
}

fn identity(certificate: &[u8], key: &[u8]) -> Result<Identity, CredentialError> {
    let chain = certificates(certificate).map_err(CredentialError::Certificate)?;
    let leaf = chain.first().ok_or_else(|| CredentialError::Certificate(NO_CERTIFICATE.to_owned()))?;
    let (names, uris, not_before, not_after) = facts(leaf).map_err(CredentialError::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| CredentialError::Key(in_words(&error)))?;
    let certified = CertifiedKey::from_der(chain, key, &super::provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => CredentialError::Mismatch,
        error => CredentialError::Key(error.to_string()),
    })?;
    Ok(Identity { certified: Arc::new(certified), names, uris, not_before, not_after })
}

/// What is said of text without a certificate.
const NO_CERTIFICATE: &str = "there is no certificate in it (expected PEM)";

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(|error| in_words(&error))?;
    if all.is_empty() { Err(NO_CERTIFICATE.to_owned()) } else { Ok(all) }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(roots)
}

/// An error without what was read: it may be a key.
fn in_words(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "there is nothing of the kind in it (expected PEM)".to_owned(),
        pem::Error::MissingSectionEnd { .. } => "a PEM section has no end".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a PEM section begins in the wrong way".to_owned(),
        pem::Error::Base64Decode(_) => "a PEM section is not base64".to_owned(),
        _ => "it is not PEM".to_owned(),
    }
}

/// A certificate's names, URIs and validity.
fn facts(certificate: &CertificateDer<'_>) -> Result<(Vec<String>, Vec<String>, i64, i64), String> {
    let (_, parsed) =
        X509Certificate::from_der(certificate).map_err(|_| "it is not an X.509 certificate".to_owned())?;
    let alternatives = parsed.subject_alternative_name().ok().flatten();
    let (mut names, mut uris) = (Vec::new(), Vec::new());
    for name in alternatives.iter().flat_map(|extension| &extension.value.general_names) {
        match name {
            GeneralName::DNSName(name) => names.push(name.to_ascii_lowercase()),
            GeneralName::URI(uri) => uris.push((*uri).to_owned()),
            _ => {}
        }
    }
    if alternatives.is_none() {
        let common = parsed.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        names.extend(common.map(str::to_ascii_lowercase));
    }
    let validity = parsed.validity();
    Ok((names, uris, validity.not_before.timestamp(), validity.not_after.timestamp()))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn pair(names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn read(certificate: &str, key: &str, authority: &str) -> Result<Credential, CredentialError> {
        let (certificate, key, authority) = (certificate.as_bytes(), key.as_bytes(), authority.as_bytes());
        Credential::new(Pem { certificate, key, authority })
    }

    #[test]
    fn a_credential_knows_its_names_and_keeps_its_key_to_itself() {
        let (certificate, key) = pair(&["A.example", "*.b.example"]);
        let credential = read(&certificate, &key, &certificate).unwrap();
        assert_eq!(credential.names(), ["a.example", "*.b.example"]);
        assert!(credential.has_certificate() && credential.has_authority());
        let (from, to) = credential.validity().unwrap();
        assert!(from < to);
        let shown = format!("{credential:?}");
        assert!(shown.contains("a.example") && shown.len() < 120, "{shown}");
    }

    #[test]
    fn roots_alone_are_a_credential_too() {
        let credential = read("", "", &pair(&["ca"]).0).unwrap();
        assert!(!credential.has_certificate() && credential.has_authority());
    }

    #[test]
    fn each_fault_has_its_own_words_and_tells_no_secret() {
        let ((certificate, key), (_, other)) = (pair(&["a"]), pair(&["b"]));
        let broken = key.replace('\n', "");
        let cut = &certificate[..certificate.len() / 2];
        for (certificate, key, authority, words) in [
            (certificate.as_str(), "", "", "it has a certificate and no key"),
            ("", &key, "", "it has a key and no certificate"),
            (&certificate, &other, "", "its key does not belong to its certificate"),
            ("nonsense", &key, "", "its certificate cannot be read: there is no certificate in it"),
            (cut, &key, "", "its certificate cannot be read: a PEM section has no end"),
            (&certificate, "nonsense", "", "its key cannot be read: there is nothing of the kind in it"),
            (&certificate, &broken, "", "its key cannot be read: "),
            (&certificate, &certificate, "", "its key cannot be read: there is nothing of the kind in it"),
            (&certificate, &key, "nonsense", "its root certificates (ca.crt) cannot be read: there is no certificate"),
        ] {
            let error = read(certificate, key, authority).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
            assert!(error.len() < 120, "{error}");
        }
    }
}
