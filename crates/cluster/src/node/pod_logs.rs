//! Answers the API server when somebody reads a container's log.

use super::Node;
use super::logs::{Selection, read, run_file};
use crate::informer::ObjectKey;
use crate::logs::{LogError, LogQuery, LogSource, LogStream};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};

impl LogSource for Node {
    fn open(&self, query: LogQuery) -> BoxFuture<'static, Result<LogStream, LogError>> {
        let opened = self.open_log(&query);
        Box::pin(async move { opened })
    }
}

impl Node {
    fn open_log(&self, query: &LogQuery) -> Result<LogStream, LogError> {
        let since = match (&query.since_time, query.since_seconds) {
            (Some(time), _) => Some(
                time.parse::<Timestamp>()
                    .map_err(|error| LogError::NotThere(format!("sinceTime: \"{time}\" is not a time: {error}")))?,
            ),
            (None, Some(seconds)) => {
                let back = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
                Timestamp::now().checked_sub(back).ok()
            }
            (None, None) => None,
        };
        let size = |number: Option<u64>| number.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        let selection = Selection {
            follow: query.follow,
            timestamps: query.timestamps,
            since,
            tail: size(query.tail_lines),
            limit: size(query.limit_bytes),
        };
        let LogQuery { container, pod, namespace, uid, .. } = query;
        let key = ObjectKey::new(namespace, pod);
        let running = {
            let pods = self.shared.pods.lock();
            pods.get(&key).filter(|running| running.context.uid == *uid).map(|running| running.context.clone())
        };
        let present = running.as_ref().and_then(|context| context.records.log(container));
        if let (Some(log), false) = (&present, query.previous) {
            return Ok(read(log.path().to_owned(), &selection, Some(log.follow())));
        }
        let record = running.as_ref().and_then(|context| context.records.get(container));
        let directory = self.shared.home.join("logs/pods").join(format!("{namespace}_{pod}_{uid}")).join(container);
        let latest = match &present {
            Some(log) => run_of(log.path()),
            None => latest_run(&directory),
        };
        let run = if query.previous { latest.map(|run| run - 1) } else { latest };
        match run.map(|run| run_file(&directory, run)).filter(|file| file.exists()) {
            Some(file) => Ok(read(file, &selection, None)),
            None if query.previous => Err(LogError::NotThere(format!(
                "previous terminated container \"{container}\" in pod \"{pod}\" not found"
            ))),
            None => {
                let waiting = record.and_then(|record| record.state.waiting);
                let why = waiting.map_or_else(
                    || "it has not run".to_owned(),
                    |waiting| match (waiting.reason, waiting.message) {
                        (Some(reason), Some(message)) => format!("{reason}: {message}"),
                        (reason, message) => reason.or(message).unwrap_or_default(),
                    },
                );
                Err(LogError::NotThere(format!(
                    "container \"{container}\" in pod \"{pod}\" is waiting to start: {why}"
                )))
            }
        }
    }
}

fn run_of(file: &Path) -> Option<i32> {
    file.file_stem()?.to_str()?.parse().ok()
}

/// The number of the newest run that has a log.
fn latest_run(directory: &Path) -> Option<i32> {
    let entries = std::fs::read_dir(directory).ok()?;
    let files = entries.flatten().map(|entry| PathBuf::from(entry.file_name()));
    files
        .filter(|file| file.extension().is_some_and(|extension| extension == "log"))
        .filter_map(|file| run_of(&file))
        .max()
}
