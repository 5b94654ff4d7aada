//! A worker's own copies of what all workers are handed: behind `Rc`, so that a request counts references for free.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use serin_api::ResourceId;
use tokio::sync::oneshot;

use super::codecs::Codecs;
use crate::Limits;
use crate::balance::{Aim, Breakers, Candidate, Destination, RetryPermit};
use crate::compile::Table;
use crate::forward::Pool;
use crate::tls::{Chain, TlsTable};

/// A listener as one worker serves it.
pub(crate) struct LocalListener {
    table: RefCell<Rc<LocalTable>>,
    /// How it speaks TLS, if it does.
    tls: RefCell<Option<Arc<TlsTable>>>,
    port: u16,
    /// Dropped to stop accepting.
    pub(crate) accepting: RefCell<Option<oneshot::Sender<()>>>,
}

/// A table behind both kinds of counter.
pub(crate) struct LocalTable {
    table: Arc<Table>,
    /// How its connections are spoken.
    pub(super) codecs: Codecs,
}

impl LocalTable {
    fn new(table: Arc<Table>, limits: &Limits) -> Self {
        let codecs = Codecs::new(limits, table.front.connections());
        Self { table, codecs }
    }
}

impl std::ops::Deref for LocalTable {
    type Target = Table;

    fn deref(&self) -> &Table {
        &self.table
    }
}

impl LocalListener {
    pub(crate) fn new(
        limits: &Limits,
        table: Arc<Table>,
        tls: Option<Arc<TlsTable>>,
        port: u16,
        accepting: oneshot::Sender<()>,
    ) -> Self {
        let accepting = RefCell::new(Some(accepting));
        Self { table: RefCell::new(Rc::new(LocalTable::new(table, limits))), tls: RefCell::new(tls), port, accepting }
    }

    pub(crate) fn table(&self) -> Rc<LocalTable> {
        Rc::clone(&self.table.borrow())
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How it speaks TLS right now, if it does.
    pub(crate) fn tls(&self) -> Option<Arc<TlsTable>> {
        self.tls.borrow().clone()
    }

    /// Whether a client that came by `chain` may reach the routes of `source`.
    pub(crate) fn admits(&self, chain: &Chain, source: &ResourceId) -> bool {
        self.tls.borrow().as_ref().is_none_or(|tls| tls.admits(chain, source))
    }

    pub(crate) fn swap(&self, limits: &Limits, table: Arc<Table>, tls: Option<Arc<TlsTable>>) {
        *self.tls.borrow_mut() = tls;
        *self.table.borrow_mut() = Rc::new(LocalTable::new(table, limits));
    }
}

/// A destination with this worker's connections to it and its place in the order of turns.
pub(crate) struct LocalDestination {
    destination: Arc<Destination>,
    pools: Vec<Rc<Pool>>,
    cursor: Cell<usize>,
}

impl LocalDestination {
    pub(crate) fn new(destination: Arc<Destination>, pools: Vec<Rc<Pool>>, cursor: usize) -> Self {
        Self { destination, pools, cursor: Cell::new(cursor) }
    }

    /// Takes the place of `old`: connections are given up where that is asked for.
    pub(crate) fn take_over(&self, old: &Self) {
        if self.destination.begins_anew(&old.destination) {
            self.pools.iter().chain(&old.pools).for_each(|pool| pool.begin_anew());
        }
    }

    /// The candidate for the next request, and the connections to it.
    pub(crate) fn pick(&self, aim: Aim, random: &mut fastrand::Rng) -> Option<(&Candidate, &Rc<Pool>)> {
        let mut cursor = self.cursor.get();
        let picked = self.destination.pick(aim, &mut cursor, random);
        self.cursor.set(cursor);
        let picked = picked?;
        Some((self.destination.candidates.get(picked)?, self.pools.get(picked)?))
    }

    /// The same for a request that is tried again: one that is not among `tried`, if there is one.
    pub(crate) fn pick_other(
        &self,
        aim: Aim,
        random: &mut fastrand::Rng,
        tried: &[SocketAddr],
    ) -> Option<(&Candidate, &Rc<Pool>)> {
        let untried = |pool: &Rc<Pool>| !tried.contains(&pool.address());
        let picked = self.pick(aim, random)?;
        if untried(picked.1) {
            return Some(picked);
        }
        // The next one by place: where endpoints are few, drawing again may find the same one for ever.
        let start = self.cursor.get() % self.pools.len();
        let others = (0..self.pools.len()).map(|step| (start + step) % self.pools.len());
        let other = others.filter_map(|at| Some((self.destination.candidates.get(at)?, self.pools.get(at)?)));
        Some(other.into_iter().find(|(_, pool)| untried(pool)).unwrap_or(picked))
    }

    /// What limits what it has under way, if anything does.
    pub(crate) fn breakers(&self) -> Option<&Breakers> {
        self.destination.breakers()
    }

    /// Leave to send a request again, for as long as the result lives.
    pub(crate) fn permit_retry(&self) -> Option<RetryPermit> {
        self.destination.permit_retry()
    }

    pub(crate) fn cursor(&self) -> usize {
        self.cursor.get()
    }

    /// Whether an endpoint is chosen by a request's hash.
    pub(crate) fn goes_by_hash(&self) -> bool {
        self.destination.goes_by_hash()
    }

    /// Whether its endpoints have names.
    pub(crate) fn is_named(&self) -> bool {
        self.destination.candidates.iter().any(|candidate| candidate.hostname.is_some())
    }

    /// Whether its endpoints are spoken to by HTTP/2.
    pub(crate) fn speaks_http2(&self) -> bool {
        self.pools.first().and_then(|pool| pool.dial()).is_some_and(|dial| dial.http2().is_some())
    }

    /// How many endpoints there are.
    pub(crate) fn len(&self) -> usize {
        self.pools.len()
    }
}
