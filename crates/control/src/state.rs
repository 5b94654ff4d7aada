//! What the admin port shows: what is served, what it was made of, and what is still awaited.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use serin_api::proxy::ProxySpec;
use serin_api::{ResourceId, ResourceStatus};
use serin_xds::Complaint;
use tokio::sync::watch;

use crate::watched::Watched;

/// What is served since the last translation, and what was seen by then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served {
    /// What the data plane has.
    pub(crate) spec: Arc<ProxySpec>,
    /// The generation of each resource that the last translation saw; it may be newer than what is served.
    pub(crate) observed: BTreeMap<ResourceId, i64>,
    /// The status of each resource.
    pub(crate) statuses: BTreeMap<ResourceId, ResourceStatus>,
    /// Why what is served is not what the last translation saw.
    pub(crate) frozen: Option<String>,
    /// What Envoys refuse.
    pub(crate) refused: Vec<Complaint>,
    /// Counts translations.
    pub(crate) sequence: u64,
}

/// Shared between the loop and the admin port.
#[derive(Debug)]
pub(crate) struct State {
    served: ArcSwap<Served>,
    sequence: watch::Sender<u64>,
    awaited: ArcSwap<BTreeSet<Watched>>,
    failing: parking_lot::Mutex<BTreeMap<Watched, String>>,
}

impl State {
    /// Nothing served, everything awaited.
    pub(crate) fn new() -> Self {
        Self {
            served: ArcSwap::default(),
            sequence: watch::Sender::new(0),
            awaited: ArcSwap::from_pointee(Watched::ALL.into_iter().collect()),
            failing: parking_lot::Mutex::default(),
        }
    }

    pub(crate) fn served(&self) -> Arc<Served> {
        self.served.load_full()
    }

    /// The data plane has a configuration.
    pub(crate) fn publish(&self, served: Served) {
        let sequence = served.sequence;
        self.served.store(Arc::new(served));
        self.awaited.store(Arc::default());
        self.sequence.send_replace(sequence);
    }

    pub(crate) fn waiting_for(&self, kinds: &BTreeSet<Watched>) {
        self.awaited.store(Arc::new(kinds.clone()));
    }

    /// Notes a failure; returns whether this kind was well before.
    pub(crate) fn watch_failed(&self, kind: Watched, reason: &str) -> bool {
        self.failing.lock().insert(kind, reason.to_owned()).is_none()
    }

    pub(crate) fn watch_recovered(&self, kind: Watched) {
        self.failing.lock().remove(&kind);
    }

    /// Watches that fail at the moment, and why.
    pub(crate) fn failing(&self) -> BTreeMap<Watched, String> {
        self.failing.lock().clone()
    }

    /// Kinds that were not listed yet.
    pub(crate) fn awaited(&self) -> Arc<BTreeSet<Watched>> {
        self.awaited.load_full()
    }

    /// Counts configurations that were handed to the data plane; 0 until the first.
    pub(crate) fn sequence(&self) -> watch::Receiver<u64> {
        self.sequence.subscribe()
    }
}
