//! A log file: lines are handed over without waiting and written by a thread of the file's own.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Lines that may wait to be written.
const QUEUE: usize = 8192;
/// Bytes that are written at once, about.
const BATCH: usize = 256 * 1024;
/// How long before a file that cannot be opened is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// A file that lines are appended to. Its thread ends, with everything written, when this is dropped.
#[derive(Debug)]
pub(crate) struct LogFile {
    lines: SyncSender<Vec<u8>>,
}

impl LogFile {
    /// Starts the file's thread; the file itself is opened there.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(path: PathBuf) -> io::Result<Self> {
        let (lines, queue) = sync_channel(QUEUE);
        std::thread::Builder::new().name("serin-access-log".to_owned()).spawn(move || write_all(&path, &queue))?;
        Ok(Self { lines })
    }

    /// Hands a line over. False when it was dropped, because too many are waiting.
    pub(crate) fn put(&self, line: Vec<u8>) -> bool {
        self.lines.try_send(line).is_ok()
    }
}

fn write_all(path: &Path, queue: &Receiver<Vec<u8>>) {
    let mut file = None;
    let mut told = false;
    let mut batch = Vec::new();
    loop {
        match queue.recv_timeout(RETRY) {
            Ok(line) => batch.extend_from_slice(&line),
            Err(RecvTimeoutError::Timeout) if batch.is_empty() => continue,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) if batch.is_empty() => return,
            Err(RecvTimeoutError::Disconnected) => {}
        }
        while batch.len() < BATCH
            && let Ok(line) = queue.try_recv()
        {
            batch.extend_from_slice(&line);
        }
        let written = current(path, &mut file).and_then(|file| file.write_all(&batch));
        if let Err(error) = &written {
            file = None;
            if !told {
                tracing::error!(%error, path = %path.display(), "an access log cannot be written");
            }
        }
        told = written.is_err();
        batch.clear();
    }
}

/// The open file, opened anew where it has been moved or removed meanwhile.
fn current<'a>(path: &Path, file: &'a mut Option<File>) -> io::Result<&'a mut File> {
    let is_same = file.as_ref().is_some_and(|file| {
        let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        matches!((path.metadata().map(place), file.metadata().map(place)), (Ok(there), Ok(ours)) if there == ours)
    });
    if !is_same {
        *file = None;
    }
    match file {
        Some(file) => Ok(file),
        None => Ok(file.insert(OpenOptions::new().append(true).create(true).open(path)?)),
    }
}
