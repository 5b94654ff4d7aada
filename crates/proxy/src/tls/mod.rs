//! TLS: credentials as they are handed over, and what listeners and connections to upstreams make of them.

mod chain;
mod client;
mod client_names;
mod credential;
mod facts;
mod names;
mod peer;
mod subject;
mod table;

use std::sync::{Arc, LazyLock};

use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};
use serin_api::proxy::TlsVersion;

pub(crate) use chain::Chain;
pub(crate) use client::client_config;
pub use credential::{Credential, CredentialError, CredentialMap, Pem};
pub(crate) use facts::TlsFacts;
pub(crate) use peer::PeerCertificate;
pub(crate) use table::{TlsBuilder, TlsTable};

/// The one cryptography provider of the data plane.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    Arc::clone(&PROVIDER)
}

/// The versions from the oldest to the newest that are spoken.
fn versions(minimum: TlsVersion, maximum: TlsVersion) -> Vec<&'static SupportedProtocolVersion> {
    let all = [(TlsVersion::V1_2, &TLS12), (TlsVersion::V1_3, &TLS13)];
    all.into_iter().filter(|(version, _)| (minimum..=maximum).contains(version)).map(|(_, version)| version).collect()
}
