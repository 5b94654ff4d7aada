//! The home of an instance: where it is, and what the running one wrote there.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::envoy::EnvoyInstance;
use crate::failure::{Failure, Outcome, While};

/// What a running instance says of itself, in `instance.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instance {
    /// Its process.
    pub(crate) pid: u32,
    /// The version of the binary.
    pub(crate) version: String,
    /// The API's address; its credentials are in the kubeconfig.
    pub(crate) api: SocketAddr,
    /// The listeners, by Gateway as `namespace.name`.
    pub(crate) gateway: BTreeMap<String, SocketAddr>,
    /// Which of the listeners speak TLS.
    #[serde(default)]
    pub(crate) tls: Vec<String>,
    /// The admin port.
    pub(crate) admin: SocketAddr,
    /// Where Envoys elsewhere find their configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) xds: Option<SocketAddr>,
    /// The Envoy beside the gateway, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) envoy: Option<EnvoyInstance>,
}

/// The directory of an instance. It need not exist.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    path: PathBuf,
}

impl Home {
    /// `$SERIN_HOME`, else `serin` in the user's data directory.
    pub(crate) fn find() -> Outcome<Self> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = set("SERIN_HOME")
            .or_else(|| set("XDG_DATA_HOME").map(|data| data.join("serin")))
            .or_else(|| set("HOME").map(|home| home.join(".local/share/serin")));
        let path = path.ok_or_else(|| {
            Failure::new("there is no home directory to keep anything in")
                .hint("set SERIN_HOME to a directory of your own")
        })?;
        Ok(Self::at(std::path::absolute(&path).unwrap_or(path)))
    }

    /// The home at `path`.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path.join("kubeconfig")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("logs/serin.log")
    }

    fn instance_file(&self) -> PathBuf {
        self.path.join("instance.json")
    }

    /// Creates the directory, for this user alone, and makes sure that it can be written to.
    pub(crate) fn prepare(&self) -> Outcome {
        let refused = |error: std::io::Error| {
            let failure = Failure::new(format!("the home {} is not writable", self.path.display())).because(error);
            failure.hint("set SERIN_HOME to a directory of your own, or change its permissions")
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path).map_err(refused)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(self.path.join("logs")).map_err(refused)?;
        let probe = self.path.join(format!(".writable-{}", std::process::id()));
        File::create(&probe).map_err(refused)?;
        // It was there a moment ago; a leftover of no bytes does no harm.
        let _ = fs::remove_file(&probe);
        Ok(())
    }

    /// Whether a process holds this home.
    pub(crate) fn is_held(&self) -> bool {
        let Ok(lock) = File::open(self.path.join("lock")) else { return false };
        match flock(&lock, FlockOperation::NonBlockingLockShared) {
            Ok(()) => {
                // Closing the file unlocks it as well.
                let _ = flock(&lock, FlockOperation::Unlock);
                false
            }
            Err(_) => true,
        }
    }

    /// The process that holds this home, as the lock says.
    pub(crate) fn holder(&self) -> Option<u32> {
        if !self.is_held() {
            return None;
        }
        fs::read_to_string(self.path.join("lock")).ok()?.split_whitespace().next()?.parse().ok()
    }

    /// What the running instance says of itself; `None` when none is running or it is not ready yet.
    pub(crate) fn instance(&self) -> Option<Instance> {
        let text = fs::read(self.instance_file()).ok()?;
        let instance = serde_json::from_slice(&text).ok()?;
        self.is_held().then_some(instance)
    }

    /// The running instance, or a failure that says how to start one.
    pub(crate) fn running(&self) -> Outcome<Instance> {
        self.instance().ok_or_else(|| {
            let home = self.path.display();
            match self.holder() {
                Some(pid) => Failure::new(format!("the gateway of {home} (process {pid}) is starting or stopping"))
                    .hint("try again in a moment"),
                None => Failure::new(format!("no gateway is running in {home}"))
                    .hint("start one with `serin up --detach`, or set SERIN_HOME to the home of the one you mean"),
            }
        })
    }

    /// Writes `instance.json` whole or not at all.
    pub(crate) fn announce(&self, instance: &Instance) -> Outcome {
        let path = self.instance_file();
        let draft = self.path.join(".instance.json");
        let text = serde_json::to_vec_pretty(instance).or_fail(|| "instance.json cannot be put together".to_owned())?;
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(&text)?;
            fs::rename(&draft, &path)
        };
        write().or_fail(|| format!("{} cannot be written", path.display()))
    }

    /// Takes `instance.json` away.
    pub(crate) fn withdraw(&self) {
        if let Err(error) = fs::remove_file(self.instance_file())
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!("{} cannot be removed: {error}", self.instance_file().display());
        }
    }
}
