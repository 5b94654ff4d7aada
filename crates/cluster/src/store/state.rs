//! The memory of the store: what is committed, and the windows of recent events.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use tokio::sync::watch;

use super::object::{Key, Object};
use super::window::{Event, EventKind, TooOld, Window};

type Names = BTreeMap<(Box<str>, Box<str>), Arc<Object>>;

/// Objects of one resource at one revision.
pub struct Listing {
    /// In the order of namespace and name.
    pub objects: Vec<Arc<Object>>,
    /// The revision at which this was the whole truth.
    pub revision: u64,
}

struct Collection {
    name: Arc<str>,
    objects: Names,
    window: Window,
    changed: watch::Sender<u64>,
}

impl Collection {
    fn new(name: Arc<str>, compacted: u64) -> Collection {
        Collection { name, objects: Names::new(), window: Window::new(compacted), changed: watch::Sender::new(0) }
    }
}

pub(super) struct State {
    revision: u64,
    /// The revision at the start: what came before has left no events.
    start: u64,
    collections: HashMap<Arc<str>, Collection>,
}

impl State {
    pub(super) fn new(revision: u64, objects: Vec<(Key, Object)>) -> State {
        let mut state = State { revision, start: revision, collections: HashMap::new() };
        for (key, object) in objects {
            let collection = state.collection(&key.resource);
            collection.objects.insert((key.namespace, key.name), Arc::new(object));
        }
        state
    }

    fn collection(&mut self, resource: &str) -> &mut Collection {
        if !self.collections.contains_key(resource) {
            let name: Arc<str> = resource.into();
            self.collections.insert(name.clone(), Collection::new(name, self.start));
        }
        self.collections.get_mut(resource).unwrap_or_else(|| unreachable!("inserted above"))
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Object>> {
        // BTreeMap cannot be asked with borrowed parts of a tuple; keys are short, so they are cloned.
        self.collections.get(&key.resource)?.objects.get(&(key.namespace.clone(), key.name.clone())).cloned()
    }

    pub(super) fn resources(&self) -> Vec<Arc<str>> {
        self.collections.values().filter(|c| !c.objects.is_empty()).map(|c| c.name.clone()).collect()
    }

    pub(super) fn list(&self, resource: &str, namespace: Option<&str>) -> Listing {
        let objects = match self.collections.get(resource) {
            Some(collection) => in_namespace(&collection.objects, namespace),
            None => Vec::new(),
        };
        Listing { objects, revision: self.revision }
    }

    pub(super) fn list_at(&self, resource: &str, namespace: Option<&str>, revision: u64) -> Result<Listing, TooOld> {
        let Some(collection) = self.collections.get(resource) else {
            return Ok(Listing { objects: Vec::new(), revision });
        };
        let undo: Vec<_> = collection.window.since(revision)?.rev().collect();
        if undo.is_empty() {
            return Ok(Listing { objects: in_namespace(&collection.objects, namespace), revision });
        }
        let mut objects = collection.objects.clone();
        for event in undo {
            let name = (event.object.namespace.clone(), event.object.name.clone());
            match &event.previous {
                Some(previous) => objects.insert(name, previous.clone()),
                None => objects.remove(&name),
            };
        }
        Ok(Listing { objects: in_namespace(&objects, namespace), revision })
    }

    pub(super) fn events_since(&self, resource: &str, revision: u64) -> Result<(Vec<Arc<Event>>, u64), TooOld> {
        match self.collections.get(resource) {
            Some(collection) => Ok((collection.window.since(revision)?.cloned().collect(), self.revision)),
            None if revision < self.start => Err(TooOld { asked: revision, oldest: self.start }),
            None => Ok((Vec::new(), self.revision)),
        }
    }

    pub(super) fn subscribe(&self, resource: &str) -> Option<watch::Receiver<u64>> {
        self.collections.get(resource).map(|c| c.changed.subscribe())
    }

    pub(super) fn subscribe_new(&mut self, resource: &str) -> watch::Receiver<u64> {
        self.collection(resource).changed.subscribe()
    }

    /// Applies committed events. Watchers are told by [`State::announce`], when the lock is free again.
    pub(super) fn apply(&mut self, events: &[Arc<Event>]) {
        for event in events {
            self.revision = event.revision;
            let collection = self.collection(&event.resource);
            let name = (event.object.namespace.clone(), event.object.name.clone());
            match event.kind {
                EventKind::Deleted => collection.objects.remove(&name),
                EventKind::Added | EventKind::Modified => collection.objects.insert(name, event.object.clone()),
            };
            collection.window.push(event.clone());
        }
    }

    pub(super) fn announce(&self, events: &[Arc<Event>]) {
        for event in events {
            if let Some(collection) = self.collections.get(&event.resource) {
                collection.changed.send_replace(event.revision);
            }
        }
    }
}

fn in_namespace(objects: &Names, namespace: Option<&str>) -> Vec<Arc<Object>> {
    let Some(namespace) = namespace else { return objects.values().cloned().collect() };
    let from = (Box::from(namespace), Box::from(""));
    objects
        .range((Bound::Included(from), Bound::Unbounded))
        .take_while(|((ns, _), _)| &**ns == namespace)
        .map(|(_, object)| object.clone())
        .collect()
}
