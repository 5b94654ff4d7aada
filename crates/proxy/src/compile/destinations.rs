//! Numbers for the destinations that routes name: a cluster, or a subset of one. A number is kept for as long as any
//! compiled route holds its handle, so that requests under an old configuration find what they were routed to.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serin_api::proxy::ClusterName;

/// What a destination is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DestinationKey {
    pub(crate) cluster: ClusterName,
    /// Empty: the whole cluster.
    pub(crate) subset: BTreeMap<String, String>,
}

/// A destination's number, kept in use.
#[derive(Clone, Debug)]
pub(crate) struct DestinationHandle {
    number: u32,
    used: Arc<()>,
}

impl DestinationHandle {
    pub(crate) fn number(&self) -> u32 {
        self.number
    }
}

/// All destinations in use.
#[derive(Debug, Default)]
pub(crate) struct Destinations {
    numbers: FxHashMap<DestinationKey, DestinationHandle>,
    free: Vec<u32>,
    next: u32,
}

impl Destinations {
    /// The handle of a destination, made if there is none.
    pub(crate) fn handle(&mut self, cluster: &ClusterName, subset: &BTreeMap<String, String>) -> DestinationHandle {
        let key = DestinationKey { cluster: cluster.clone(), subset: subset.clone() };
        if let Some(handle) = self.numbers.get(&key) {
            return handle.clone();
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        let handle = DestinationHandle { number, used: Arc::default() };
        self.numbers.insert(key, handle.clone());
        handle
    }

    /// Frees the numbers that nobody holds any more, and says which.
    pub(crate) fn release_unused(&mut self) -> Vec<u32> {
        let mut released = Vec::new();
        self.numbers.retain(|_, handle| {
            let used = Arc::strong_count(&handle.used) > 1;
            if !used {
                released.push(handle.number);
            }
            used
        });
        self.free.extend(&released);
        released
    }

    /// All destinations and their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&DestinationKey, u32)> {
        self.numbers.iter().map(|(key, handle)| (key, handle.number()))
    }
}
