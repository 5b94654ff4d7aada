//! How TLS is spoken with clients that ask for certain names: one of a listener's certificates, ready to be served.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use serin_api::ResourceId;
use serin_api::proxy::ServerTls;

use super::Credential;
use super::client_names::NamedClients;

/// A certificate, ready to be served.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(super) spec: Arc<ServerTls>,
    pub(super) credential: Arc<Credential>,
    /// Whether clients have shown a certificate that was verified.
    verifies: bool,
    config: Arc<ServerConfig>,
    /// For clients that speak nothing of what is offered: they are served as if they had not asked.
    without_alpn: Arc<ServerConfig>,
}

impl Chain {
    /// The chain of a credential; `None` when it has no certificate, or cannot be checked as asked. Nothing is served
    /// then rather than something unchecked.
    pub(super) fn new(spec: &Arc<ServerTls>, credential: &Arc<Credential>) -> Option<Self> {
        let certified = Arc::clone(credential.certified()?);
        let verifier = match &credential.authority {
            Some(_) if !spec.verify_clients => None,
            None if spec.client_names.is_empty() || !spec.verify_clients => None,
            None => return None,
            Some(roots) => {
                let inner = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), super::provider());
                let inner = inner.build().ok()?;
                Some(match spec.client_names.as_slice() {
                    [] => inner,
                    names => Arc::new(NamedClients { inner, names: names.to_vec() }) as Arc<dyn ClientCertVerifier>,
                })
            }
        };
        let versions = super::versions(spec.minimum, spec.maximum);
        let builder = ServerConfig::builder_with_provider(super::provider()).with_protocol_versions(&versions).ok()?;
        let verifies = verifier.is_some();
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        if !spec.resumption {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        let without_alpn = Arc::new(config.clone());
        config.alpn_protocols = spec.alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let (spec, credential) = (Arc::clone(spec), Arc::clone(credential));
        Some(Self { spec, credential, verifies, config: Arc::new(config), without_alpn })
    }

    /// How to go on with a client that said this.
    pub(crate) fn config(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let offered = &self.config.alpn_protocols;
        let common = hello.alpn().is_none_or(|mut asked| asked.any(|asked| offered.iter().any(|offer| offer == asked)));
        Arc::clone(if common { &self.config } else { &self.without_alpn })
    }

    /// Whether clients with this chain have shown a certificate that `source` accepts.
    pub(super) fn vouches_for(&self, source: &ResourceId) -> bool {
        self.verifies && self.spec.sources.contains(source)
    }

    /// The URIs that its certificate is for.
    pub(super) fn uris(&self) -> &[String] {
        self.credential.uris()
    }

    /// Whether clients have to show a certificate.
    pub(super) fn verifies(&self) -> bool {
        self.verifies
    }
}
