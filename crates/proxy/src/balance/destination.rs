//! A destination: the endpoints that serve a cluster, or a subset of it, at this moment.
//!
//! Subsets and their fallback are settled here, when endpoints or clusters change, so that a request only picks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use http::HeaderValue;
use serin_api::proxy::{Cluster, LoadBalancing, SubsetFallback};

use super::breakers::{Breakers, ClusterLoad};
use super::maglev::Maglev;
use super::placement::{Placed, Placement};
use super::retry_budget::RetryPermit;
use super::ring::Ring;
use super::sequence::sequence;
use super::warm_up::{Moment, WarmUp};
use crate::dial::Dial;
use crate::health::{EndpointHealth, Happened, PANIC_PERCENT, Tally, in_service};

/// The label that names a version in metrics.
const VERSION_LABEL: &str = "version";

/// An endpoint with its address known.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedEndpoint {
    pub(crate) address: SocketAddr,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) weight: u32,
    /// What it is called, where it is one of a fixed list.
    pub(crate) hostname: Option<HeaderValue>,
    /// How connections to it are made; `None`: plainly.
    pub(crate) dial: Option<Arc<Dial>>,
}

/// What workers share about an address of a cluster. It is kept for as long as the cluster has the address.
#[derive(Debug)]
pub(crate) struct EndpointState {
    pub(crate) address: SocketAddr,
    pub(crate) health: EndpointHealth,
    /// What its responses add up to, where somebody judges it by them.
    pub(crate) tally: Tally,
    /// Requests in flight, over all workers.
    active: AtomicU32,
    /// Whether there ever was one.
    asked: AtomicBool,
}

impl EndpointState {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            health: EndpointHealth::default(),
            tally: Tally::default(),
            active: AtomicU32::new(0),
            asked: AtomicBool::new(false),
        }
    }

    /// Whether it ever got a request.
    pub(crate) fn has_been_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    pub(crate) fn active(&self) -> u32 {
        self.active.load(Ordering::Relaxed)
    }

    /// Counts one request as in flight for as long as the result lives.
    pub(crate) fn begin(self: &Arc<Self>) -> ActiveRequest {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.asked.store(true, Ordering::Relaxed);
        ActiveRequest(Arc::clone(self))
    }
}

/// One request in flight at an endpoint.
#[derive(Debug)]
pub(crate) struct ActiveRequest(Arc<EndpointState>);

impl ActiveRequest {
    /// The endpoint's address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Counts what happened to it, where somebody wants to know.
    pub(crate) fn note(&self, happened: Happened) {
        self.0.tally.note(happened);
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One endpoint of a destination.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) state: Arc<EndpointState>,
    /// The number, in the metrics' registry, of what its `version` label says.
    pub(crate) version: u32,
    /// What it is called; only fixed endpoints have a name, be it an address.
    pub(crate) hostname: Option<HeaderValue>,
    /// How connections to it are made; `None`: plainly.
    pub(crate) dial: Option<Arc<Dial>>,
}

/// What chooses among candidates.
#[derive(Debug)]
enum Policy {
    RoundRobin,
    LeastRequest { choices: u32 },
    Random,
    Hash(Placement),
}

/// What is known of a request when its endpoint is chosen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Aim {
    /// What brings like requests to the same endpoint; without one they go anywhere.
    pub(crate) hash: Option<u64>,
    /// How many endpoints have been tried and will not do.
    pub(crate) tried: usize,
}

/// Endpoints and how to choose among them.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(crate) candidates: Vec<Candidate>,
    policy: Policy,
    /// The order of turns; `None` when all weights are equal.
    turns: Option<Vec<u32>>,
    /// Set where endpoints get few requests at first.
    warm_up: Option<Box<WarmUp>>,
    /// The upstream's, whichever of its subsets this is.
    load: Arc<ClusterLoad>,
    /// How many retries there may be at once, where that is fixed.
    most_retries: Option<u32>,
    breakers: Option<Breakers>,
    closes_on_change: bool,
}

impl Destination {
    /// The destination that serves `subset` of `cluster`. It has the healthy endpoints only or, when too few of them are,
    /// all.
    pub(crate) fn new(
        cluster: &Cluster,
        subset: &BTreeMap<String, String>,
        endpoints: &[ResolvedEndpoint],
        mut state: impl FnMut(SocketAddr) -> Arc<EndpointState>,
        mut version: impl FnMut(&str) -> u32,
        load: Arc<ClusterLoad>,
    ) -> Self {
        let panic_percent = cluster.panic_percent.map_or(PANIC_PERCENT, f64::round);
        let chosen = choose(cluster, subset, endpoints).into_iter().map(|endpoint| (endpoint, state(endpoint.address)));
        let chosen = in_service(chosen.collect(), |(_, state)| state.health.is_good(), panic_percent);
        let policy = Policy::new(cluster.load_balancing, chosen.iter().map(|(endpoint, _)| *endpoint));
        let weights: Vec<u32> = chosen.iter().map(|(endpoint, _)| endpoint.weight).collect();
        let warm_up = cluster.slow_start.filter(|_| policy.goes_by_turns()).and_then(|slow_start| {
            WarmUp::new(slow_start, chosen.iter().map(|(_, state)| state.health.well_since()).collect()).map(Box::new)
        });
        let candidates = chosen
            .into_iter()
            .map(|(endpoint, state)| Candidate {
                state,
                version: version(endpoint.labels.get(VERSION_LABEL).map_or("", String::as_str)),
                hostname: endpoint.hostname.clone(),
                dial: endpoint.dial.clone(),
            })
            .collect();
        let breakers = Breakers::new(cluster.circuit_breakers, &load);
        let most_retries = cluster.circuit_breakers.retries;
        Self {
            candidates,
            policy,
            turns: sequence(&weights),
            warm_up,
            load,
            most_retries,
            breakers,
            closes_on_change: cluster.closes_on_change,
        }
    }

    /// Whether connections are to be given up, now that it takes the place of `old`: it has other endpoints.
    pub(crate) fn begins_anew(&self, old: &Self) -> bool {
        let addresses = |of: &Self| of.candidates.iter().map(|one| one.state.address).collect::<BTreeSet<_>>();
        self.closes_on_change && addresses(self) != addresses(old)
    }

    /// Whether an endpoint is chosen by a request's hash.
    pub(crate) fn goes_by_hash(&self) -> bool {
        matches!(self.policy, Policy::Hash(_))
    }

    /// The index of the candidate for the next request. `cursor` is the worker's own place in the order of turns.
    pub(crate) fn pick(&self, aim: Aim, cursor: &mut usize, random: &mut fastrand::Rng) -> Option<usize> {
        match self.candidates.len() {
            0 => return None,
            1 => return Some(0),
            _ => {}
        }
        let moment = self.warm_up.as_deref().and_then(|warm_up| warm_up.at(Instant::now()));
        let drawn = |random: &mut fastrand::Rng| self.at_turn(random.usize(..self.turn_count()));
        Some(match &self.policy {
            Policy::RoundRobin => Moment::choose(moment.as_ref(), random, |_| {
                *cursor = cursor.wrapping_add(1);
                self.at_turn(*cursor % self.turn_count())
            }),
            Policy::Random => drawn(random),
            Policy::LeastRequest { choices } => {
                let mut best = Moment::choose(moment.as_ref(), random, drawn);
                for _ in 1..(*choices).max(1) {
                    let other = Moment::choose(moment.as_ref(), random, drawn);
                    if self.active(other) < self.active(best) {
                        best = other;
                    }
                }
                best
            }
            Policy::Hash(placement) => {
                let hash = aim.hash.unwrap_or_else(|| random.u64(..));
                return placement.owner(hash, aim.tried, self.candidates.len());
            }
        })
    }

    /// What limits what it has under way, if anything does.
    pub(crate) fn breakers(&self) -> Option<&Breakers> {
        self.breakers.as_ref()
    }

    /// Leave to send one of its requests again, for as long as the result lives.
    pub(crate) fn permit_retry(&self) -> Option<RetryPermit> {
        let active = self.candidates.iter().map(|candidate| candidate.state.active()).sum();
        self.load.retries.permit(active, self.most_retries)
    }

    fn turn_count(&self) -> usize {
        self.turns.as_ref().map_or(self.candidates.len(), Vec::len)
    }

    fn at_turn(&self, turn: usize) -> usize {
        self.turns.as_ref().map_or(turn, |turns| turns.get(turn).copied().unwrap_or_default() as usize)
    }

    fn active(&self, candidate: usize) -> u32 {
        self.candidates.get(candidate).map_or(u32::MAX, |candidate| candidate.state.active())
    }
}

impl Policy {
    /// Whether each endpoint has its turns, or is drawn by them, and its requests in flight count.
    fn goes_by_turns(&self) -> bool {
        matches!(self, Self::RoundRobin | Self::LeastRequest { .. })
    }

    fn new<'a>(policy: LoadBalancing, endpoints: impl Iterator<Item = &'a ResolvedEndpoint>) -> Self {
        let placed = |by_name| -> Vec<Placed> { endpoints.map(|endpoint| endpoint.placed(by_name)).collect() };
        match policy {
            LoadBalancing::RoundRobin => Self::RoundRobin,
            LoadBalancing::LeastRequest { choices } => Self::LeastRequest { choices },
            LoadBalancing::Random => Self::Random,
            LoadBalancing::RingHash { minimum, maximum, by_name } => {
                Self::Hash(Placement::Ring(Ring::new(&placed(by_name), minimum, maximum)))
            }
            LoadBalancing::Maglev { by_name } => Self::Hash(Placement::Maglev(Maglev::new(&placed(by_name)))),
        }
    }
}

impl ResolvedEndpoint {
    /// What its places follow from: its name where it has one and that counts, else its address.
    fn placed(&self, by_name: bool) -> Placed {
        let name = self.hostname.as_ref().filter(|_| by_name).and_then(|name| name.to_str().ok());
        Placed { key: name.map_or_else(|| self.address.to_string(), str::to_owned), weight: self.weight.max(1) }
    }
}

/// The endpoints that serve `subset`: those with its labels or, when there are none, what the fallback says.
fn choose<'a>(
    cluster: &Cluster,
    subset: &BTreeMap<String, String>,
    endpoints: &'a [ResolvedEndpoint],
) -> Vec<&'a ResolvedEndpoint> {
    let with = |labels: &BTreeMap<String, String>| -> Vec<&ResolvedEndpoint> {
        endpoints
            .iter()
            .filter(|endpoint| labels.iter().all(|(key, value)| endpoint.labels.get(key) == Some(value)))
            .collect()
    };
    // An upstream without subsets serves with all it has.
    let Some(subsets) = &cluster.subsets else { return endpoints.iter().collect() };
    // A route that names no subset has none to be served by: the fallback's turn, as in Envoy.
    let chosen = if subset.is_empty() { Vec::new() } else { with(subset) };
    if !chosen.is_empty() {
        return chosen;
    }
    match &subsets.fallback {
        SubsetFallback::AnyEndpoint => endpoints.iter().collect(),
        SubsetFallback::DefaultSubset(labels) => with(labels),
        SubsetFallback::None => Vec::new(),
    }
}

#[cfg(test)]
#[path = "destination_tests.rs"]
mod tests;
