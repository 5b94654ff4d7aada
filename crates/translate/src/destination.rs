//! Destinations: from what a route names to a target in the flattened model.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serin_api::gateway;
use serin_api::proxy::{Cluster, ClusterName, Target};
use serin_api::{Ref, ResourceId, ResourceKind};

use crate::field_path::FieldPath;
use crate::report::Finding;
use crate::upstream::{self, service_cluster, service_reference};
use crate::view::View;

/// What is wrong with a destination, before it is known on whom it is reported.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    pub(crate) reason: String,
    pub(crate) path: String,
}

/// How wrong a destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// It does not exist: invalid, and a warning as in Gloo.
    Missing,
    /// It is malformed: invalid.
    Malformed,
    /// It is served, but not as written.
    Degraded,
    /// It names something that is not implemented.
    Unimplemented,
}

impl Problem {
    /// The finding for a route of `owner`.
    pub(crate) fn on_route(self, owner: &ResourceId) -> Finding {
        match self.severity {
            Severity::Missing => Finding::invalid_destination(owner, self.path, self.reason),
            Severity::Malformed => {
                let message = format!("Route Error: ProcessingError. Reason: {}. Field: {}", self.reason, self.path);
                Finding::error(owner, self.path, message)
            }
            Severity::Degraded => {
                let message = format!("Route Warning: InvalidDestinationWarning. Reason: {}", self.reason);
                Finding::left_out(owner, self.path, message)
            }
            Severity::Unimplemented => {
                let message = format!("{}: {}", self.path, self.reason);
                Finding::advice(owner, self.path, message)
            }
        }
    }
}

/// What came up while resolving: problems, and the resources that were used.
#[derive(Default)]
pub(crate) struct Notes<'a> {
    pub(crate) problems: Vec<Problem>,
    pub(crate) uses: Vec<&'a ResourceId>,
}

/// All destinations there are.
pub(crate) struct Destinations<'a> {
    view: &'a View<'a>,
    upstreams: FxHashMap<&'a Ref, upstream::Destination<'a>>,
    /// Clusters for Services that routes name without an Upstream, made as they come up.
    services: RefCell<BTreeMap<ClusterName, Arc<Cluster>>>,
}

impl<'a> Destinations<'a> {
    pub(crate) fn new(view: &'a View<'a>) -> Self {
        let upstreams = view
            .snapshot
            .upstreams
            .iter()
            .filter(|(reference, _)| view.watches(&reference.namespace))
            .map(|(reference, resource)| (reference, upstream::destination(view, resource)))
            .collect();
        Self { view, upstreams, services: RefCell::default() }
    }

    /// The findings on each Upstream.
    pub(crate) fn upstreams(&self) -> impl Iterator<Item = (&'a Ref, &upstream::Destination<'a>)> {
        self.upstreams.iter().map(|(reference, destination)| (*reference, destination))
    }

    /// Every cluster that a target was or could be resolved to, by name.
    pub(crate) fn clusters(&self) -> FxHashMap<ClusterName, Arc<Cluster>> {
        let mut all: FxHashMap<_, _> =
            self.services.borrow().iter().map(|(name, cluster)| (name.clone(), cluster.clone())).collect();
        for cluster in self.upstreams.values().filter_map(|destination| destination.cluster.as_ref()) {
            all.insert(cluster.name.clone(), cluster.clone());
        }
        all
    }

    /// Resolves a destination. `namespace` is taken where the Upstream's reference names none. `None`: it is invalid,
    /// and the notes say why.
    pub(crate) fn resolve(
        &self,
        written: &gateway::Destination,
        namespace: &str,
        path: &FieldPath<'_>,
        notes: &mut Notes<'a>,
    ) -> Option<Target> {
        let cluster = match (&written.upstream, &written.kube) {
            (Some(upstream), None) => {
                let reference = if upstream.namespace.is_empty() {
                    Cow::Owned(upstream.or_namespace(namespace))
                } else {
                    Cow::Borrowed(upstream)
                };
                self.upstream(&reference, &path.field("upstream"), notes)?
            }
            (None, Some(kube)) => self.service(kube, &path.field("kube"), notes)?,
            (None, None) => {
                notes.malformed(path, "cannot determine the destination: set upstream or kube");
                return None;
            }
            (Some(_), Some(_)) => {
                notes.malformed(path, "a destination is one thing: keep either upstream or kube");
                return None;
            }
        };
        let subset = match &written.subset {
            Some(subset) if !subset.values.is_empty() => {
                self.subset(&cluster, &subset.values, &path.field("subset"), notes)?
            }
            _ => BTreeMap::new(),
        };
        Some(Target::Cluster { cluster: cluster.name.clone(), subset })
    }

    /// Whether there is a cluster of this name, as far as anything has asked for it.
    pub(crate) fn has(&self, cluster: &ClusterName) -> bool {
        // Neither a name nor a namespace has an underscore.
        let upstream = cluster.as_str().rsplit_once('_').and_then(|(name, namespace)| {
            self.upstreams.get(&Ref::new(namespace, name)).filter(|destination| destination.cluster.is_some())
        });
        upstream.is_some() || self.services.borrow().contains_key(cluster)
    }

    /// The cluster of an Upstream. `None`: there is none, and the notes say why.
    pub(crate) fn upstream(
        &self,
        reference: &Ref,
        path: &FieldPath<'_>,
        notes: &mut Notes<'a>,
    ) -> Option<Arc<Cluster>> {
        let Some(destination) = self.upstreams.get(reference) else {
            if let Some((id, unreadable)) = self.view.unreadable(ResourceKind::Upstream, reference) {
                notes.uses.push(id);
                notes.malformed(path, &format!("Upstream {reference} cannot be read: {}", unreadable.reason));
                return None;
            }
            if let Some((service, port)) = self.view.discovered(reference) {
                return Some(self.service_cluster(reference, service, port));
            }
            notes.problem(Severity::Missing, path, missing("Upstream", reference));
            return None;
        };
        notes.uses.push(destination.id);
        if let Some(reason) = &destination.without_endpoints {
            notes.problem(Severity::Degraded, path, format!("Upstream {reference}: {reason}"));
        }
        if destination.cluster.is_none() {
            notes.malformed(path, &format!("Upstream {reference} is invalid"));
        }
        destination.cluster.clone()
    }

    fn service(
        &self,
        kube: &gateway::KubeDestination,
        path: &FieldPath<'_>,
        notes: &mut Notes<'a>,
    ) -> Option<Arc<Cluster>> {
        let reference = service_reference(&kube.reference, kube.port);
        let known = self.view.snapshot.services.get(&kube.reference);
        let port = known.and_then(|known| known.ports.iter().find(|port| u32::from(port.port) == kube.port));
        match port {
            Some(port) => Some(self.service_cluster(&reference, &kube.reference, port.port)),
            None => {
                notes.problem(Severity::Missing, path, missing("Upstream", &reference));
                None
            }
        }
    }

    fn service_cluster(&self, reference: &Ref, service: &Ref, port: u16) -> Arc<Cluster> {
        let cluster = service_cluster(self.view, reference, service, port);
        self.services.borrow_mut().entry(cluster.name.clone()).or_insert_with(|| Arc::new(cluster)).clone()
    }

    /// The values to look for in the cluster's subsets; none where it has no subsets at all.
    fn subset(
        &self,
        cluster: &Cluster,
        values: &BTreeMap<String, String>,
        path: &FieldPath<'_>,
        notes: &mut Notes<'a>,
    ) -> Option<BTreeMap<String, String>> {
        let Some(subsets) = &cluster.subsets else {
            let reason = "route has a subset config, but the upstream does not".to_owned();
            notes.problem(Severity::Degraded, path, reason);
            return Some(BTreeMap::new());
        };
        if subsets.selectors.iter().any(|keys| keys.len() == values.len() && keys.iter().eq(values.keys())) {
            return Some(values.clone());
        }
        let asked = names(values.keys());
        let offered: Vec<String> = subsets.selectors.iter().map(|keys: &BTreeSet<String>| names(keys.iter())).collect();
        notes.malformed(
            path,
            &format!(
                "route has a subset config, but none of the subsets in the upstream match it: it names {asked}, {} has {}",
                cluster.source,
                if offered.is_empty() { "none".to_owned() } else { offered.join(", ") }
            ),
        );
        None
    }
}

fn names<'k>(keys: impl Iterator<Item = &'k String>) -> String {
    format!("[{}]", keys.map(String::as_str).collect::<Vec<_>>().join(" "))
}

/// Gloo's sentence for a resource that a route names and that does not exist.
pub(crate) fn missing(kind: &str, reference: &Ref) -> String {
    format!("*v1.{kind} {{{} {}}} not found", reference.name, reference.namespace)
}

impl Notes<'_> {
    pub(crate) fn malformed(&mut self, path: &FieldPath<'_>, reason: &str) {
        self.problem(Severity::Malformed, path, reason.to_owned());
    }

    pub(crate) fn problem(&mut self, severity: Severity, path: &FieldPath<'_>, reason: String) {
        self.problems.push(Problem { severity, reason, path: path.to_string() });
    }
}
