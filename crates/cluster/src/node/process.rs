//! Starting a container's program under its shim, and what can be done with it then.

use crate::subprocess::{KILL, POD_SHIM, TERMINATE};
use parking_lot::Mutex;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::unix::pipe;
use tokio::sync::{oneshot, watch};

/// A program, and all that it is started with.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// The whole environment: nothing of serin's own gets through.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: PathBuf,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Exit(i32),
    Signal(i32),
}

impl Outcome {
    /// The exit code as a shell, and Kubernetes, would say it.
    pub(crate) fn code(self) -> i32 {
        match self {
            Outcome::Exit(code) => code,
            Outcome::Signal(signal) => 128 + signal,
        }
    }
}

/// Starts programs, all from one thread: a shim gets its parent-death signal when the *thread* that started it ends, so that
/// thread has to live as long as the process.
#[derive(Clone)]
pub(crate) struct Spawner {
    requests: std::sync::mpsc::Sender<Request>,
}

struct Request {
    launch: Launch,
    answer: oneshot::Sender<io::Result<(Child, std::os::unix::net::UnixStream)>>,
}

impl Spawner {
    /// Starts the thread. It ends with the last copy of the spawner.
    pub(crate) fn start(self_exe: PathBuf) -> io::Result<Spawner> {
        let (requests, received) = std::sync::mpsc::channel::<Request>();
        std::thread::Builder::new().name("pod-spawner".to_owned()).spawn(move || {
            while let Ok(request) = received.recv() {
                let started = start_shim(&self_exe, &request.launch);
                if let Err(Ok((mut shim, control))) = request.answer.send(started) {
                    // Nobody waits for it any more: without its socket, it ends by itself.
                    drop(control);
                    let _ = shim.wait();
                }
            }
        })?;
        Ok(Spawner { requests })
    }

    /// Starts a program; its output comes out of the two pipes.
    pub(crate) async fn spawn(&self, launch: Launch) -> io::Result<(Process, pipe::Receiver, pipe::Receiver)> {
        let gone = || io::Error::other("the thread that starts programs has ended");
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request { launch, answer }).map_err(|_| gone())?;
        let (mut shim, control) = answered.await.map_err(|_| gone())??;
        let stdout = shim.stdout.take().map(OwnedFd::from).ok_or_else(gone)?;
        let stderr = shim.stderr.take().map(OwnedFd::from).ok_or_else(gone)?;
        control.set_nonblocking(true)?;
        let (reader, writer) = UnixStream::from_std(control)?.into_split();
        let (ended, outcome) = watch::channel(None);
        let pid = Arc::new(Mutex::new(None));
        let seen = pid.clone();
        tokio::spawn(async move {
            let mut outcome = Outcome::Signal(9);
            let mut told = false;
            let mut lines = BufReader::new(reader).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                match line.split_once(' ').map(|(word, number)| (word, number.parse::<i32>())) {
                    Some(("pid", Ok(pid))) => *seen.lock() = Some(pid),
                    Some(("exit", Ok(code))) => (outcome, told) = (Outcome::Exit(code), true),
                    Some(("signal", Ok(signal))) => (outcome, told) = (Outcome::Signal(signal), true),
                    _ => {}
                }
            }
            if !told {
                // The shim itself was killed; the program has died with it, but maybe not what that had started.
                let group = seen.lock().and_then(rustix::process::Pid::from_raw);
                if let Some(group) = group {
                    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                }
            }
            *seen.lock() = None;
            let _ = tokio::task::spawn_blocking(move || shim.wait()).await;
            ended.send_replace(Some(outcome));
        });
        let process = Process { control: tokio::sync::Mutex::new(writer), outcome, pid };
        Ok((process, pipe::Receiver::from_owned_fd(stdout)?, pipe::Receiver::from_owned_fd(stderr)?))
    }
}

fn start_shim(self_exe: &PathBuf, launch: &Launch) -> io::Result<(Child, std::os::unix::net::UnixStream)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    let shim = Command::new(self_exe)
        .arg(POD_SHIM)
        .arg(std::process::id().to_string())
        .arg(&launch.program)
        .args(&launch.args)
        .env_clear()
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&launch.directory)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    Ok((shim, ours))
}

/// A running program. Dropping it ends the program and all that it has started.
pub(crate) struct Process {
    control: tokio::sync::Mutex<OwnedWriteHalf>,
    outcome: watch::Receiver<Option<Outcome>>,
    pid: Arc<Mutex<Option<i32>>>,
}

impl Process {
    /// The program's process id, while it runs.
    pub(crate) fn pid(&self) -> Option<i32> {
        *self.pid.lock()
    }

    /// Waits until the program, and everything that it has started, has ended.
    pub(crate) async fn ended(&self) -> Outcome {
        let mut outcome = self.outcome.clone();
        match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.unwrap_or(Outcome::Signal(9)),
            Err(_) => Outcome::Signal(9),
        }
    }

    /// Sends SIGTERM to the program.
    pub(crate) async fn terminate(&self) {
        let _ = self.control.lock().await.write_all(&[TERMINATE]).await;
    }

    /// Kills the program and everything that it has started.
    pub(crate) async fn kill(&self) {
        let _ = self.control.lock().await.write_all(&[KILL]).await;
    }
}
