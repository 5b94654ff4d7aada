//! Informers: the objects of one kind as a watch shows them, shared by the controllers and the node.
//!
//! What a controller has just written is put here at once ([`Informer::wrote`]) and not only when the watch brings it back, so
//! that no controller acts twice on what it has already done. Resource versions, which Kubernetes promises to be comparable
//! integers, say which of two is newer.

use futures::{StreamExt, TryStreamExt};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource, ResourceExt};
use parking_lot::{Mutex, RwLock};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display};
use std::sync::Arc;
use tokio::sync::watch;

/// Namespace (empty for a kind without) and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectKey {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl ObjectKey {
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        ObjectKey { namespace: namespace.into(), name: name.into() }
    }

    pub(crate) fn of<K: Resource>(object: &K) -> Self {
        ObjectKey::new(object.namespace().unwrap_or_default(), object.name_any())
    }
}

impl Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// One object before and after: `old` is missing when it is new, `new` when it is gone.
pub(crate) struct Change<K> {
    pub(crate) key: ObjectKey,
    pub(crate) old: Option<Arc<K>>,
    pub(crate) new: Option<Arc<K>>,
}

impl<K> Change<K> {
    /// The object as it is, or as it last was.
    pub(crate) fn latest(&self) -> Option<&Arc<K>> {
        self.new.as_ref().or(self.old.as_ref())
    }

    /// The object before and after, those that there are.
    pub(crate) fn both(&self) -> impl Iterator<Item = &Arc<K>> {
        self.old.iter().chain(&self.new)
    }
}

type Handler<K> = Box<dyn Fn(&Change<K>) + Send + Sync>;

/// The objects of one kind, in all namespaces.
pub(crate) struct Informer<K> {
    state: Mutex<State<K>>,
    handlers: RwLock<Vec<Handler<K>>>,
    synced: watch::Sender<bool>,
}

struct State<K> {
    objects: BTreeMap<ObjectKey, Arc<K>>,
    /// The newest version that the watch has shown, of any object.
    seen: u64,
}

impl<K> Informer<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Informer {
            state: Mutex::new(State { objects: BTreeMap::new(), seen: 0 }),
            handlers: RwLock::new(Vec::new()),
            synced: watch::Sender::new(false),
        })
    }

    /// All objects, by namespace and name.
    pub(crate) fn all(&self) -> Vec<Arc<K>> {
        self.state.lock().objects.values().cloned().collect()
    }

    /// Has `handler` called after every change; it must not block.
    pub(crate) fn on_change(&self, handler: impl Fn(&Change<K>) + Send + Sync + 'static) {
        self.handlers.write().push(Box::new(handler));
    }

    pub(crate) fn get(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.state.lock().objects.get(key).cloned()
    }

    /// All objects of a namespace, by name.
    pub(crate) fn list(&self, namespace: &str) -> Vec<Arc<K>> {
        let from = ObjectKey::new(namespace, "");
        let state = self.state.lock();
        state.objects.range(from..).take_while(|(key, _)| key.namespace == namespace).map(|(_, o)| o.clone()).collect()
    }

    /// Takes in the answer to a write of ours, unless the watch is past it already.
    pub(crate) fn wrote(&self, mut object: K) -> Arc<K> {
        object.meta_mut().managed_fields = None;
        let object = Arc::new(object);
        let change = {
            let mut state = self.state.lock();
            if version(&*object) <= state.seen { None } else { state.put(object.clone()) }
        };
        self.tell(change);
        object
    }

    /// Takes out an object that a write of ours has removed.
    pub(crate) fn removed(&self, key: &ObjectKey, uid: Option<&str>) {
        let change = {
            let mut state = self.state.lock();
            match state.objects.get(key) {
                Some(object) if object.meta().uid.as_deref() == uid => state.remove(key),
                _ => None,
            }
        };
        self.tell(change);
    }

    /// Waits until the objects that exist are known.
    pub(crate) async fn synced(&self) {
        // The sender lives in `self`, so this ends only when the value is true.
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// Watches until dropped; trouble is logged, and tried again after a pause.
    pub(crate) async fn run(self: Arc<Self>, api: Api<K>) {
        let mut stream = watcher(api, watcher::Config::default()).default_backoff().boxed();
        let mut listed: Option<Vec<K>> = None;
        loop {
            match stream.try_next().await {
                Ok(Some(watcher::Event::Apply(object))) => self.saw(object),
                Ok(Some(watcher::Event::Delete(object))) => self.saw_deleted(&object),
                Ok(Some(watcher::Event::Init)) => listed = Some(Vec::new()),
                Ok(Some(watcher::Event::InitApply(object))) => listed.get_or_insert_default().push(object),
                Ok(Some(watcher::Event::InitDone)) => {
                    self.replace(listed.take().unwrap_or_default());
                    self.synced.send_replace(true);
                }
                Ok(None) => return,
                Err(error) => tracing::debug!(kind = %K::kind(&()), %error, "watch"),
            }
        }
    }

    fn saw(&self, mut object: K) {
        object.meta_mut().managed_fields = None;
        let change = {
            let mut state = self.state.lock();
            state.seen = state.seen.max(version(&object));
            state.put(Arc::new(object))
        };
        self.tell(change);
    }

    fn saw_deleted(&self, object: &K) {
        let key = ObjectKey::of(object);
        let change = {
            let mut state = self.state.lock();
            state.seen = state.seen.max(version(object));
            match state.objects.get(&key) {
                Some(held) if held.meta().uid == object.meta().uid => state.remove(&key),
                _ => None,
            }
        };
        self.tell(change);
    }

    fn replace(&self, objects: Vec<K>) {
        let mut changes = Vec::new();
        {
            let mut state = self.state.lock();
            let mut gone: Vec<ObjectKey> = state.objects.keys().cloned().collect();
            for mut object in objects {
                object.meta_mut().managed_fields = None;
                state.seen = state.seen.max(version(&object));
                let key = ObjectKey::of(&object);
                if let Ok(at) = gone.binary_search(&key) {
                    gone.remove(at);
                }
                changes.extend(state.put(Arc::new(object)));
            }
            for key in gone {
                changes.extend(state.remove(&key));
            }
        }
        for change in changes {
            self.tell(Some(change));
        }
    }

    fn tell(&self, change: Option<Change<K>>) {
        if let Some(change) = change {
            for handler in self.handlers.read().iter() {
                handler(&change);
            }
        }
    }
}

impl<K: Resource<DynamicType = ()>> State<K> {
    /// Puts an object in, unless it is held in this version or a newer one.
    fn put(&mut self, object: Arc<K>) -> Option<Change<K>> {
        let key = ObjectKey::of(&*object);
        let old = self.objects.get(&key).cloned();
        if old.as_ref().is_some_and(|old| version(&**old) >= version(&*object)) {
            return None;
        }
        self.objects.insert(key.clone(), object.clone());
        Some(Change { key, old, new: Some(object) })
    }

    fn remove(&mut self, key: &ObjectKey) -> Option<Change<K>> {
        let old = self.objects.remove(key)?;
        Some(Change { key: key.clone(), old: Some(old), new: None })
    }
}

fn version<K: Resource>(object: &K) -> u64 {
    object.meta().resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;

    fn map(name: &str, version: u64) -> ConfigMap {
        let mut map = ConfigMap::default();
        map.metadata.namespace = Some("ns".into());
        map.metadata.name = Some(name.into());
        map.metadata.uid = Some(format!("uid-{name}"));
        map.metadata.resource_version = Some(version.to_string());
        map
    }

    fn names(informer: &Informer<ConfigMap>) -> Vec<String> {
        informer.list("ns").iter().map(|o| format!("{}@{}", o.name_any(), version(&**o))).collect()
    }

    #[test]
    fn a_write_shows_at_once_and_only_once() {
        let informer = Informer::<ConfigMap>::new();
        let told = Arc::new(Mutex::new(0));
        let counter = told.clone();
        informer.on_change(move |_| *counter.lock() += 1);
        informer.wrote(map("a", 5));
        informer.saw(map("a", 5));
        informer.saw(map("a", 4));
        assert_eq!(names(&informer), ["a@5"]);
        assert_eq!(*told.lock(), 1);
    }

    #[test]
    fn an_answer_that_comes_after_the_objects_end_raises_no_ghost() {
        let informer = Informer::<ConfigMap>::new();
        informer.saw(map("a", 5));
        informer.saw_deleted(&map("a", 6));
        informer.wrote(map("a", 5));
        assert!(names(&informer).is_empty());
    }

    #[test]
    fn a_new_list_drops_what_is_not_in_it() {
        let informer = Informer::<ConfigMap>::new();
        informer.saw(map("a", 1));
        informer.saw(map("b", 2));
        informer.replace(vec![map("b", 2), map("c", 3)]);
        assert_eq!(names(&informer), ["b@2", "c@3"]);
    }

    #[test]
    fn a_removal_is_of_the_object_that_was_meant() {
        let informer = Informer::<ConfigMap>::new();
        informer.saw(map("a", 1));
        informer.removed(&ObjectKey::new("ns", "a"), Some("another"));
        assert_eq!(names(&informer), ["a@1"]);
        informer.removed(&ObjectKey::new("ns", "a"), Some("uid-a"));
        assert!(names(&informer).is_empty());
    }
}
