//! A worker's idle connections to one endpoint. The one that was used last is used next, so that surplus ones grow old.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use serin_api::proxy::Connections;

use super::carrier::Carrier;
use super::gate::Waiters;
use super::http2::Http2Pool;
use super::upstream::UpstreamConnection;
use crate::dial::Dial;
use crate::worker::{Worker, ticks};

/// Idle connections to `address`.
pub(crate) struct Pool {
    address: SocketAddr,
    /// How they are made; `None`: plainly.
    dial: Option<Arc<Dial>>,
    /// By age of their idleness; the youngest is last.
    #[expect(clippy::vec_box, reason = "connections are large, and move from here to requests and back")]
    idle: RefCell<Vec<Box<UpstreamConnection>>>,
    /// Those of HTTP/2, where that is spoken.
    pub(super) http2: Http2Pool,
    waiters: Rc<Waiters>,
    era: Cell<u32>,
}

impl Pool {
    pub(crate) fn new(address: SocketAddr, dial: Option<Arc<Dial>>) -> Self {
        Self {
            address,
            dial,
            idle: RefCell::default(),
            http2: Http2Pool::default(),
            waiters: Rc::default(),
            era: Cell::new(0),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How connections to it are made; `None`: plainly.
    pub(crate) fn dial(&self) -> Option<&Arc<Dial>> {
        self.dial.as_ref()
    }

    /// Connections of another era than this serve no more requests.
    pub(super) fn era(&self) -> u32 {
        self.era.get()
    }

    /// Gives up all connections: those that are idle now, those of requests under way when these are over.
    pub(crate) fn begin_anew(&self) {
        self.era.set(self.era.get().wrapping_add(1));
        self.idle.borrow_mut().clear();
        self.http2.clear();
    }

    /// Who waits for a connection.
    pub(super) fn waiters(&self) -> &Rc<Waiters> {
        &self.waiters
    }

    /// How they are made and kept, beyond defaults.
    fn kept(&self) -> Option<&Connections> {
        self.dial.as_deref().map(Dial::connections)
    }

    /// A connection that is ready, if there is one. Those found closed are dropped.
    pub(crate) fn take(&self) -> Option<Box<UpstreamConnection>> {
        let mut idle = self.idle.borrow_mut();
        std::iter::from_fn(|| idle.pop()).find_map(|mut connection| connection.is_idle().then_some(connection))
    }

    /// Keeps a connection whose exchange is over, if it can serve again and there is room.
    pub(crate) fn put(&self, carrier: Carrier, worker: &Worker) {
        let Carrier::Http1(mut connection) = carrier else { return };
        connection.served += 1;
        let most = self.kept().and_then(|kept| kept.max_requests);
        let spent = most.is_some_and(|most| connection.served >= most) || connection.era != self.era();
        let mut idle = self.idle.borrow_mut();
        if let Some(held) = &mut connection.held {
            held.end_request();
        }
        if connection.is_reusable() && !spent && idle.len() < worker.limits.idle_upstream_connections {
            connection.reused = true;
            connection.idle_since = worker.now();
            idle.push(connection);
            self.waiters.wake();
        }
    }

    /// Drops connections that were idle for more than `longest` ticks, and those that the upstream closed.
    pub(crate) fn sweep(&self, now: u64, longest: u64) {
        let longest = match self.kept().and_then(|kept| kept.idle_timeout) {
            None => longest,
            Some(time) if time.0.is_zero() => u64::MAX,
            Some(time) => ticks(time.0),
        };
        self.http2.sweep(now, longest);
        self.idle
            .borrow_mut()
            .retain_mut(|connection| now.saturating_sub(connection.idle_since) <= longest && connection.is_idle());
    }
}
