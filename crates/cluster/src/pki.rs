//! The cluster's own certificate authority, the server's certificate, and the administrator's credential.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use crate::home::{Home, HomeError, private_directory, private_file};

/// Years a certificate is valid: the home belongs to one machine and outlives no laptop.
const YEARS: i32 = 10;

/// Why there are no certificates.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// They cannot be kept.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// They cannot be read back.
    #[error("cannot use the certificates in {}: {reason}. Remove that directory to have new ones made", directory.display())]
    Unusable {
        /// `pki` in the home directory.
        directory: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Certificates and keys, as PEM.
pub(crate) struct Pki {
    directory: PathBuf,
    ca: String,
    server: (String, String),
    admin: (String, String),
}

impl Pki {
    /// Reads the certificates of a home, making them when there are none.
    ///
    /// # Errors
    /// [`PkiError::Unusable`] when what is there cannot be used.
    pub(crate) fn load(home: &Home) -> Result<Pki, PkiError> {
        let directory = home.join("pki");
        private_directory(&directory)?;
        let complete = ["ca.crt", "server.crt", "server.key", "admin.crt", "admin.key"]
            .iter()
            .all(|file| directory.join(file).is_file());
        if !complete {
            let unusable =
                |error: rcgen::Error| PkiError::Unusable { directory: directory.clone(), reason: error.to_string() };
            for (file, contents) in generate().map_err(unusable)? {
                private_file(&directory.join(file), &contents)?;
            }
        }
        let read = |file: &str| {
            let unusable = |error: std::io::Error| PkiError::Unusable {
                directory: directory.clone(),
                reason: format!("{file}: {error}"),
            };
            std::fs::read_to_string(directory.join(file)).map_err(unusable)
        };
        let ca = read("ca.crt")?;
        let server = (read("server.crt")?, read("server.key")?);
        let admin = (read("admin.crt")?, read("admin.key")?);
        Ok(Pki { directory, ca, server, admin })
    }

    /// The TLS configuration of the server: clients may show a certificate of this CA, and who shows none is told 401.
    ///
    /// # Errors
    /// [`PkiError::Unusable`].
    pub(crate) fn server_config(&self) -> Result<rustls::ServerConfig, PkiError> {
        let unusable = |error: &dyn std::fmt::Display| PkiError::Unusable {
            directory: self.directory.clone(),
            reason: error.to_string(),
        };
        let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| unusable(&e));
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&self.ca)?).map_err(|e| unusable(&e))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(|e| unusable(&e))?;
        let key = PrivateKeyDer::from_pem_slice(self.server.1.as_bytes()).map_err(|e| unusable(&e))?;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| unusable(&e))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate(&self.server.0)?], key)
            .map_err(|e| unusable(&e))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Writes the kubeconfig of the administrator for a server at `address`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write_kubeconfig(&self, path: &Path, address: std::net::SocketAddr) -> Result<(), HomeError> {
        let encode = |pem: &str| base64::engine::general_purpose::STANDARD.encode(pem);
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: serin\nclusters:\n- name: serin\n  cluster:\n    server: https://{address}\n    \
             certificate-authority-data: {}\ncontexts:\n- name: serin\n  context:\n    cluster: serin\n    user: serin-admin\n\
             users:\n- name: serin-admin\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\n",
            encode(&self.ca),
            encode(&self.admin.0),
            encode(&self.admin.1),
        );
        private_file(path, &text)
    }
}

/// A new authority and the certificates it signs; its key is written first and the rest later, so that half a set is
/// recognised as none.
fn generate() -> Result<[(&'static str, String); 6], rcgen::Error> {
    let ca_key = KeyPair::generate()?;
    let mut params = params("serin-ca", Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let ca = params.self_signed(&ca_key)?;
    let ca_pem = ca.pem();
    let ca_key_pem = ca_key.serialize_pem();
    let issuer = Issuer::new(params, ca_key);

    let names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(String::from);
    let mut server = self::params("serin-apiserver", names.to_vec())?;
    let addresses = [std::net::Ipv4Addr::LOCALHOST.into(), std::net::Ipv6Addr::LOCALHOST.into()];
    server.subject_alt_names.extend(addresses.map(SanType::IpAddress));
    let (server_pem, server_key) = signed(server, ExtendedKeyUsagePurpose::ServerAuth, &issuer)?;

    let mut admin = self::params("serin-admin", Vec::new())?;
    admin.distinguished_name.push(DnType::OrganizationName, "system:masters");
    let (admin_pem, admin_key) = signed(admin, ExtendedKeyUsagePurpose::ClientAuth, &issuer)?;
    Ok([
        ("ca.key", ca_key_pem),
        ("server.key", server_key),
        ("server.crt", server_pem),
        ("admin.key", admin_key),
        ("admin.crt", admin_pem),
        ("ca.crt", ca_pem),
    ])
}

pub(crate) fn params(name: &str, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let year = i32::from(jiff::Zoned::now().year());
    params.not_before = rcgen::date_time_ymd(year - 1, 1, 1);
    params.not_after = rcgen::date_time_ymd(year + YEARS, 1, 1);
    Ok(params)
}

pub(crate) fn signed(
    mut params: CertificateParams,
    usage: ExtendedKeyUsagePurpose,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    let certificate = params.signed_by(&key, issuer)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
