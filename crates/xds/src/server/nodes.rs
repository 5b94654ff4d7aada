//! What is known of the Envoys that are connected.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serin_api::ResourceId;
use tokio::sync::watch;

use crate::ResourceType;

/// One connected Envoy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its id, as its bootstrap says.
    pub node: String,
    /// The number of the last snapshot that it has taken over whole, apart from what it refused; 0 before the first.
    pub snapshot: u64,
    /// What it refused and has not been sent a better version of.
    pub refusals: Vec<Refusal>,
}

/// A resource that an Envoy refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The resource's type.
    pub kind: ResourceType,
    /// The resource's name.
    pub resource: String,
    /// The version that was refused.
    pub version: String,
    /// The Gateway, Upstream or Service that the resource was made of.
    pub source: ResourceId,
    /// Why, in Envoy's words.
    pub message: String,
}

/// The nodes, by the number of their stream.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    by_stream: Mutex<(u64, BTreeMap<u64, NodeStatus>)>,
    changes: watch::Sender<u64>,
}

impl Nodes {
    /// The number of a stream that begins.
    pub(super) fn begin(&self) -> u64 {
        let mut inner = self.by_stream.lock();
        inner.0 += 1;
        inner.0
    }

    pub(super) fn set(&self, stream: u64, status: &NodeStatus) {
        let mut inner = self.by_stream.lock();
        if inner.1.get(&stream) != Some(status) {
            inner.1.insert(stream, status.clone());
            self.changes.send_modify(|count| *count += 1);
        }
    }

    pub(super) fn end(&self, stream: u64) {
        self.by_stream.lock().1.remove(&stream);
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn list(&self) -> Vec<NodeStatus> {
        self.by_stream.lock().1.values().cloned().collect()
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
