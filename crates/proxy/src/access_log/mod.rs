//! Access logs: a line for each request, in the formats of its listener.
//!
//! Formats are read once, when the configuration is compiled. What a line needs is remembered with the request; the line
//! is made when the request is over and handed to the file's own thread. A worker never waits for a file: a line that
//! finds its queue full is dropped and counted.

mod filter;
mod flags;
mod grpc;
mod line;
mod record;
mod value;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::HeaderName;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serin_api::proxy::AccessLog;
use serin_api::{HeaderSource, Operator, Peer};

use crate::worker::ConnectionState;
use filter::Filter;
pub(crate) use flags::Flags;
use line::Line;
pub(crate) use record::{Outcome, Record};
use writer::LogFile;

/// The logs of a listener.
#[derive(Debug)]
pub(crate) struct AccessLogs {
    logs: Vec<Log>,
    request_names: Vec<HeaderName>,
    response_names: Vec<HeaderName>,
    trailer_names: Vec<HeaderName>,
    /// Whether something is said of TLS with endpoints.
    upstream_tls: bool,
}

/// One of them.
#[derive(Debug)]
struct Log {
    line: Line,
    filter: Option<Filter>,
    file: Arc<LogFile>,
}

/// What is known when a request is over.
pub(crate) struct End<'a> {
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
    pub(crate) route: &'a str,
    pub(crate) cluster: &'a str,
    pub(crate) connection: &'a ConnectionState,
}

/// What formats and filters ask for.
#[derive(Default)]
struct Names {
    request: Vec<HeaderName>,
    response: Vec<HeaderName>,
    trailer: Vec<HeaderName>,
    upstream_tls: bool,
}

impl Names {
    fn add(&mut self, operator: &Operator) {
        match operator {
            Operator::RequestHeader(source) | Operator::RequestHeaderWithoutQuery(source) => {
                add_names(&mut self.request, source);
            }
            Operator::ResponseHeader(source) => add_names(&mut self.response, source),
            Operator::Trailer(source) => add_names(&mut self.trailer, source),
            Operator::StreamId => add_name(&mut self.request, "x-request-id"),
            Operator::GrpcStatus(_) => self.add_grpc_status(),
            Operator::TlsVersion(Peer::Endpoint)
            | Operator::TlsCipher(Peer::Endpoint)
            | Operator::Peer(Peer::Endpoint, _) => self.upstream_tls = true,
            _ => {}
        }
    }

    fn add_grpc_status(&mut self) {
        add_name(&mut self.response, "grpc-status");
        add_name(&mut self.trailer, "grpc-status");
    }
}

fn add_names(list: &mut Vec<HeaderName>, source: &HeaderSource) {
    for name in [Some(&source.name), source.or.as_ref()].into_iter().flatten() {
        add_name(list, name);
    }
}

fn add_name(list: &mut Vec<HeaderName>, name: &str) {
    // A name that no header can have is a pseudo-header, or never there.
    if let Ok(name) = HeaderName::try_from(name)
        && !list.contains(&name)
    {
        list.push(name);
    }
}

/// The files that are open, so that listeners and configurations share them.
#[derive(Debug, Default)]
pub(crate) struct LogFiles(Mutex<FxHashMap<PathBuf, Weak<LogFile>>>);

impl LogFiles {
    /// The logs of a listener; `None` when there are none. What cannot be used is left out and said in our own log:
    /// a format that cannot be read does not come this far.
    pub(crate) fn open(&self, logs: &[AccessLog]) -> Option<Arc<AccessLogs>> {
        let mut names = Names::default();
        let mut opened = Vec::new();
        for log in logs {
            let filter = log.filter.as_ref().map(|filter| Filter::new(filter, &mut names)).transpose();
            match (Line::new(&log.format, &mut names), filter, self.file(&log.path)) {
                (Ok(line), Ok(filter), Ok(file)) => opened.push(Log { line, filter, file }),
                (Err(error), ..) => tracing::error!(%error, path = log.path, "an access log's format cannot be read"),
                (_, Err(error), _) => tracing::error!(%error, path = log.path, "an access log's filter cannot be read"),
                (.., Err(error)) => {
                    tracing::error!(%error, path = log.path, "an access log's thread cannot be started");
                }
            }
        }
        let logs = AccessLogs {
            logs: opened,
            request_names: names.request,
            response_names: names.response,
            trailer_names: names.trailer,
            upstream_tls: names.upstream_tls,
        };
        (!logs.logs.is_empty()).then(|| Arc::new(logs))
    }

    fn file(&self, path: &str) -> std::io::Result<Arc<LogFile>> {
        let mut files = self.0.lock();
        files.retain(|_, file| file.strong_count() > 0);
        if let Some(file) = files.get(&PathBuf::from(path)).and_then(Weak::upgrade) {
            return Ok(file);
        }
        let file = Arc::new(LogFile::start(path.into())?);
        files.insert(path.into(), Arc::downgrade(&file));
        Ok(file)
    }
}

impl Record {
    /// Writes the request to all logs; returns how many lines were dropped.
    pub(crate) fn write(&self, end: &End<'_>) -> u64 {
        let asked =
            self.logs.logs.iter().filter(|log| log.filter.as_ref().is_none_or(|filter| filter.passes(self, end)));
        asked.filter(|log| !log.file.put(log.line.fill(self, end))).count() as u64
    }
}
