//! How the API server gets at the logs of pods: from whoever runs them.

use std::pin::Pin;

use bytes::Bytes;
use futures::Stream;
use futures::future::BoxFuture;

/// Which part of a container's log is wanted; as the parameters of `pods/log`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Its uid: a pod of the same name may have gone before.
    pub uid: String,
    /// The container; always one that the pod has.
    pub container: String,
    /// Go on sending what is written from now on.
    pub follow: bool,
    /// Of the container's run before the last restart.
    pub previous: bool,
    /// Put an RFC 3339 time before each line.
    pub timestamps: bool,
    /// Only the last so many lines.
    pub tail_lines: Option<u64>,
    /// Only what is at most so many seconds old.
    pub since_seconds: Option<u64>,
    /// Only what was written after this RFC 3339 time.
    pub since_time: Option<String>,
    /// At most so many bytes.
    pub limit_bytes: Option<u64>,
}

/// The text of a log as it comes.
pub type LogStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Why there is no log; the text is shown to the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The container has not been started, or has no earlier run; 400.
    #[error("{0}")]
    NotThere(String),
    /// It cannot be read; 500.
    #[error("{0}")]
    Failed(String),
}

/// Reads the logs of pods. The node implements it.
pub trait LogSource: Send + Sync {
    /// Opens the log that `query` asks for.
    fn open(&self, query: LogQuery) -> BoxFuture<'static, Result<LogStream, LogError>>;
}

/// Where no node runs there are no logs.
pub struct NoLogs;

impl LogSource for NoLogs {
    fn open(&self, query: LogQuery) -> BoxFuture<'static, Result<LogStream, LogError>> {
        Box::pin(async move { Err(LogError::NotThere(format!("no node runs the pod \"{}\"", query.pod))) })
    }
}
