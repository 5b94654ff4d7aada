//! The one thread that writes: it groups what waits into one transaction, so that many writers share one fsync.

use std::collections::HashMap;
use std::sync::{Arc, mpsc};

use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::oneshot;

use super::disk::{Disk, Entry};
use super::object::{Key, Object};
use super::state::State;
use super::window::{Event, EventKind};

/// Most writes in one transaction.
const BATCH: usize = 256;

/// What must hold for a change to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is no such object.
    Absent,
    /// The object is there and still has this revision.
    Revision(u64),
}

/// A change of one object.
#[derive(Debug)]
pub enum Change {
    /// Create or replace it.
    Put {
        /// The object; its resourceVersion is set by the store.
        value: Value,
        /// What must hold.
        expect: Expect,
        /// Refuse unless the key's namespace exists and is not being terminated.
        in_live_namespace: bool,
    },
    /// Delete it.
    Delete {
        /// Its last state, as watchers shall see it.
        value: Value,
        /// The revision it must still have.
        revision: u64,
    },
}

/// Why a write was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// It was to be created but exists.
    #[error("the object exists already")]
    Exists,
    /// It was to be changed but is not there.
    #[error("the object does not exist")]
    NotFound,
    /// It was changed by someone else meanwhile.
    #[error("the object has been modified")]
    Conflict,
    /// Its namespace does not exist.
    #[error("the namespace does not exist")]
    NamespaceMissing,
    /// Its namespace is being terminated.
    #[error("the namespace is being terminated")]
    NamespaceTerminating,
    /// The disk failed; nothing was changed.
    #[error("{0}")]
    Storage(String),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

/// Sees every commit, in order, after it is durable and visible and before its writers are answered.
pub trait Observer: Send + Sync {
    /// `events` have just been committed.
    fn committed(&self, events: &[Arc<Event>]);
}

/// An observer that looks away.
impl Observer for () {
    fn committed(&self, _: &[Arc<Event>]) {}
}

pub(super) struct Request {
    pub(super) key: Key,
    pub(super) change: Change,
    pub(super) reply: oneshot::Sender<Result<Arc<Object>, WriteError>>,
}

pub(super) struct Writer {
    disk: Disk,
    state: Arc<RwLock<State>>,
    observer: Arc<dyn Observer>,
    /// Why nothing can be written any more: after a failure it is not known what the disk has.
    broken: Option<String>,
}

impl Writer {
    pub(super) fn new(disk: Disk, state: Arc<RwLock<State>>, observer: Arc<dyn Observer>) -> Writer {
        Writer { disk, state, observer, broken: None }
    }

    /// Runs until every sender is gone.
    pub(super) fn run(mut self, requests: &mpsc::Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let batch = std::iter::once(first).chain(requests.try_iter().take(BATCH - 1)).collect();
            self.write(batch);
        }
    }

    fn write(&mut self, batch: Vec<Request>) {
        if let Some(why) = &self.broken {
            for request in batch {
                drop(request.reply.send(Err(WriteError::Storage(why.clone()))));
            }
            return;
        }
        let mut revision = self.state.read().revision();
        let mut pending: HashMap<Key, Option<Arc<Object>>> = HashMap::new();
        let mut events = Vec::with_capacity(batch.len());
        let mut replies = Vec::with_capacity(batch.len());
        for Request { key, change, reply } in batch {
            match self.prepare(&pending, key, change, revision + 1) {
                Ok((key, event)) => {
                    revision += 1;
                    let now = (event.kind != EventKind::Deleted).then(|| event.object.clone());
                    pending.insert(key, now);
                    replies.push((reply, event.object.clone()));
                    events.push(Arc::new(event));
                }
                Err(error) => drop(reply.send(Err(error))),
            }
        }
        if events.is_empty() {
            return;
        }
        let entries: Vec<Entry<'_>> = pending
            .iter()
            .map(|(key, object)| (key.to_disk(), object.as_ref().map(|object| &object.json[..])))
            .collect();
        if let Err(error) = self.disk.commit(revision, &entries) {
            for (reply, _) in replies {
                drop(reply.send(Err(WriteError::Storage(error.to_string()))));
            }
            tracing::error!(%error, "nothing can be written until serin is started again");
            self.broken = Some(error.to_string());
            return;
        }
        self.state.write().apply(&events);
        self.observer.committed(&events);
        self.state.read().announce(&events);
        for (reply, object) in replies {
            drop(reply.send(Ok(object)));
        }
    }

    fn prepare(
        &self,
        pending: &HashMap<Key, Option<Arc<Object>>>,
        key: Key,
        change: Change,
        revision: u64,
    ) -> Result<(Key, Event), WriteError> {
        let current = |key: &Key| match pending.get(key) {
            Some(object) => object.clone(),
            None => self.state.read().get(key),
        };
        let previous = current(&key);
        let expect = match &change {
            Change::Put { expect, .. } => *expect,
            Change::Delete { revision, .. } => Expect::Revision(*revision),
        };
        match (expect, &previous) {
            (Expect::Absent, Some(_)) => return Err(WriteError::Exists),
            (Expect::Revision(_), None) => return Err(WriteError::NotFound),
            (Expect::Revision(r), Some(object)) if r != object.revision => return Err(WriteError::Conflict),
            _ => {}
        }
        let (kind, value) = match change {
            Change::Put { value, in_live_namespace, .. } => {
                if in_live_namespace {
                    let namespace =
                        current(&Key::new("/namespaces", "", &key.namespace)).ok_or(WriteError::NamespaceMissing)?;
                    if !namespace.value()["metadata"]["deletionTimestamp"].is_null() {
                        return Err(WriteError::NamespaceTerminating);
                    }
                }
                (if previous.is_some() { EventKind::Modified } else { EventKind::Added }, value)
            }
            Change::Delete { value, .. } => (EventKind::Deleted, value),
        };
        let object = Arc::new(Object::new(&key, value, revision));
        let event = Event { revision, kind, resource: key.resource.clone(), object, previous };
        Ok((key, event))
    }
}
