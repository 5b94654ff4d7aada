//! Writes what one run of a container prints, and tells those who follow.

use super::{KEPT_FILES, MAX_FILE_BYTES, older_file, run_file};
use jiff::Timestamp;
use parking_lot::Mutex;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;

/// Longest piece of a line that is kept together, in bytes.
const MAX_PIECE: usize = 16 << 10;

/// How far a run's log has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    /// How many pieces were written.
    pub(crate) written: u64,
    /// How many times the file was exchanged for a new one.
    pub(crate) rotations: u64,
    /// The run has ended, and everything it printed is written.
    pub(crate) ended: bool,
}

/// The log of one run.
pub(crate) struct RunLog {
    path: PathBuf,
    file: Mutex<Open>,
    progress: watch::Sender<Progress>,
}

struct Open {
    file: File,
    bytes: u64,
    /// Size at which the file is exchanged.
    limit: u64,
}

impl RunLog {
    /// Opens the log of a run, and removes those of the runs before the previous one.
    pub(crate) fn create(container_directory: &Path, restart: i32) -> io::Result<RunLog> {
        std::fs::create_dir_all(container_directory)?;
        if restart >= 2 {
            let old = run_file(container_directory, restart - 2);
            let _ = std::fs::remove_file(&old);
            for index in 1..=KEPT_FILES {
                let _ = std::fs::remove_file(older_file(&old, index));
            }
        }
        let path = run_file(container_directory, restart);
        let file = File::options().create(true).append(true).open(&path)?;
        let bytes = file.metadata()?.len();
        let open = Open { file, bytes, limit: MAX_FILE_BYTES };
        Ok(RunLog { path, file: Mutex::new(open), progress: watch::Sender::new(Progress::default()) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Says how far the log has come, now and from now on.
    pub(crate) fn follow(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Nothing more comes.
    pub(crate) fn end(&self) {
        self.progress.send_modify(|progress| progress.ended = true);
    }

    /// Writes a line, or a piece of one.
    pub(crate) fn write(&self, stream: &str, text: &[u8], complete: bool) {
        let mut line = Vec::with_capacity(text.len() + 48);
        let tag = if complete { 'F' } else { 'P' };
        // Writing to a vector cannot fail.
        let _ = write!(line, "{:.9} {stream} {tag} ", Timestamp::now());
        line.extend_from_slice(text);
        line.push(b'\n');
        let mut open = self.file.lock();
        let mut rotated = false;
        if open.bytes > 0 && open.bytes + line.len() as u64 > open.limit {
            rotated = self.rotate(&mut open).is_ok();
        }
        match open.file.write_all(&line) {
            Ok(()) => open.bytes += line.len() as u64,
            Err(error) => tracing::warn!(file = %self.path.display(), %error, "a line of a pod's log is lost"),
        }
        drop(open);
        self.progress.send_modify(|progress| {
            progress.written += 1;
            progress.rotations += u64::from(rotated);
        });
    }

    fn rotate(&self, open: &mut Open) -> io::Result<()> {
        for index in (1..KEPT_FILES).rev() {
            let _ = std::fs::rename(older_file(&self.path, index), older_file(&self.path, index + 1));
        }
        std::fs::rename(&self.path, older_file(&self.path, 1))?;
        open.file = File::options().create(true).append(true).open(&self.path)?;
        open.bytes = 0;
        Ok(())
    }

    /// Writes everything that comes out of `source`, which is the program's `stream` (`stdout` or `stderr`).
    pub(crate) async fn take(&self, stream: &'static str, source: impl AsyncRead + Unpin) {
        let mut source = BufReader::with_capacity(MAX_PIECE, source);
        let mut line = Vec::new();
        loop {
            let used = match source.fill_buf().await {
                Ok([]) => break,
                Ok(bytes) => match bytes.iter().position(|&byte| byte == b'\n') {
                    Some(end) => {
                        line.extend_from_slice(&bytes[..end]);
                        self.write(stream, &line, true);
                        line.clear();
                        end + 1
                    }
                    None => {
                        line.extend_from_slice(bytes);
                        bytes.len()
                    }
                },
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            source.consume(used);
            if line.len() >= MAX_PIECE {
                self.write(stream, &line, false);
                line.clear();
            }
        }
        if !line.is_empty() {
            self.write(stream, &line, false);
        }
    }

    #[cfg(test)]
    pub(super) fn set_limit(&self, limit: u64) {
        self.file.lock().limit = limit;
    }
}
