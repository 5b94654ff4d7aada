//! A program that runs beside serin for as long as serin does: started again when it ends, its output in a file.
//!
//! It runs under the same shim as the programs of pods, so it ends with serin however that ends.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::node::BackOff;
use crate::node::process::{Launch, Outcome, Process, Spawner};

/// How long a program gets to end by itself when it is told to.
const GRACE: Duration = Duration::from_secs(5);
/// A log that has grown to this many bytes makes room for a new one; the one before it is kept.
const LOG_BYTES: u64 = 16 << 20;

/// What a companion is started with.
#[derive(Clone, Debug)]
pub struct CompanionOptions {
    /// What it is called in messages.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// What it is started with.
    pub args: Vec<OsString>,
    /// The file that gets its output; made with mode 0600.
    pub log: PathBuf,
    /// The directory that it runs in.
    pub directory: PathBuf,
    /// The `serin` binary, which runs itself as the shim.
    pub self_exe: PathBuf,
    /// How long it waits before it starts again.
    pub back_off: BackOff,
}

/// How a companion is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompanionState {
    /// Whether it runs.
    pub running: bool,
    /// How often it was started.
    pub starts: u32,
    /// How its last run ended, in words; `None` while the first goes on.
    pub ended: Option<String>,
}

/// A program that is kept running. It ends when this is dropped.
pub struct Companion {
    state: watch::Receiver<CompanionState>,
    stopping: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Companion {
    /// Starts the program, and again whenever it ends.
    ///
    /// # Errors
    /// When the log cannot be written, or there is no thread to start programs from.
    pub fn start(options: CompanionOptions) -> io::Result<Self> {
        let log = Arc::new(Mutex::new(Log::open(&options.log)?));
        let spawner = Spawner::start(options.self_exe.clone())?;
        let (sender, state) = watch::channel(CompanionState::default());
        let stopping = CancellationToken::new();
        let task = tokio::spawn(keep(options, spawner, log, sender, stopping.clone()));
        Ok(Self { state, stopping, task })
    }

    /// How it is, and when that changes.
    pub fn state(&self) -> watch::Receiver<CompanionState> {
        self.state.clone()
    }

    /// Ends the program: at first politely.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        // An error is a panic of the task, which has taken the program along.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(
    options: CompanionOptions,
    spawner: Spawner,
    log: Arc<Mutex<Log>>,
    state: watch::Sender<CompanionState>,
    stopping: CancellationToken,
) {
    let CompanionOptions { name, program, args, directory, back_off, log: log_path, .. } = options;
    let environment = std::env::vars().filter(|(name, _)| matches!(name.as_str(), "PATH" | "HOME" | "TMPDIR"));
    let launch = Launch { program, args, environment: environment.collect(), directory };
    let mut failures = 0;
    loop {
        let began = Instant::now();
        let how = match spawner.spawn(launch.clone()).await {
            Ok((process, stdout, stderr)) => {
                state.send_modify(|state| (state.running, state.starts) = (true, state.starts + 1));
                let copying = [tokio::spawn(copy(stdout, log.clone())), tokio::spawn(copy(stderr, log.clone()))];
                let outcome = tokio::select! {
                    outcome = process.ended() => Some(outcome),
                    () = stopping.cancelled() => None,
                };
                let Some(outcome) = outcome else { return end(&process).await };
                for copying in copying {
                    // An error is a panic; the log is then short of some lines.
                    let _ = copying.await;
                }
                in_words(outcome)
            }
            Err(error) => format!("could not be started: {error}"),
        };
        failures = if began.elapsed() >= back_off.forgiven_after { 1 } else { failures + 1 };
        let wait = back_off.delay(failures);
        tracing::error!(
            "{name} {how}; it is started again{}. Its log is {}",
            if wait.is_zero() { String::new() } else { format!(" in {} s", wait.as_secs_f32()) },
            log_path.display()
        );
        state.send_modify(|state| (state.running, state.ended) = (false, Some(how)));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stopping.cancelled() => return,
        }
    }
}

async fn end(process: &Process) {
    process.terminate().await;
    if tokio::time::timeout(GRACE, process.ended()).await.is_err() {
        process.kill().await;
        process.ended().await;
    }
}

fn in_words(outcome: Outcome) -> String {
    match outcome {
        Outcome::Exit(code) => format!("has ended with exit code {code}"),
        Outcome::Signal(signal) => format!("was ended by signal {signal}"),
    }
}

async fn copy(mut from: impl AsyncRead + Unpin, log: Arc<Mutex<Log>>) {
    let mut buffer = vec![0; 8 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        // A log that cannot be written is no reason to hold the program up.
        let _ = log.lock().write(&buffer[..count]);
    }
}

/// A file that does not grow for ever.
struct Log {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().append(true).create(true).mode(0o600).open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.bytes >= LOG_BYTES {
            let mut older = self.path.clone().into_os_string();
            older.push(".1");
            std::fs::rename(&self.path, older)?;
            *self = Self::open(&self.path)?;
        }
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_makes_room_and_keeps_the_one_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        let mut log = Log::open(&path).unwrap();
        log.write(b"first").unwrap();
        log.bytes = LOG_BYTES;
        log.write(b"second").unwrap();
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!((read(&path), read(&directory.path().join("x.log.1"))), ("second".to_owned(), "first".to_owned()));
    }
}
