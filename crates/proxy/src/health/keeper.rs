//! The thread that keeps watch: every endpoint that is judged is judged here, whichever worker saw what it did.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use serin_api::proxy::ClusterName;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::board::{BadEndpoint, Board, Notice};
use super::judge::Judge;
use super::tally::{Reason, Rules};
use crate::destinations::Members;

/// The handle on the thread, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Keeper {
    events: UnboundedSender<Event>,
    watched: Vec<Arc<Members>>,
}

/// What the thread is told.
#[derive(Debug)]
enum Event {
    /// These clusters are judged from now on, and no others.
    Watch(Vec<Arc<Members>>),
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
        let watch = Watch { board, clusters: BTreeMap::new(), random: fastrand::Rng::new() };
        std::thread::Builder::new()
            .name("serin-health".to_owned())
            .spawn(move || runtime.block_on(watch.keep(heard, changed)))?;
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
        for members in before {
            let now = self.watched.iter().find(|now| now.cluster.name == members.cluster.name);
            for (address, state) in &members.states {
                let stays = now.and_then(|now| now.states.get(address)).is_some_and(|now| Arc::ptr_eq(now, state));
                if !stays {
                    state.tally.set_rules(None);
                }
            }
        }
        // A thread that is gone has nobody to judge.
        let _ = self.events.send(Event::Watch(self.watched.clone()));
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

/// What the thread knows.
struct Watch {
    board: Arc<Board>,
    clusters: BTreeMap<ClusterName, Watched>,
    random: fastrand::Rng,
}

/// One cluster under watch.
struct Watched {
    members: Arc<Members>,
    judge: Judge,
    /// When its interval is over.
    due: Instant,
}

impl Watch {
    async fn keep(mut self, mut events: UnboundedReceiver<Event>, changed: impl Fn() -> bool) {
        loop {
            let due = self.clusters.values().map(|watched| watched.due).min();
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
            Event::Watch(clusters) => self.watch(clusters),
            Event::Accused { cluster, endpoint, reason } => {
                let Some(watched) = self.clusters.get_mut(&cluster) else { return false };
                let ejected = watched.judge.accuse(endpoint, reason, Instant::now(), &mut self.random);
                if ejected {
                    tracing::info!(%cluster, %endpoint, "an endpoint is ejected: {}", reason.sentence());
                }
                ejected
            }
            Event::Stop => false,
        }
    }

    fn watch(&mut self, clusters: Vec<Arc<Members>>) -> bool {
        let now = Instant::now();
        let mut before = std::mem::take(&mut self.clusters);
        for members in clusters {
            let name = members.cluster.name.clone();
            let Some(outliers) = members.cluster.outlier_detection.as_deref() else { continue };
            let interval = outliers.interval.0;
            let mut watched = before.remove(&name).unwrap_or_else(|| Watched {
                members: Arc::clone(&members),
                judge: Judge::new(*outliers),
                due: now + interval,
            });
            if *watched.judge.rules != *outliers {
                (watched.judge.rules, watched.due) = (Arc::new(*outliers), now + interval);
            }
            watched.judge.set_endpoints(members.states.values());
            watched.members = members;
            self.clusters.insert(name, watched);
        }
        let clusters = &self.clusters;
        self.board.retain(|cluster| clusters.contains_key(cluster));
        before.into_values().fold(false, |changed, mut gone| gone.judge.close(now) | changed)
    }

    /// Reviews the clusters whose intervals are over; whether anybody's health changed.
    fn review(&mut self) -> bool {
        let now = Instant::now();
        let mut changed = false;
        for watched in self.clusters.values_mut().filter(|watched| watched.due <= now) {
            changed |= watched.judge.review(now, &mut self.random);
            watched.due = now + watched.judge.rules.interval.0;
        }
        changed
    }

    fn publish(&self) {
        let now = Instant::now();
        for (name, watched) in &self.clusters {
            let bad = watched.judge.ejected(now).map(|(state, reason, left)| BadEndpoint {
                address: state.address,
                unhealthy: None,
                ejected: Some(reason.sentence().to_owned()),
                ejected_for: Some(left),
            });
            let notice = Notice {
                source: watched.members.cluster.source.clone(),
                record: watched.judge.record.clone(),
                endpoints: watched.members.states.len(),
                bad: bad.collect(),
            };
            self.board.set(name, notice);
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
