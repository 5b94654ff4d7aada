//! The way to a connection where a cluster's load is limited: who may open one, who waits for one, and who is turned away.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

use super::carrier::Carrier;
use super::connecting::connect;
use super::failure::Failure;
use super::patience::Patience;
use super::pool::Pool;
use super::upstream::UpstreamConnection;
use crate::balance::{Breakers, Overflow, Slot};
use crate::worker::Worker;

/// Who waits for one of a pool's connections, and how many of those there are. Without limits nobody waits and none is
/// counted.
#[derive(Default)]
pub(crate) struct Waiters {
    freed: Notify,
    waiting: Cell<usize>,
    open: Cell<usize>,
}

/// What a connection takes up.
pub(crate) struct Held {
    /// By the request that it carries.
    request: Option<Slot>,
    _connection: Option<Slot>,
    waiters: Rc<Waiters>,
}

impl Waiters {
    /// Tells one of those who wait that there is a connection, or room for one.
    pub(super) fn wake(&self) {
        if self.waiting.get() > 0 {
            self.freed.notify_one();
        }
    }

    async fn wait(&self) {
        struct Waiting<'w>(&'w Cell<usize>);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        self.waiting.set(self.waiting.get() + 1);
        let _waiting = Waiting(&self.waiting);
        self.freed.notified().await;
    }
}

impl Held {
    fn new(connection: Option<Slot>, waiters: &Rc<Waiters>) -> Self {
        waiters.open.set(waiters.open.get() + 1);
        Self { request: None, _connection: connection, waiters: Rc::clone(waiters) }
    }

    /// The request is over.
    pub(super) fn end_request(&mut self) {
        self.request = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.waiters.open.set(self.waiters.open.get() - 1);
        self.waiters.wake();
    }
}

/// A connection for a request. `fresh`: an idle one will not do; `read`: the client has sent all of the request.
pub(super) async fn connection(
    breakers: &Breakers,
    worker: &Worker,
    pool: &Pool,
    patience: &mut Patience,
    fresh: bool,
    read: bool,
) -> Result<Carrier, Failure> {
    let idle = if fresh { None } else { pool.take() };
    match idle {
        Some(connection) => take(breakers, worker, pool, connection),
        None => open_or_wait(breakers, worker, pool, patience, fresh, read).await,
    }
}

/// The connection, if there is room for a request on it.
fn take(
    breakers: &Breakers,
    worker: &Worker,
    pool: &Pool,
    mut connection: Box<UpstreamConnection>,
) -> Result<Carrier, Failure> {
    match breakers.request() {
        Ok(request) => {
            let held = connection.held.get_or_insert_with(|| Box::new(Held::new(None, pool.waiters())));
            held.request = request;
            Ok(Carrier::Http1(connection))
        }
        Err(Overflow) => {
            pool.put(Carrier::Http1(connection), worker);
            Err(Failure::Overflow)
        }
    }
}

async fn open_or_wait(
    breakers: &Breakers,
    worker: &Worker,
    pool: &Pool,
    patience: &mut Patience,
    fresh: bool,
    read: bool,
) -> Result<Carrier, Failure> {
    let _pending = breakers.pending().map_err(|Overflow| Failure::Overflow)?;
    loop {
        let slot = match breakers.connection() {
            Ok(slot) => Some(slot),
            // Nobody would ever give one back.
            Err(Overflow) if pool.waiters().open.get() == 0 => Some(Some(breakers.connection_anyway())),
            Err(Overflow) => None,
        };
        if let Some(slot) = slot {
            let mut held = Held::new(slot, pool.waiters());
            held.request = breakers.request().map_err(|Overflow| Failure::Overflow)?;
            let mut carrier = connect(worker, pool, patience, read).await?;
            if let Carrier::Http1(connection) = &mut carrier {
                connection.held = Some(Box::new(held));
            }
            return Ok(carrier);
        }
        // An idle one makes room for one that is fresh.
        if fresh && pool.take().is_some() {
            continue;
        }
        patience.within(read, pool.waiters().wait()).await.map_err(Failure::Time)?;
        if !fresh && let Some(connection) = pool.take() {
            return take(breakers, worker, pool, connection);
        }
    }
}
