//! The certificate with which every proxy answers over TLS, and the client that asks it before it is measured.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::error::BenchError;
use super::probe::HOST;

/// A certificate for [`HOST`] that signs itself, with a key of the curve P-256, as files and as a client's trust.
pub(crate) struct Identity {
    /// The file of the certificate, in PEM.
    pub(crate) certificate: PathBuf,
    /// The file of the key, in PEM.
    pub(crate) key: PathBuf,
    client: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Identity {
    /// Makes one and writes its files into `directory`.
    pub(crate) fn make(directory: &Path) -> Result<Identity, BenchError> {
        let pair = KeyPair::generate()?;
        let certificate = CertificateParams::new([HOST.to_owned()])?.self_signed(&pair)?;
        let identity = Identity {
            certificate: directory.join("certificate.pem"),
            key: directory.join("key.pem"),
            client: Arc::new(client(certificate.der().clone())?),
            name: ServerName::try_from(HOST).map_err(io::Error::other)?,
        };
        fs::write(&identity.certificate, certificate.pem())?;
        fs::write(&identity.key, pair.serialize_pem())?;
        Ok(identity)
    }

    /// The stream with TLS on it, as a client speaks that trusts this certificate alone.
    pub(crate) fn client(&self, stream: TcpStream) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let connection =
            ClientConnection::new(Arc::clone(&self.client), self.name.clone()).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }
}

fn client(trusted: CertificateDer<'static>) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
