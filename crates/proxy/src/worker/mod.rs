//! A worker: one thread with a runtime of its own, which accepts, routes and forwards, and shares with the others
//! nothing that a request has to wait for.

mod client_io;
mod client_stream;
mod codecs;
mod connection;
mod connection_state;
mod deadlines;
mod local;
mod run;
mod screened_io;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use slab::Slab;

pub(crate) use connection::LocalExecutor;
pub(crate) use connection_state::{ConnectionState, Ending};
pub(crate) use deadlines::{Deadline, Deadlines, ticks};
pub(crate) use local::{LocalDestination, LocalListener, LocalTable};
pub(crate) use run::{Command, WorkerHandle, start};

use crate::Limits;
use crate::balance::Candidate;
use crate::dial::Dial;
use crate::forward::Pool;
use crate::metrics::{Registry, WorkerCounters};

/// No version has answered yet.
const UNSEEN: (u32, u32) = (u32::MAX, 0);
/// Bytes read from a client at once, at most.
const SCRATCH: usize = 64 * 1024;

/// An address and how it is reached: a pool holds that, so that its place is its own.
type PoolPlace = (SocketAddr, Option<*const Dial>);

/// What the requests of one worker share.
pub(crate) struct Worker {
    pub(crate) limits: Limits,
    pub(crate) counters: Arc<WorkerCounters>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) deadlines: Rc<Deadlines>,
    pub(crate) random: RefCell<fastrand::Rng>,
    /// Where bytes from a client lie while they are looked at.
    pub(crate) scratch: RefCell<Box<[u8]>>,
    connections: RefCell<Slab<Rc<ConnectionState>>>,
    destinations: RefCell<Vec<Option<Rc<LocalDestination>>>>,
    pools: RefCell<FxHashMap<PoolPlace, Rc<Pool>>>,
    /// For each scope the version that answered last and its series.
    recent_series: RefCell<Vec<(u32, u32)>>,
    /// The series for a scope and a version, asked of the registry once.
    series: RefCell<FxHashMap<(u32, u32), u32>>,
    /// The scope for a route and the cluster that a header named, asked of the registry once.
    header_scopes: RefCell<FxHashMap<(u32, u32), u32>>,
    draining: Cell<bool>,
    /// Copies of requests that are under way.
    pub(crate) shadows: Cell<usize>,
}

impl Worker {
    pub(crate) fn new(limits: Limits, counters: Arc<WorkerCounters>, registry: Arc<Registry>) -> Self {
        Self {
            limits,
            counters,
            registry,
            deadlines: Rc::default(),
            random: RefCell::new(fastrand::Rng::new()),
            scratch: RefCell::new(vec![0; SCRATCH].into_boxed_slice()),
            connections: RefCell::default(),
            destinations: RefCell::default(),
            pools: RefCell::default(),
            recent_series: RefCell::default(),
            series: RefCell::default(),
            header_scopes: RefCell::default(),
            draining: Cell::new(false),
            shadows: Cell::new(0),
        }
    }

    /// The current tick.
    pub(crate) fn now(&self) -> u64 {
        self.deadlines.now()
    }

    /// The destination with this number, if it exists.
    pub(crate) fn destination(&self, number: u32) -> Option<Rc<LocalDestination>> {
        self.destinations.borrow().get(number as usize).cloned().flatten()
    }

    /// The series that a request of `scope` which `version` answered is counted under.
    pub(crate) fn series(&self, scope: u32, version: u32) -> u32 {
        let mut recent = self.recent_series.borrow_mut();
        if recent.len() <= scope as usize {
            recent.resize(scope as usize + 1, UNSEEN);
        }
        let recent = &mut recent[scope as usize];
        if recent.0 != version {
            let mut series = self.series.borrow_mut();
            let number = *series.entry((scope, version)).or_insert_with(|| self.registry.series(scope, version));
            *recent = (version, number);
        }
        recent.1
    }

    /// The scope for the route `route`, whose own is `scope`, when a header named `cluster`, which is destination
    /// `number`.
    pub(crate) fn header_scope(&self, listener: &Arc<str>, route: &str, scope: u32, number: u32, cluster: &str) -> u32 {
        let mut scopes = self.header_scopes.borrow_mut();
        *scopes.entry((scope, number)).or_insert_with(|| self.registry.scope(listener, route, cluster))
    }

    /// The connections to an endpoint.
    fn pool(&self, candidate: &Candidate) -> Rc<Pool> {
        let address = candidate.state.address;
        let key = (address, candidate.dial.as_ref().map(Arc::as_ptr));
        let pool = || Rc::new(Pool::new(address, candidate.dial.clone()));
        Rc::clone(self.pools.borrow_mut().entry(key).or_insert_with(pool))
    }
}
