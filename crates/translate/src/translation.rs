//! The whole of it: from a snapshot to what would be served, and what is to be said of each resource.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serin_api::proxy::{Action, Cluster, ClusterName, Forward, ProxySpec, Route, Target, VirtualHost};
use serin_api::{ResourceId, ResourceKind};

use crate::action::Actions;
use crate::closed;
use crate::compile::Compiler;
use crate::destination::Destinations;
use crate::field_path::FieldPath;
use crate::flatten::Forest;
use crate::host::{self, Host};
use crate::known;
use crate::listener::{self, Binding, Bound};
use crate::overlap;
use crate::policy::InvalidPolicy;
use crate::report::{Book, Finding, Grade, Reports};
use crate::snapshot::Snapshot;
use crate::view::{TableIndex, View};
use crate::weighted;

/// What a snapshot comes to.
#[derive(Clone, Debug)]
pub struct Translation {
    /// What each proxy would serve, every invalid part replaced at the narrowest place it can be.
    pub proxies: BTreeMap<String, Arc<ProxySpec>>,
    /// What is to be said of every resource that is known.
    pub reports: Reports,
    /// What stands in for invalid parts, and whether they are replaced at all.
    pub policy: InvalidPolicy,
    /// The proxies that something invalid reaches.
    pub invalid: BTreeSet<String>,
    /// VirtualServices that must not be served in plain text, whatever was served before.
    pub(crate) tls_only: BTreeSet<ResourceId>,
    /// Every host with a closed route, with all of its domains, whether or not a Gateway serves it.
    pub(crate) closed_hosts: Vec<Arc<VirtualHost>>,
}

impl Translation {
    /// Whether something invalid reaches a proxy.
    pub fn is_invalid(&self) -> bool {
        !self.invalid.is_empty()
    }
}

/// Translates a snapshot. Pure: the same snapshot comes to the same translation.
pub fn translate(snapshot: &Snapshot) -> Translation {
    let view = View::new(snapshot);
    let mut book = Book::default();
    known::accept_all(&view, &mut book);
    let destinations = Destinations::new(&view);
    for (_, destination) in destinations.upstreams() {
        destination.findings.iter().for_each(|finding| book.add(finding.clone()));
    }
    let groups = weighted::groups(&view, &destinations);
    for group in groups.values() {
        group.findings.iter().for_each(|finding| book.add(finding.clone()));
    }
    let actions = Actions { view: &view, destinations: &destinations, groups: &groups };
    let index = TableIndex::new(&view);
    let compiler = Compiler { actions: &actions, index: &index };
    let spec = FieldPath::root("spec");
    let tables: Vec<_> =
        index.tables().iter().map(|table| compiler.routes(*table, &table.spec.routes, &spec)).collect();
    let forest = Forest { index: &index, tables: &tables, policy: &view.policy, destinations: &destinations };
    let hosts: Vec<Host<'_>> =
        view.all(&snapshot.virtual_services).map(|resource| host::flatten(&compiler, &forest, resource)).collect();

    report_hosts(&index, &hosts, &mut book);
    report_unreached(&index, &tables, &hosts, &mut book);
    let binding = listener::bind(&view, &hosts, &mut book);
    for (place, host) in hosts.iter().enumerate() {
        overlap::report(&view, host, &mut book);
        if !binding.chosen.contains(&place) {
            let message = "not served: no Gateway chooses this VirtualService";
            book.add(Finding::advice(&host.resource.id, "", message));
        }
    }
    let invalid = invalid(&view, &binding, &hosts, &book);
    let clusters = destinations.clusters();
    let proxies = binding
        .proxies
        .iter()
        .map(|(name, bound)| (name.clone(), Arc::new(proxy(&view, &index, &hosts, bound, &clusters))))
        .collect();
    Translation {
        proxies,
        invalid,
        tls_only: hosts.iter().filter(|host| host.is_tls()).map(|host| host.resource.id.clone()).collect(),
        closed_hosts: closed_hosts(&hosts),
        policy: view.policy.clone(),
        reports: book.close(),
    }
}

/// Findings go to the resource at fault and to the VirtualService that reaches it.
fn report_hosts(index: &TableIndex<'_>, hosts: &[Host<'_>], book: &mut Book) {
    for host in hosts {
        let id = &host.resource.id;
        for finding in &host.findings {
            book.add_to_its_own(finding);
            book.add_to(id, finding);
        }
    }
    for host in hosts {
        let id = &host.resource.id;
        let tables = host.tables.iter().map(|table| &index.tables()[*table].id);
        for reached in tables.chain(host.uses.iter().copied()) {
            // What is wrong with a table's routes, or with a group's destinations, came with the routes that reach them.
            let came_with_routes = matches!(reached.kind, ResourceKind::RouteTable | ResourceKind::UpstreamGroup);
            let rest: Vec<_> = book
                .findings(reached)
                .iter()
                .filter(|finding| !came_with_routes || finding.grade == Grade::Advice)
                .filter(|finding| finding.source == *reached)
                .cloned()
                .collect();
            rest.iter().for_each(|finding| book.add_to(id, finding));
        }
    }
}

/// A table that nobody delegates to is told of its faults all the same.
fn report_unreached(
    index: &TableIndex<'_>,
    tables: &[Vec<crate::compile::Compiled<'_>>],
    hosts: &[Host<'_>],
    book: &mut Book,
) {
    let reached: BTreeSet<usize> = hosts.iter().flat_map(|host| host.tables.iter().copied()).collect();
    for table in (0..index.tables().len()).filter(|table| !reached.contains(table)) {
        for route in &tables[table] {
            let paths = route.matchers.iter().filter_map(|checked| checked.path_finding.as_ref());
            route.findings.iter().chain(paths).for_each(|finding| book.add_to_its_own(finding));
        }
    }
}

/// The proxies that something invalid reaches.
fn invalid(view: &View<'_>, binding: &Binding, hosts: &[Host<'_>], book: &Book) -> BTreeSet<String> {
    let faulty = |id: &ResourceId| book.findings(id).iter().any(|finding| finding.grade == Grade::Invalid);
    // What cannot be read may have belonged to any proxy.
    let unknown = [ResourceKind::Gateway, ResourceKind::VirtualService, ResourceKind::Settings]
        .into_iter()
        .any(|kind| view.all_unreadable(kind).next().is_some());
    binding
        .gateways
        .iter()
        .filter(|(name, gateways)| {
            let bound = binding.proxies.get(*name).into_iter().flatten();
            let mut served = bound.flat_map(|bound| &bound.hosts).map(|place| &hosts[*place].resource.id);
            unknown || gateways.iter().any(faulty) || served.any(faulty)
        })
        .map(|(name, _)| name.clone())
        .collect()
}

fn proxy(
    view: &View<'_>,
    index: &TableIndex<'_>,
    hosts: &[Host<'_>],
    bound: &[Bound],
    clusters: &FxHashMap<ClusterName, Arc<Cluster>>,
) -> ProxySpec {
    let mut used = FxHashSet::default();
    let mut sources = BTreeMap::new();
    let mut source = |id: &ResourceId| {
        if let Some(generation) = known::generation(view.snapshot, id) {
            sources.insert(id.clone(), generation);
        }
    };
    if let Some(settings) = view.settings {
        source(&settings.id);
    }
    let mut any_cluster = false;
    for bound in bound {
        source(&bound.listener.source);
        for place in &bound.hosts {
            let host = &hosts[*place];
            source(&host.resource.id);
            host.tables.iter().for_each(|table| source(&index.tables()[*table].id));
            host.uses.iter().for_each(|used| source(used));
        }
        for route in bound.listener.virtual_hosts.iter().flat_map(|host| &host.routes) {
            any_cluster |= names_clusters(route, &mut used);
        }
    }
    // A request's header may name any Upstream.
    let named = clusters.iter().filter(|(name, _)| any_cluster || used.contains(name));
    ProxySpec {
        listeners: bound.iter().map(|bound| bound.listener.clone()).collect(),
        clusters: named.map(|(name, cluster)| (name.clone(), cluster.clone())).collect(),
        sources,
    }
}

/// Adds the clusters that a route names. `true`: it names them only when a request comes.
fn names_clusters<'r>(route: &'r Route, used: &mut FxHashSet<&'r ClusterName>) -> bool {
    used.extend(route.policy.as_ref().and_then(|policy| policy.shadow.as_ref()).map(|shadow| &shadow.cluster));
    match &route.action {
        Action::Forward(Forward::Weighted(targets)) => {
            used.extend(targets.iter().filter_map(|weighted| match &weighted.target {
                Target::Cluster { cluster, .. } => Some(cluster),
                Target::DirectResponse { .. } => None,
            }));
            false
        }
        Action::Forward(Forward::ClusterHeader(_)) => true,
        Action::Redirect(_) | Action::DirectResponse { .. } => false,
    }
}

fn closed_hosts(hosts: &[Host<'_>]) -> Vec<Arc<VirtualHost>> {
    hosts
        .iter()
        .filter(|host| host.routes.iter().any(|route| closed::is_closed(route)))
        .map(|host| {
            let source = host.resource.id.clone();
            let name = source.reference().to_string();
            let (domains, routes) = (host.domains.clone(), host.routes.clone());
            Arc::new(VirtualHost { name, source, domains, routes, policy: host.policy.clone() })
        })
        .collect()
}
