//! A running Envoy.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::admin;

/// How long it may take to do what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How many lines of its log are shown when something goes wrong.
const LAST_LINES: usize = 40;

/// A running Envoy. It ends, and what it wrote is gone, when this is dropped; when that is because a test fails, the end of its
/// log is shown.
#[derive(Debug)]
pub struct Envoy {
    process: Child,
    files: tempfile::TempDir,
}

impl Envoy {
    /// Starts `program` with `bootstrap`, as YAML, on one thread.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path, bootstrap: &str) -> io::Result<Self> {
        let files = tempfile::tempdir()?;
        let file = files.path().join("bootstrap.yaml");
        std::fs::write(&file, bootstrap)?;
        let log = File::create(log(files.path()))?;
        let process = Command::new(program)
            .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"])
            // Access logs are read at once.
            .args(["--file-flush-interval-msec", "10", "--config-path"])
            .arg(&file)
            .arg("--admin-address-path")
            .arg(admin_file(files.path()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Self { process, files })
    }

    /// Where its admin interface listens; `None` before it does.
    pub fn admin(&self) -> Option<SocketAddr> {
        std::fs::read_to_string(admin_file(self.files.path())).ok()?.trim().parse().ok()
    }

    /// What its admin interface answers to `GET path`.
    ///
    /// # Errors
    /// When it does not listen yet, or does not answer in HTTP.
    pub fn ask(&self, path: &str) -> io::Result<String> {
        let admin = self.admin().ok_or_else(|| io::Error::other("the admin interface is not open yet"))?;
        admin::get(admin, path)
    }

    /// The listeners that are open, by name.
    pub fn listeners(&self) -> BTreeMap<String, SocketAddr> {
        let answer = self.ask("/listeners").unwrap_or_default();
        let open = answer.lines().filter_map(|line| {
            let (name, address) = line.split_once("::")?;
            Some((name.to_owned(), address.parse().ok()?))
        });
        open.collect()
    }

    /// A counter or gauge; `None` while there is none of that name.
    pub fn statistic(&self, name: &str) -> Option<u64> {
        let answer = self.ask(&format!("/stats?filter={name}")).ok()?;
        answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")?.parse().ok())
    }

    /// Waits until the listener `name` is open; returns where.
    ///
    /// # Panics
    /// When it does not open, with what the Envoy said last.
    pub fn wait_for(&mut self, name: &str) -> SocketAddr {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(address) = self.listeners().get(name) {
                return *address;
            }
            let ended = self.process.try_wait().ok().flatten();
            assert!(
                ended.is_none() && Instant::now() < end,
                "{name} is not open; Envoy {ended:?}\n{}",
                self.last_words()
            );
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// The end of its log.
    fn last_words(&self) -> String {
        let log = std::fs::read(log(self.files.path())).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "whoever reads why a test failed needs it")]
            {
                eprintln!("the end of Envoy's log:\n{}", self.last_words());
            }
        }
    }
}

/// The file that it writes the address of its admin interface into.
fn admin_file(place: &Path) -> PathBuf {
    place.join("admin")
}

fn log(place: &Path) -> PathBuf {
    place.join("log")
}
