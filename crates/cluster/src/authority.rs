//! A certificate authority for one purpose, apart from the API's: whoever has a certificate of the API's authority is its
//! administrator, and what this one issues must not be good for that.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::home::{private_directory, private_file};
use crate::pki::{PkiError, params, signed};

/// The authority's certificate, written last, so that half a set is recognised as none.
const CERTIFICATE: &str = "ca.crt";
/// Its key.
const KEY: &str = "ca.key";

/// A certificate and its key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// An authority, kept in a directory of its own.
pub struct Authority {
    directory: PathBuf,
    name: String,
    certificate: String,
    key: String,
}

impl Authority {
    /// Reads the authority in `directory`, making one called `name` when there is none. The directory has mode 0700, its
    /// files 0600.
    ///
    /// # Errors
    /// When it cannot be written, or what is there cannot be used.
    pub fn load(directory: &Path, name: &str) -> Result<Self, PkiError> {
        private_directory(directory)?;
        let unusable = |reason: String| PkiError::Unusable { directory: directory.to_owned(), reason };
        if !(directory.join(CERTIFICATE).is_file() && directory.join(KEY).is_file()) {
            let made = generate(name).map_err(|error| unusable(error.to_string()))?;
            private_file(&directory.join(KEY), &made.key)?;
            private_file(&directory.join(CERTIFICATE), &made.certificate)?;
        }
        let read = |file: &str| {
            let path = directory.join(file);
            std::fs::read_to_string(path).map_err(|error| unusable(format!("{file}: {error}")))
        };
        let authority = Self {
            directory: directory.to_owned(),
            name: name.to_owned(),
            certificate: read(CERTIFICATE)?,
            key: read(KEY)?,
        };
        authority.issuer()?;
        Ok(authority)
    }

    /// Its certificate, as PEM: what the other side has to trust.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for a server called `name`.
    ///
    /// # Errors
    /// When `name` cannot be in a certificate.
    pub fn server(&self, name: &str) -> Result<Identity, PkiError> {
        self.issue(name, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a client called `name`: its common name and its only DNS name.
    ///
    /// # Errors
    /// When `name` cannot be in a certificate.
    pub fn client(&self, name: &str) -> Result<Identity, PkiError> {
        self.issue(name, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> Result<Identity, PkiError> {
        let unusable = |error: rcgen::Error| self.unusable(&error);
        let params = params(name, vec![name.to_owned()]).map_err(unusable)?;
        let (certificate, key) = signed(params, usage, &self.issuer()?).map_err(unusable)?;
        Ok(Identity { certificate, key })
    }

    fn issuer(&self) -> Result<Issuer<'static, KeyPair>, PkiError> {
        let key = KeyPair::from_pem(&self.key).map_err(|error| self.unusable(&error))?;
        Ok(Issuer::new(authority_params(&self.name).map_err(|error| self.unusable(&error))?, key))
    }

    fn unusable(&self, error: &rcgen::Error) -> PkiError {
        PkiError::Unusable { directory: self.directory.clone(), reason: error.to_string() }
    }
}

fn generate(name: &str) -> Result<Identity, rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = authority_params(name)?.self_signed(&key)?;
    Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
}

fn authority_params(name: &str) -> Result<rcgen::CertificateParams, rcgen::Error> {
    let mut params = params(name, Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_authority_is_made_once_and_is_the_owners_alone() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("a/pki");
        let first = Authority::load(&directory, "serin-test").unwrap();
        let again = Authority::load(&directory, "serin-test").unwrap();
        assert_eq!(first.certificate(), again.certificate());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&directory), mode(&directory.join(KEY))), (0o700, 0o600));
        assert!(again.client("node-1").unwrap() != first.client("node-1").unwrap(), "each has a key of its own");
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_directory() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(CERTIFICATE), "x").unwrap();
        std::fs::write(home.path().join(KEY), "x").unwrap();
        let said = Authority::load(home.path(), "serin-test").err().unwrap().to_string();
        assert!(said.contains(home.path().to_str().unwrap()) && said.contains("Remove that directory"), "{said}");
        let authority = Authority::load(&home.path().join("new"), "serin-test").unwrap();
        assert!(authority.client("ü").is_err());
    }
}
