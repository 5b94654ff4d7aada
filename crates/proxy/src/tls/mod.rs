//! TLS: credentials as they are handed over, and what listeners make of them.

mod chain;
mod client_names;
mod credential;
mod table;

use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;

pub(crate) use chain::Chain;
pub use credential::{Credential, CredentialError, CredentialMap, Pem};
pub(crate) use table::{TlsBuilder, TlsTable};

/// The one cryptography provider of the data plane.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    Arc::clone(&PROVIDER)
}
