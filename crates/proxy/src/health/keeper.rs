//! The thread that keeps watch: every endpoint that is judged is judged here, whichever worker saw what it did.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use serin_api::proxy::ClusterName;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::board::{BadEndpoint, Board, Notice};
use super::judge::Judge;
use super::mark::Mark;
use super::probe::Target;
use super::session::{Company, Session};
use super::tally::{Reason, Rules};
use crate::destinations::Members;

/// Endpoints that are asked at once whether they are well.
const CHECKS_AT_ONCE: usize = 128;

/// The handle on the thread, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Keeper {
    events: UnboundedSender<Event>,
    watched: Vec<Arc<Members>>,
}

/// What the thread is told.
#[derive(Debug)]
enum Event {
    /// These clusters are judged from now on, and no others. `changed`: some endpoints are not asked any more.
    Watch { clusters: Vec<Arc<Members>>, changed: bool },
    /// An endpoint was asked whether it is well. `changed`: nobody had thought so.
    Checked { cluster: ClusterName, endpoint: SocketAddr, good: bool, changed: bool },
    /// An endpoint failed often enough in a row.
    Accused { cluster: ClusterName, endpoint: SocketAddr, reason: Reason },
    /// The data plane is gone.
    Stop,
}

impl Keeper {
    /// Starts the thread. `changed` is called from it whenever an endpoint's health changed, and stops it by returning
    /// false.
    pub(crate) fn start(board: Arc<Board>, changed: impl Fn() -> bool + Send + 'static) -> io::Result<Self> {
        let (events, heard) = unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let notify = Notify(events.clone());
        let leave = Arc::new(Semaphore::new(CHECKS_AT_ONCE));
        std::thread::Builder::new().name("serin-health".to_owned()).spawn(move || {
            let (clusters, random) = (BTreeMap::new(), fastrand::Rng::new());
            let watch = Watch { board, clusters, random, notify, leave };
            tokio::task::LocalSet::new().block_on(&runtime, watch.keep(heard, changed));
        })?;
        Ok(Self { events, watched: Vec::new() })
    }

    /// The clusters to judge from now on. Their endpoints' responses count from this moment.
    pub(crate) fn watch(&mut self, clusters: Vec<Arc<Members>>) {
        if self.watched.len() == clusters.len() && self.watched.iter().zip(&clusters).all(|(a, b)| Arc::ptr_eq(a, b)) {
            return;
        }
        let before = std::mem::replace(&mut self.watched, clusters);
        for members in &self.watched {
            if !before.iter().any(|old| Arc::ptr_eq(old, members)) {
                self.count(members);
            }
        }
        let mut changed = false;
        for members in before {
            let now = self.watched.iter().find(|now| now.cluster.name == members.cluster.name);
            for (address, state) in &members.states {
                let stays = now.and_then(|now| now.states.get(address)).is_some_and(|now| Arc::ptr_eq(now, state));
                if !stays {
                    state.tally.set_rules(None);
                }
                if now.is_none_or(|now| now.cluster.health_check.is_none()) {
                    changed |= state.health.set(Mark::Unhealthy, false);
                }
            }
        }
        // A thread that is gone has nobody to judge.
        let _ = self.events.send(Event::Watch { clusters: self.watched.clone(), changed });
    }

    /// Has the responses of a cluster's endpoints counted.
    fn count(&self, members: &Members) {
        let outliers = members.cluster.outlier_detection.as_deref().map(|outliers| Arc::new(*outliers));
        for state in members.states.values() {
            let rules = outliers.as_ref().map(|outliers| {
                let (events, cluster, endpoint) = (self.events.clone(), members.cluster.name.clone(), state.address);
                let tell = Box::new(move |reason| {
                    let _ = events.send(Event::Accused { cluster: cluster.clone(), endpoint, reason });
                });
                Arc::new(Rules { outliers: Arc::clone(outliers), tell })
            });
            state.tally.set_rules(rules);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.events.send(Event::Stop);
    }
}

/// Tells the thread what a health check found.
#[derive(Clone)]
pub(super) struct Notify(UnboundedSender<Event>);

impl Notify {
    pub(super) fn checked(&self, cluster: &ClusterName, endpoint: SocketAddr, good: bool, changed: bool) {
        let _ = self.0.send(Event::Checked { cluster: cluster.clone(), endpoint, good, changed });
    }
}

/// What the thread knows.
struct Watch {
    board: Arc<Board>,
    clusters: BTreeMap<ClusterName, Watched>,
    random: fastrand::Rng,
    notify: Notify,
    leave: Arc<Semaphore>,
}

/// One cluster under watch.
struct Watched {
    members: Rc<RefCell<Arc<Members>>>,
    /// Where responses are judged, and when the interval is over.
    trial: Option<Trial>,
    sessions: BTreeMap<SocketAddr, Session>,
    checks: Checks,
}

/// Responses under judgement.
struct Trial {
    judge: Judge,
    due: Instant,
}

/// How many checks there were.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Checks {
    pub(super) good: u64,
    pub(super) bad: u64,
}

impl Watch {
    async fn keep(mut self, mut events: UnboundedReceiver<Event>, changed: impl Fn() -> bool) {
        loop {
            let due = self.clusters.values().filter_map(|watched| Some(watched.trial.as_ref()?.due)).min();
            let mut news = false;
            tokio::select! {
                event = events.recv() => {
                    let mut next = event;
                    while let Some(event) = next {
                        if matches!(event, Event::Stop) {
                            return;
                        }
                        news |= self.hear(event);
                        next = events.try_recv().ok();
                    }
                }
                () = until(due) => news |= self.review(),
            }
            self.publish();
            if news && !changed() {
                return;
            }
        }
    }

    /// Takes an event in; whether anybody's health changed.
    fn hear(&mut self, event: Event) -> bool {
        match event {
            Event::Watch { clusters, changed } => self.watch(clusters) | changed,
            Event::Accused { cluster, endpoint, reason } => {
                let Some(watched) = self.clusters.get_mut(&cluster) else { return false };
                let Some(trial) = &mut watched.trial else { return false };
                let ejected = trial.judge.accuse(endpoint, reason, Instant::now(), &mut self.random);
                if ejected {
                    tracing::info!(%cluster, %endpoint, "an endpoint is ejected: {}", reason.sentence());
                }
                ejected
            }
            Event::Checked { cluster, endpoint, good, changed } => self.checked(&cluster, endpoint, good, changed),
            Event::Stop => false,
        }
    }

    fn checked(&mut self, cluster: &ClusterName, endpoint: SocketAddr, good: bool, changed: bool) -> bool {
        let Some(watched) = self.clusters.get_mut(cluster) else { return false };
        if good {
            watched.checks.good += 1;
        } else {
            watched.checks.bad += 1;
        }
        if changed {
            let reason = watched.reason(endpoint).unwrap_or_default();
            match good {
                true => tracing::info!(%cluster, %endpoint, "an endpoint is healthy"),
                false => tracing::warn!(%cluster, %endpoint, "an endpoint is unhealthy: {reason}"),
            }
        }
        // One that is well is not an outlier either, as in Envoy.
        let well = good && watched.is_well(endpoint);
        let back = watched.trial.as_mut().is_some_and(|trial| well && trial.judge.acquit(endpoint, Instant::now()));
        changed || back
    }

    fn watch(&mut self, clusters: Vec<Arc<Members>>) -> bool {
        let mut before = std::mem::take(&mut self.clusters);
        let mut changed = false;
        for members in clusters {
            let name = members.cluster.name.clone();
            let mut watched = before.remove(&name).unwrap_or_else(|| Watched::new(Arc::clone(&members)));
            *watched.members.borrow_mut() = Arc::clone(&members);
            changed |= watched.judge(&members);
            watched.ask(&members, &self.notify, &self.leave);
            self.clusters.insert(name, watched);
        }
        let clusters = &self.clusters;
        self.board.retain(|cluster| clusters.contains_key(cluster));
        let gone = before.into_values().filter_map(|gone| gone.trial);
        gone.fold(changed, |changed, mut trial| trial.judge.close(Instant::now()) | changed)
    }

    /// Reviews the clusters whose intervals are over; whether anybody's health changed.
    fn review(&mut self) -> bool {
        let now = Instant::now();
        let mut changed = false;
        for trial in self.clusters.values_mut().filter_map(|watched| watched.trial.as_mut()) {
            if trial.due <= now {
                changed |= trial.judge.review(now, &mut self.random);
                trial.due = now + trial.judge.rules.interval.0;
            }
        }
        changed
    }

    fn publish(&self) {
        for (name, watched) in &self.clusters {
            self.board.set(name, watched.notice());
        }
    }
}

impl Watched {
    fn new(members: Arc<Members>) -> Self {
        let members = Rc::new(RefCell::new(members));
        Self { members, trial: None, sessions: BTreeMap::new(), checks: Checks::default() }
    }

    /// Judges responses by the rules that the cluster has now; whether anybody comes back for want of any.
    fn judge(&mut self, members: &Members) -> bool {
        let now = Instant::now();
        let Some(outliers) = members.cluster.outlier_detection.as_deref() else {
            return self.trial.take().is_some_and(|mut trial| trial.judge.close(now));
        };
        let due = now + outliers.interval.0;
        let trial = self.trial.get_or_insert_with(|| Trial { judge: Judge::new(*outliers), due });
        if *trial.judge.rules != *outliers {
            (trial.judge.rules, trial.due) = (Arc::new(*outliers), due);
        }
        trial.judge.set_endpoints(members.states.values());
        false
    }

    /// Has the endpoints asked that the cluster has now.
    fn ask(&mut self, members: &Members, notify: &Notify, leave: &Arc<Semaphore>) {
        let mut before = std::mem::take(&mut self.sessions);
        let Some(check) = &members.cluster.health_check else { return };
        for (address, state) in &members.states {
            let (dial, hostname) = members.way_to(*address);
            let hostname = hostname.and_then(|name| name.to_str().ok());
            let host = check.question.host().or(hostname).unwrap_or(members.cluster.name.as_str()).to_owned();
            let target = Target { address: *address, dial, host };
            let session = before.remove(address).filter(|session| session.is(check, &target, state));
            let company =
                || Company { members: Rc::clone(&self.members), leave: Arc::clone(leave), notify: notify.clone() };
            let session = session.unwrap_or_else(|| Session::start(check, target, state, company()));
            self.sessions.insert(*address, session);
        }
    }

    fn is_well(&self, endpoint: SocketAddr) -> bool {
        self.members.borrow().states.get(&endpoint).is_some_and(|state| !state.health.has(Mark::Unhealthy))
    }

    fn reason(&self, endpoint: SocketAddr) -> Option<String> {
        self.sessions.get(&endpoint)?.reason.borrow().clone()
    }

    fn notice(&self) -> Notice {
        let now = Instant::now();
        let members = self.members.borrow();
        let ejected: BTreeMap<_, _> = self.trial.iter().flat_map(|trial| trial.judge.ejected(now)).collect();
        let bad = members.states.values().filter(|state| !state.health.is_good()).map(|state| {
            let fails = state.health.has(Mark::Unhealthy);
            let reason = self.reason(state.address);
            let awaited = fails && reason.is_none();
            let unhealthy =
                fails.then(|| reason.unwrap_or_else(|| "no health check has found it healthy yet".to_owned()));
            let ejection = ejected.get(&state.address);
            BadEndpoint {
                address: state.address,
                unhealthy,
                awaited,
                ejected: ejection.map(|(reason, _)| reason.sentence().to_owned()),
                ejected_for: ejection.map(|(_, left)| *left),
            }
        });
        Notice {
            source: members.cluster.source.clone(),
            record: self.trial.as_ref().map(|trial| trial.judge.record.clone()),
            checks: members.cluster.health_check.as_ref().map(|_| self.checks),
            endpoints: members.states.len(),
            bad: bad.collect(),
            taken: now,
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
