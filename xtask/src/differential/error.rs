//! Why the two could not be compared.

use std::io;

/// Why the two could not be compared, or that they differ.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DifferentialError {
    #[error("there is no Envoy: put it on the PATH (.ci/tools envoy) or name it with --envoy")]
    NoEnvoy,
    #[error("cannot start {0}")]
    Envoy(String, #[source] io::Error),
    #[error("Envoy did not take over the configurations within {0} s")]
    NotSettled(u64),
    #[error("Envoy refused {0}: {1}")]
    Refused(String, String),
    #[error("Serin's data plane did not start")]
    Start(#[from] serin_proxy::StartError),
    #[error("Serin's data plane refused a configuration")]
    Apply(#[from] serin_proxy::ApplyError),
    #[error("the listener {0} is not open")]
    NoListener(String),
    #[error("a drawn resource is not one: {0}")]
    Manifest(String),
    #[error("{0} differences")]
    Different(usize),
    #[error("cannot make certificates")]
    Certificates(#[from] rcgen::Error),
    #[error("cannot use the certificates")]
    Tls(#[from] rustls::Error),
    #[error("Serin's data plane refused a certificate")]
    Credential(#[from] serin_proxy::CredentialError),
    #[error(transparent)]
    Io(#[from] io::Error),
}
