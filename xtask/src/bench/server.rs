//! A server held to one processor: started, watched until it answers, ended with everything it started.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::error::BenchError;

/// How long a server may take to end when asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// A running server. Dropping it ends it.
pub(crate) struct Server {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `program` on processor `core`; what it prints is kept in `directory`.
    pub(crate) fn start(
        program: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>,
        environment: &[(&str, &Path)],
        directory: &Path,
        core: usize,
    ) -> Result<Server, BenchError> {
        let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        let log = directory.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let child = pinned(program, core)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|source| BenchError::Start { program: name.clone(), source })?;
        Ok(Server { name, child, log })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks again until `ready` says `Ok`, for `limit` at most; its `Err` says what is still wrong.
    pub(crate) fn wait_until(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> Result<(), String>,
    ) -> Result<(), BenchError> {
        let began = Instant::now();
        loop {
            let last = match ready() {
                Ok(()) => return Ok(()),
                Err(problem) => problem,
            };
            if let Some(status) = self.child.try_wait()? {
                return Err(BenchError::Ended {
                    program: self.name.clone(),
                    status: status.to_string(),
                    output: self.last_words(),
                });
            }
            if began.elapsed() > limit {
                let last = format!("{last}; it said:\n{}", self.last_words());
                return Err(BenchError::NotReady { program: self.name.clone(), seconds: limit.as_secs(), last });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The end of what it printed.
    fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Errors here mean that it is gone already, which is what is wanted.
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that runs on processor `core` alone, with all its threads and children.
pub(crate) fn pinned(program: &Path, core: usize) -> Command {
    let mut command = Command::new("taskset");
    command.arg("--cpu-list").arg(core.to_string()).arg(program);
    command
}

/// A port of 127.0.0.1 that nobody listens on at this moment.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Where a program is, on the `PATH` or among the administrator's programs.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}
