//! What can go wrong in a benchmark, in words for the person who started it.

use std::io;
use std::path::PathBuf;

/// Why a benchmark gave no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("missing on this machine:\n{0}")]
    MissingTools(String),
    #[error("cannot start {program}")]
    Start { program: String, source: io::Error },
    #[error("{program} ended at once ({status}); it said:\n{output}")]
    Ended { program: String, status: String, output: String },
    #[error("{program} did not give the expected answer within {seconds} s: {last}")]
    NotReady { program: String, seconds: u64, last: String },
    #[error("`{command}` failed ({status}):\n{output}")]
    Command { command: String, status: String, output: String },
    #[error("wrk's report of {proxy} was not understood:\n{output}")]
    Report { proxy: String, output: String },
    #[error(
        "{errors} of {requests} requests to {proxy} failed in scenario {scenario}; figures with errors say nothing"
    )]
    FailedRequests { proxy: String, scenario: String, errors: u64, requests: u64 },
    #[error("the process {pid} of {proxy} is gone: it ended while it was measured")]
    Gone { proxy: String, pid: u32 },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot speak TLS")]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}
