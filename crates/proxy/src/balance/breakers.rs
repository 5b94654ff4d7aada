//! What a cluster has under way over all workers, and how much of it there may be. A cluster without limits counts nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serin_api::proxy::CircuitBreakers;

use super::retry_budget::RetryBudget;

/// Places of one sort, over all workers.
#[derive(Debug, Default)]
pub(crate) struct Slots(AtomicU32);

/// A place that is taken for as long as this lives.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Slots>);

/// There is no room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

/// What a cluster has under way. It outlives changes of the cluster's endpoints and limits.
#[derive(Debug, Default)]
pub(crate) struct ClusterLoad {
    connections: Arc<Slots>,
    pending: Arc<Slots>,
    requests: Arc<Slots>,
    pub(super) retries: Arc<RetryBudget>,
}

/// A cluster's limits.
#[derive(Debug)]
pub(crate) struct Breakers {
    limits: CircuitBreakers,
    load: Arc<ClusterLoad>,
}

impl Slots {
    /// A place, unless all of `most` are taken. `None`: they are not counted.
    fn take(self: &Arc<Self>, most: Option<u32>) -> Result<Option<Slot>, Overflow> {
        let Some(most) = most else { return Ok(None) };
        let slot = self.take_anyway();
        // One that is too much gives itself back.
        if slot.1 < most { Ok(Some(slot.0)) } else { Err(Overflow) }
    }

    /// A place beyond all limits, and how many were taken before.
    fn take_anyway(self: &Arc<Self>) -> (Slot, u32) {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        (Slot(Arc::clone(self)), before)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Breakers {
    /// `None`: nothing that connections and requests have to ask about is limited.
    pub(crate) fn new(limits: CircuitBreakers, load: &Arc<ClusterLoad>) -> Option<Self> {
        let CircuitBreakers { connections, pending, requests, retries: _ } = limits;
        let limited = connections.is_some() || pending.is_some() || requests.is_some();
        limited.then(|| Self { limits, load: Arc::clone(load) })
    }

    /// Room for one more connection.
    pub(crate) fn connection(&self) -> Result<Option<Slot>, Overflow> {
        self.load.connections.take(self.limits.connections)
    }

    /// The same where there is none, for a worker that could not send anything otherwise.
    pub(crate) fn connection_anyway(&self) -> Slot {
        self.load.connections.take_anyway().0
    }

    /// Room for one more request that waits for a connection.
    pub(crate) fn pending(&self) -> Result<Option<Slot>, Overflow> {
        self.load.pending.take(self.limits.pending)
    }

    /// Room for one more request.
    pub(crate) fn request(&self) -> Result<Option<Slot>, Overflow> {
        self.load.requests.take(self.limits.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_over_all_who_take_them_and_given_back() {
        let load = Arc::new(ClusterLoad::default());
        let limits = CircuitBreakers { connections: Some(2), requests: Some(0), ..CircuitBreakers::default() };
        let breakers = [Breakers::new(limits, &load).unwrap(), Breakers::new(limits, &load).unwrap()];
        let first = breakers[0].connection().unwrap().unwrap();
        let _second = breakers[1].connection().unwrap().unwrap();
        assert!(breakers.iter().all(|breakers| breakers.connection().is_err()));
        drop(first);
        let third = breakers[1].connection().unwrap();
        let beyond = breakers[0].connection_anyway();
        drop(third);
        assert!(breakers[0].connection().is_err(), "the one beyond counts too");
        drop(beyond);
        assert!(breakers[0].connection().is_ok());
        assert!(breakers[0].request().is_err());
        assert!(breakers[0].pending().unwrap().is_none(), "what is not limited is not counted");
    }

    #[test]
    fn a_cluster_without_limits_asks_nothing() {
        let retries_only = CircuitBreakers { retries: Some(1), ..CircuitBreakers::default() };
        assert!(Breakers::new(CircuitBreakers::default(), &Arc::default()).is_none());
        assert!(Breakers::new(retries_only, &Arc::default()).is_none());
    }
}
