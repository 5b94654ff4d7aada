//! How TLS is spoken with upstreams: a cluster's settings and its credential, ready to connect with.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SingleCertAndKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};
use serin_api::proxy::ClientTls;

use super::Credential;
use super::names::has_name;

/// How to speak TLS with a cluster's endpoints. `protocol`: what they are spoken to with, inside. `None`: the credential
/// is missing, or does not have what it takes.
pub(crate) fn client_config(
    tls: &ClientTls,
    credential: Option<&Credential>,
    protocol: &'static [u8],
) -> Option<ClientConfig> {
    if tls.credential.is_some() && credential.is_none() {
        return None;
    }
    let provider = super::provider();
    let roots = credential.and_then(|credential| credential.authority.clone());
    if roots.is_none() && !tls.names.is_empty() {
        return None;
    }
    let verifier = Verifier { provider: Arc::clone(&provider), roots, names: tls.names.clone() };
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&versions(tls)).ok()?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let certified = credential.filter(|_| tls.show_certificate).and_then(Credential::certified);
    let mut config = match certified {
        Some(certified) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(certified)))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = match tls.alpn.as_slice() {
        [] => vec![protocol.to_vec()],
        written => written.iter().map(|protocol| protocol.as_bytes().to_vec()).collect(),
    };
    Some(config)
}

fn versions(tls: &ClientTls) -> Vec<&'static SupportedProtocolVersion> {
    super::versions(tls.minimum, tls.maximum)
}

/// Checks an endpoint's certificate as Envoy does: that it leads to a root, where there are roots, and has one of the
/// names that are asked for, where some are. The name that the endpoint was asked for is no matter.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    roots: Option<Arc<RootCertStore>>,
    names: Vec<String>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        }
        if self.names.is_empty() || has_name(end_entity, &self.names) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::NotValidForName.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
