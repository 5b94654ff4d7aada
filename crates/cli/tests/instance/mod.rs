//! One running instance for all tests of a file, in a home and on ports of its own.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The binary under test.
pub(crate) const SERIN: &str = env!("CARGO_BIN_EXE_serin");
/// How long something may take to come true.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const FREE_PORTS: [&str; 8] = ["--http-port", "0", "--https-port", "0", "--api-port", "0", "--admin-port", "0"];

/// A home, and the instance in it if one was started. It is stopped when this is dropped.
pub(crate) struct Instance {
    directory: tempfile::TempDir,
}

impl Instance {
    /// A home without an instance.
    pub(crate) fn home() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A home with a running instance.
    pub(crate) fn start() -> Self {
        let instance = Self::home();
        let started = instance.up(&[]);
        assert!(started.status.success(), "{}", text(&started.stderr));
        instance
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// `serin up --detach` on free ports, and what else is given.
    pub(crate) fn up(&self, more: &[&str]) -> Output {
        self.serin(&["up", "--detach", "--workers", "1"]).args(FREE_PORTS).args(more).output().unwrap()
    }

    /// `serin` with these words, for this home.
    pub(crate) fn serin(&self, words: &[&str]) -> Command {
        let mut command = Command::new(SERIN);
        command.args(words).env("SERIN_HOME", self.path()).env("HOME", self.directory.path());
        command.env_remove("KUBECONFIG").env_remove("XDG_DATA_HOME").stdin(Stdio::null());
        command
    }

    /// What a command that succeeds prints.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let output = self.serin(words).output().unwrap();
        assert!(output.status.success(), "serin {words:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// What a command that fails with status 1 says.
    pub(crate) fn refused(&self, words: &[&str]) -> String {
        let output = self.serin(words).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "serin {words:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }

    /// `serin kubectl WORDS` with a manifest on standard input.
    pub(crate) fn feed(&self, words: &[&str], manifest: &str) -> Output {
        let mut command = self.serin(&["kubectl"]);
        let child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Applies a manifest, which has to be accepted.
    pub(crate) fn apply(&self, manifest: &str) -> String {
        let output = self.feed(&["apply", "-f", "-"], manifest);
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// Writes a file next to the home.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// A field of `instance.json`.
    pub(crate) fn says(&self, pointer: &str) -> serde_json::Value {
        let text = std::fs::read(self.path().join("instance.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap().pointer(pointer).cloned().unwrap_or_default()
    }

    /// Status and body of a `GET` on the gateway.
    pub(crate) fn ask(&self, path: &str) -> (u16, String) {
        get(self.ok(&["proxy", "address"]).trim(), path, "gateway.test")
    }

    /// Asks until the answer is the one expected.
    pub(crate) fn until(&self, path: &str, status: u16, body: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let got = self.ask(path);
            if got == (status, body.to_owned()) {
                return;
            }
            assert!(Instant::now() < end, "GET {path}: {got:?}, wanted {status} {body:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // A home without an instance has nothing to stop.
        let _ = self.serin(&["down"]).output();
    }
}

/// Status and body of a plain HTTP/1.0 `GET`.
pub(crate) fn get(address: &str, path: &str, host: &str) -> (u16, String) {
    use std::io::Read;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether a process is there.
pub(crate) fn is_alive(pid: u64) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z')
}

/// A route table of one route that answers by itself, and the VirtualService that delegates to it.
pub(crate) fn table(name: &str, prefix: &str, body: &str) -> String {
    format!(
        "apiVersion: gateway.solo.io/v1\nkind: RouteTable\nmetadata: {{name: {name}, namespace: gloo-system}}\nspec:\n  routes:\n  \
         - matchers: [{{prefix: {prefix}}}]\n    directResponseAction: {{status: 200, body: {body}}}\n"
    )
}
