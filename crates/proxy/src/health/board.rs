//! What the judge found, for those who ask: metrics and the admin views.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serin_api::ResourceId;
use serin_api::proxy::ClusterName;

use super::judge::Record;
use super::keeper::Checks;

/// What was found, by cluster.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<BTreeMap<ClusterName, Notice>>);

/// What was found of one cluster.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) source: ResourceId,
    /// Where responses are judged.
    pub(super) record: Option<Record>,
    /// Where endpoints are asked.
    pub(super) checks: Option<Checks>,
    pub(super) endpoints: usize,
    pub(super) bad: Vec<BadEndpoint>,
    /// When this was true.
    pub(super) taken: Instant,
}

/// The endpoints of an Upstream that get no requests for now, as far as enough others are left, and the host names that
/// none are known for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamHealth {
    /// The Upstream's cluster.
    pub cluster: ClusterName,
    /// The Upstream.
    pub source: ResourceId,
    /// How many endpoints there are.
    pub endpoints: usize,
    /// Those that get no requests.
    pub bad: Vec<BadEndpoint>,
    /// Host names whose last look-up failed, or is not over yet.
    pub unresolved: Vec<UnresolvedHost>,
}

/// A host name that DNS does not know, as far as it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnresolvedHost {
    /// The name.
    pub host: String,
    /// What the resolver said; `None` while the first look-up is under way.
    pub reason: Option<String>,
    /// Whether the addresses of an earlier look-up are still used.
    pub known: bool,
}

/// An endpoint that gets no requests for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEndpoint {
    /// Where it is.
    pub address: SocketAddr,
    /// Why its health checks fail, if they do.
    pub unhealthy: Option<String>,
    /// Whether its health checks have yet to find anything wrong: it was not asked so far, or is recovering.
    pub awaited: bool,
    /// Why it is ejected, if it is.
    pub ejected: Option<String>,
    /// For how long it is ejected still, at least: it comes back when the interval under way then is over.
    pub ejected_for: Option<Duration>,
}

impl Board {
    pub(super) fn set(&self, cluster: &ClusterName, notice: Notice) {
        self.0.lock().insert(cluster.clone(), notice);
    }

    /// Forgets all clusters but those that `stays` says.
    pub(super) fn retain(&self, stays: impl Fn(&ClusterName) -> bool) {
        self.0.lock().retain(|cluster, _| stays(cluster));
    }

    pub(super) fn all(&self) -> BTreeMap<ClusterName, Notice> {
        self.0.lock().clone()
    }

    /// Every cluster whose endpoints are judged.
    pub(crate) fn upstreams(&self) -> Vec<UpstreamHealth> {
        let upstream = |(cluster, notice): (ClusterName, Notice)| {
            let Notice { source, record: _, checks: _, endpoints, mut bad, taken } = notice;
            for left in bad.iter_mut().filter_map(|bad| bad.ejected_for.as_mut()) {
                *left = left.saturating_sub(taken.elapsed());
            }
            UpstreamHealth { cluster, source, endpoints, bad, unresolved: Vec::new() }
        };
        self.all().into_iter().map(upstream).collect()
    }
}
