//! A worker's idle connections to one endpoint. The one that was used last is used next, so that surplus ones grow old.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use super::upstream::UpstreamConnection;

/// Idle connections to `address`.
pub(crate) struct Pool {
    address: SocketAddr,
    /// By age of their idleness; the youngest is last.
    #[expect(clippy::vec_box, reason = "connections are large, and move from here to requests and back")]
    idle: RefCell<Vec<Box<UpstreamConnection>>>,
}

impl Pool {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, idle: RefCell::default() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection that is ready, if there is one. Those found closed are dropped.
    pub(crate) async fn take(&self) -> Option<Box<UpstreamConnection>> {
        poll_fn(|cx| {
            loop {
                // Not a `while let`: the borrow must end before the connection is polled.
                let next = self.idle.borrow_mut().pop();
                let Some(mut connection) = next else { return Poll::Ready(None) };
                if connection.is_ready(cx) {
                    return Poll::Ready(Some(connection));
                }
            }
        })
        .await
    }

    /// Keeps a connection whose response has ended, if it can serve again and there is room.
    pub(crate) fn put(&self, mut connection: Box<UpstreamConnection>, now: u64, most: usize) {
        if connection.is_ready(&Context::from_waker(Waker::noop())) && self.idle.borrow().len() < most {
            connection.reused = true;
            connection.idle_since = now;
            self.idle.borrow_mut().push(connection);
        }
    }

    /// Drops connections that were idle for more than `idle` ticks, and those that the upstream closed.
    pub(crate) fn sweep(&self, now: u64, idle: u64) {
        let context = &Context::from_waker(Waker::noop());
        let connections = std::mem::take(&mut *self.idle.borrow_mut());
        let mut kept: Vec<_> = connections
            .into_iter()
            .filter(|connection| now.saturating_sub(connection.idle_since) <= idle)
            .filter_map(|mut connection| connection.is_ready(context).then_some(connection))
            .collect();
        let mut current = self.idle.borrow_mut();
        kept.append(&mut current);
        *current = kept;
    }
}
