//! The one cryptography provider of the process.

/// Makes `ring` the provider of rustls, once.
pub(crate) fn install() {
    // An error means that it was installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
