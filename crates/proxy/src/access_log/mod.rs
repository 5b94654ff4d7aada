//! Access logs: a line for each request, in the formats of its listener.
//!
//! Formats are read once, when the configuration is compiled. What a line needs is remembered with the request; the line
//! is made when the request is over and handed to the file's own thread. A worker never waits for a file: a line that
//! finds its queue full is dropped and counted.

mod flags;
mod line;
mod record;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::HeaderName;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serin_api::LogOperator;
use serin_api::proxy::AccessLog;

pub(crate) use flags::Flags;
use line::Line;
pub(crate) use record::{Outcome, Record};
use writer::LogFile;

/// The logs of a listener.
#[derive(Debug)]
pub(crate) struct AccessLogs {
    logs: Vec<(Line, Arc<LogFile>)>,
    request_names: Vec<HeaderName>,
    response_names: Vec<HeaderName>,
}

/// What is known when a request is over.
pub(crate) struct End<'a> {
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
    pub(crate) route: &'a str,
    pub(crate) cluster: &'a str,
}

/// The headers that formats name.
#[derive(Default)]
struct Names {
    request: Vec<HeaderName>,
    response: Vec<HeaderName>,
}

impl Names {
    fn add(&mut self, operator: &LogOperator) {
        let (list, first, second) = match operator {
            LogOperator::RequestHeader(first, second) => (&mut self.request, first, second),
            LogOperator::ResponseHeader(first, second) => (&mut self.response, first, second),
            _ => return,
        };
        for name in [Some(first), second.as_ref()].into_iter().flatten() {
            // A name that no header can have is a pseudo-header, or never there.
            if let Ok(name) = HeaderName::try_from(name.as_str())
                && !list.contains(&name)
            {
                list.push(name);
            }
        }
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
            match (Line::new(&log.format, &mut names), self.file(&log.path)) {
                (Ok(line), Ok(file)) => opened.push((line, file)),
                (Err(error), _) => tracing::error!(%error, path = log.path, "an access log's format cannot be read"),
                (_, Err(error)) => tracing::error!(%error, path = log.path, "an access log's thread cannot be started"),
            }
        }
        let logs = AccessLogs { logs: opened, request_names: names.request, response_names: names.response };
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
        self.logs.logs.iter().filter(|(line, file)| !file.put(line.fill(self, end))).count() as u64
    }
}
