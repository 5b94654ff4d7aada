//! The registry: which kinds are served, and everything about a kind that is not an object of it.
//!
//! Built-in kinds are a table ([`builtin`]); custom kinds come and go with their CustomResourceDefinition ([`crd`]). The
//! registry is an [`Observer`] of the store, so a kind is served before the write that declared it is acknowledged.

pub mod builtin;
mod convert;
pub mod crd;
mod resource;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::RwLock;

pub use convert::{convert, json, to_stored};
pub use resource::{Custom, Origin, PrinterColumn, Resource, Scale};

use crate::store::{Event, EventKind, Object, Observer};

/// Where CustomResourceDefinitions are stored.
pub const CRDS: &str = "apiextensions.k8s.io/customresourcedefinitions";

type Name = (Arc<str>, Arc<str>, Arc<str>);

/// All that is served at one moment.
#[derive(Default)]
pub struct Served {
    resources: Vec<Arc<Resource>>,
    by_name: HashMap<Name, Arc<Resource>>,
}

impl Served {
    /// All resources: the built-in ones in the order of their table, then the custom ones by the name of their definition.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.iter()
    }

    /// The resource of a group, version and plural name.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.by_name.get(&(group.into(), version.into(), plural.into())).cloned()
    }

    /// Any served version of what is stored as `group/plural`.
    pub fn stored_as(&self, storage: &str) -> Option<Arc<Resource>> {
        self.resources.iter().find(|r| &*r.storage == storage).cloned()
    }

    /// The resource of an apiVersion and kind.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        self.resources.iter().find(|r| &*r.group == group && &*r.version == version && &*r.kind == kind).cloned()
    }

    /// As [`Served::of_kind`], with any version of the group: owner references outlive versions.
    pub fn of_group_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        self.resources.iter().find(|r| &*r.group == group && &*r.kind == kind).cloned()
    }

    /// Whether anything of this group and version is served.
    pub fn has_version(&self, group: &str, version: &str) -> bool {
        self.resources.iter().any(|r| &*r.group == group && &*r.version == version)
    }
}

/// The kinds served now.
pub struct Registry {
    definitions: RwLock<BTreeMap<Box<str>, Vec<Arc<Resource>>>>,
    builtin: Vec<Arc<Resource>>,
    served: RwLock<Arc<Served>>,
}

impl Default for Registry {
    fn default() -> Self {
        Registry::new()
    }
}

impl Registry {
    /// A registry of the built-in kinds.
    pub fn new() -> Registry {
        let builtin: Vec<_> = builtin::resources().map(Arc::new).collect();
        let registry = Registry { definitions: RwLock::default(), builtin, served: RwLock::default() };
        registry.rebuild();
        registry
    }

    /// What is served now.
    pub fn served(&self) -> Arc<Served> {
        self.served.read().clone()
    }

    /// Serves (or serves anew) the kinds of a definition.
    pub fn define(&self, definition: &Arc<Object>) {
        let resources = crd::resources(definition).into_iter().map(Arc::new).collect();
        self.definitions.write().insert(definition.name.clone(), resources);
        self.rebuild();
    }

    fn remove(&self, name: &str) {
        self.definitions.write().remove(name);
        self.rebuild();
    }

    fn rebuild(&self) {
        let definitions = self.definitions.read();
        let resources: Vec<_> = self.builtin.iter().chain(definitions.values().flatten()).cloned().collect();
        let by_name =
            resources.iter().map(|r| ((r.group.clone(), r.version.clone(), r.plural.clone()), r.clone())).collect();
        *self.served.write() = Arc::new(Served { resources, by_name });
    }
}

impl Observer for Registry {
    fn committed(&self, events: &[Arc<Event>]) {
        for event in events.iter().filter(|event| &*event.resource == CRDS) {
            match event.kind {
                EventKind::Added | EventKind::Modified => self.define(&event.object),
                EventKind::Deleted => self.remove(&event.object.name),
            }
        }
    }
}
