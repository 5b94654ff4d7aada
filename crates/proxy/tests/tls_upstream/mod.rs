//! An upstream that speaks TLS, and tells in each answer what it was asked for and shown.
#![allow(dead_code, unreachable_pub)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::certificates::Identity;

/// A running upstream; it stops when this is dropped.
pub struct TlsUpstream {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

/// How it speaks TLS: it asks for certificates where `identity` has roots for them.
pub fn config(identity: &Identity, alpn: &[&str], versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions);
    let builder = builder.expect("versions");
    let builder = if identity.authority.is_empty() {
        builder.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(identity.authority.as_bytes()).expect("a root")).expect("a root");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
    };
    let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("a key");
    let mut config = builder.with_single_cert(chain, key).expect("a configuration");
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config
}

impl TlsUpstream {
    pub fn start(config: ServerConfig) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let session = stream.get_ref().1;
                    let told = format!(
                        "sni {:?} alpn {:?} version {:?} shown {}",
                        session.server_name().unwrap_or_default(),
                        String::from_utf8_lossy(session.alpn_protocol().unwrap_or_default()),
                        session.protocol_version().expect("a version"),
                        session.peer_certificates().map_or(0, <[_]>::len),
                    );
                    let service = service_fn(move |request| answer(told.clone(), request));
                    let connection = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = connection.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, connections, _runtime: runtime }
    }
}

/// `/big` is answered with a lot, `/upload` with how much came, everything else with what was told.
async fn answer(told: String, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = match path.as_str() {
        "/big" => vec![b'x'; 4 << 20].into(),
        "/upload" => request.into_body().collect().await.expect("a body").to_bytes().len().to_string().into(),
        _ => Bytes::from(told),
    };
    Ok(Response::new(Full::new(body)))
}
