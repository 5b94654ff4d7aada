//! The snapshot as translation looks at it: only what is watched, with indexes.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serin_api::gateway::RouteTableSpec;
use serin_api::gloo::{FdsMode, SettingsSpec};
use serin_api::{CONTROL_PLANE_NAMESPACE, Ref, ResourceId, ResourceKind};

use crate::policy::InvalidPolicy;
use crate::snapshot::{Resource, Resources, Snapshot, Unreadable};

/// A snapshot seen through its Settings.
pub(crate) struct View<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) settings: Option<&'a Arc<Resource<SettingsSpec>>>,
    pub(crate) policy: InvalidPolicy,
    watched: Option<BTreeSet<&'a str>>,
    discovered: OnceCell<BTreeMap<String, (&'a Ref, u16)>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let settings = snapshot.settings.get(&Ref::new(CONTROL_PLANE_NAMESPACE, "default"));
        let policy = settings.map(|settings| InvalidPolicy::from_settings(&settings.spec).0).unwrap_or_default();
        let watched = settings.filter(|settings| !settings.spec.watch_namespaces.is_empty()).map(|settings| {
            // As in Gloo, the control plane's own namespace is always watched.
            settings.spec.watch_namespaces.iter().map(String::as_str).chain([CONTROL_PLANE_NAMESPACE]).collect()
        });
        Self { snapshot, settings, policy, watched, discovered: OnceCell::new() }
    }

    /// Whether resources of a namespace are read.
    pub(crate) fn watches(&self, namespace: &str) -> bool {
        self.watched.as_ref().is_none_or(|watched| watched.contains(namespace))
    }

    /// The resources of one kind that are watched, by namespace and name.
    pub(crate) fn all<T>(&self, resources: &'a Resources<T>) -> impl Iterator<Item = &'a Arc<Resource<T>>> {
        resources.values().filter(|resource| self.watches(&resource.id.namespace))
    }

    /// One resource, if it exists and is watched.
    pub(crate) fn find<T>(&self, resources: &'a Resources<T>, reference: &Ref) -> Option<&'a Arc<Resource<T>>> {
        resources.get(reference).filter(|resource| self.watches(&resource.id.namespace))
    }

    /// Why a resource that exists cannot be read.
    pub(crate) fn unreadable(&self, kind: ResourceKind, reference: &Ref) -> Option<(&'a ResourceId, &'a Unreadable)> {
        if self.snapshot.unreadable.is_empty() || !self.watches(&reference.namespace) {
            return None;
        }
        self.snapshot.unreadable.get_key_value(&ResourceId::new(kind, &reference.namespace, &reference.name))
    }

    /// Watched resources of one kind that cannot be read.
    pub(crate) fn all_unreadable(&self, kind: ResourceKind) -> impl Iterator<Item = (&'a ResourceId, &'a Unreadable)> {
        self.snapshot.unreadable.iter().filter(move |(id, _)| id.kind == kind && self.watches(&id.namespace))
    }

    /// The Service and port that a discovered Upstream's name, `<namespace>-<service>-<port>`, stands for.
    pub(crate) fn discovered(&self, upstream: &Ref) -> Option<(&'a Ref, u16)> {
        let settings = self.settings.map(|settings| &settings.spec);
        let namespace = match settings {
            Some(settings) if !settings.discovery_namespace.is_empty() => settings.discovery_namespace.as_str(),
            _ => CONTROL_PLANE_NAMESPACE,
        };
        let off = settings.and_then(|settings| settings.discovery.as_ref()).is_some_and(|discovery| {
            discovery.fds_mode == Some(FdsMode::Disabled)
                || discovery.uds_options.as_ref().is_some_and(|options| options.enabled == Some(false))
        });
        if off || upstream.namespace != namespace {
            return None;
        }
        let all = self.discovered.get_or_init(|| {
            let mut names = BTreeMap::new();
            for (service, ports) in &self.snapshot.services {
                for port in &ports.ports {
                    // Two Services can come to one name; the first keeps it.
                    names
                        .entry(format!("{}-{}-{}", service.namespace, service.name, port.port))
                        .or_insert((service, port.port));
                }
            }
            names
        });
        all.get(&upstream.name).copied().filter(|(service, _)| self.watches(&service.namespace))
    }
}

/// The watched RouteTables, found by name, by namespace and by label without walking all of them.
pub(crate) struct TableIndex<'a> {
    tables: Vec<&'a Arc<Resource<RouteTableSpec>>>,
    by_name: FxHashMap<(&'a str, &'a str), usize>,
    by_namespace: FxHashMap<&'a str, Vec<usize>>,
    by_label: FxHashMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> TableIndex<'a> {
    pub(crate) fn new(view: &View<'a>) -> Self {
        let mut tables: Vec<_> = view.all(&view.snapshot.route_tables).collect();
        tables.sort_by(|a, b| a.id.cmp(&b.id));
        let mut index = Self {
            tables: Vec::new(),
            by_name: FxHashMap::default(),
            by_namespace: FxHashMap::default(),
            by_label: FxHashMap::default(),
        };
        for (at, table) in tables.iter().enumerate() {
            index.by_name.insert((&table.id.namespace, &table.id.name), at);
            index.by_namespace.entry(&table.id.namespace).or_default().push(at);
            for (key, value) in &table.labels {
                index.by_label.entry((key, value)).or_default().push(at);
            }
        }
        index.tables = tables;
        index
    }

    /// All tables, by namespace and name; every other method gives positions in this list.
    pub(crate) fn tables(&self) -> &[&'a Arc<Resource<RouteTableSpec>>] {
        &self.tables
    }

    /// The table of this name.
    pub(crate) fn find(&self, reference: &Ref) -> Option<usize> {
        self.by_name.get(&(reference.namespace.as_str(), reference.name.as_str())).copied()
    }

    /// Tables among which all those are that have these labels and are in these namespaces (`None`: any), in order.
    pub(crate) fn candidates(
        &self,
        namespaces: Option<&BTreeSet<&str>>,
        labels: &BTreeMap<String, String>,
    ) -> Vec<usize> {
        let rarest = labels
            .iter()
            .map(|(key, value)| self.by_label.get(&(key.as_str(), value.as_str())).map_or(&[][..], Vec::as_slice))
            .min_by_key(|list| list.len());
        match (rarest, namespaces) {
            (Some(list), _) => list.to_vec(),
            (None, None) => (0..self.tables.len()).collect(),
            // A set of namespaces is in order, and so are the tables.
            (None, Some(namespaces)) => {
                namespaces.iter().flat_map(|name| self.by_namespace.get(name).into_iter().flatten()).copied().collect()
            }
        }
    }
}
