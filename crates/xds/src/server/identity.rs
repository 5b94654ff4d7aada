//! Who the two sides of a stream are: certificates of one authority, and the name in a client's.

use std::fmt;

use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use tonic::{Request, Status};
use x509_parser::prelude::{FromDer, X509Certificate};

/// What a server shows, and whom it lets in. All of it is PEM.
#[derive(Clone)]
pub struct ServerIdentity {
    /// The server's certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// The authority that clients' certificates must be of.
    pub authority: String,
}

/// Without the key.
impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl ServerIdentity {
    pub(super) fn config(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(Identity::from_pem(&self.certificate, &self.key))
            .client_ca_root(Certificate::from_pem(&self.authority))
    }
}

/// Who has opened a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// Somebody, over plain text.
    Anyone,
    /// The bearer of a certificate with this name.
    Named(String),
}

impl Client {
    /// Whether it may call itself `node`.
    pub(super) fn admit(&self, node: &str) -> Result<(), Status> {
        match self {
            Self::Named(name) if name != node => Err(Status::permission_denied(format!(
                "the certificate is the one of node {name:?}, and not of {node:?}: each Envoy needs a bootstrap of its own"
            ))),
            _ => Ok(()),
        }
    }
}

/// Who sends `request`.
pub(super) fn client<T>(request: &Request<T>) -> Result<Client, Status> {
    // Without TLS there are none, and with it there is at least one.
    let Some(certificates) = request.peer_certs() else { return Ok(Client::Anyone) };
    let name = certificates.first().and_then(|certificate| common_name(certificate));
    name.map(Client::Named).ok_or_else(|| Status::unauthenticated("the certificate has no name"))
}

fn common_name(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_good_for_one_name() {
        let named = Client::Named("a".to_owned());
        assert!(named.admit("a").is_ok() && Client::Anyone.admit("b").is_ok());
        let refused = named.admit("b").unwrap_err();
        assert!(refused.message().contains("\"a\"") && refused.message().contains("\"b\""));
        assert_eq!(common_name(b"no certificate"), None);
    }
}
