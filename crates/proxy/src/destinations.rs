//! From clusters and endpoints to what each destination sends requests to; only what changed is made anew.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};

use http::HeaderValue;
use rustc_hash::FxHashMap;
use serin_api::proxy::{Cluster, ClusterName, Endpoint, EndpointMap, EndpointSource};

use crate::balance::{ClusterLoad, Destination, EndpointState, ResolvedEndpoint};
use crate::compile::Destinations;
use crate::dial::{Dial, DialBuilder};
use crate::health::{Mark, UnresolvedHost, UpstreamHealth};
use crate::metrics::Registry;
use crate::resolve::{Addresses, Failures, Names, REFRESH};
use crate::tls::{Credential, CredentialMap};

/// What destinations were made of the last time, and what they are to be made of.
#[derive(Debug, Default)]
pub(crate) struct DestinationBuilder {
    clusters: BTreeMap<ClusterName, Arc<Cluster>>,
    endpoints: EndpointMap,
    addresses: Arc<Addresses>,
    members: FxHashMap<ClusterName, Arc<Members>>,
    built: FxHashMap<u32, Inputs>,
    dials: DialBuilder,
    loads: FxHashMap<ClusterName, Weak<ClusterLoad>>,
}

/// A cluster with all its endpoints.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) cluster: Arc<Cluster>,
    sources: Sources,
    resolved: Vec<ResolvedEndpoint>,
    /// What is known of each address; the same one address may come up twice.
    pub(crate) states: BTreeMap<SocketAddr, Arc<EndpointState>>,
}

/// Where a cluster's endpoints are from.
#[derive(Debug)]
struct Sources {
    endpoints: Option<Arc<Vec<Endpoint>>>,
    /// Set where an endpoint is a name.
    addresses: Option<Arc<Addresses>>,
    /// What they are spoken to with.
    credential: Option<Arc<Credential>>,
}

/// What a destination was made of.
#[derive(Debug)]
struct Inputs {
    members: Option<Arc<Members>>,
    /// Those that were not healthy.
    bad: Vec<SocketAddr>,
}

impl Inputs {
    fn same(&self, other: &Self) -> bool {
        let members = match (&self.members, &other.members) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        members && self.bad == other.bad
    }
}

fn same<T: PartialEq>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        (a, b) => a.is_none() && b.is_none(),
    }
}

impl Members {
    /// How connections to an endpoint are made, and what it is called.
    pub(crate) fn way_to(&self, address: SocketAddr) -> (Option<Arc<Dial>>, Option<&HeaderValue>) {
        let found = self.resolved.iter().find(|endpoint| endpoint.address == address);
        found.map_or((None, None), |found| (found.dial.clone(), found.hostname.as_ref()))
    }

    /// Those that are not healthy.
    fn bad(&self) -> Vec<SocketAddr> {
        self.states.values().filter(|state| !state.health.is_good()).map(|state| state.address).collect()
    }
}

impl DestinationBuilder {
    pub(crate) fn set_clusters(&mut self, clusters: &BTreeMap<ClusterName, Arc<Cluster>>) {
        self.clusters.clone_from(clusters);
    }

    pub(crate) fn set_endpoints(&mut self, endpoints: EndpointMap) {
        self.endpoints = endpoints;
    }

    /// The names among the endpoints, which have to be looked up, and how often: as whoever names them wants it most often.
    pub(crate) fn names(&self) -> Names {
        let mut names = Names::new();
        for (cluster, endpoints) in &self.endpoints {
            let rate = self.clusters.get(cluster).and_then(|cluster| cluster.dns_refresh);
            let rate = rate.map_or(REFRESH, |rate| rate.0);
            for endpoint in endpoints.iter().filter(|endpoint| is_name(endpoint)) {
                names.entry(endpoint.host.clone()).and_modify(|known| *known = rate.min(*known)).or_insert(rate);
            }
        }
        names
    }

    pub(crate) fn set_addresses(&mut self, addresses: &Arc<Addresses>) {
        self.addresses = Arc::clone(addresses);
    }

    /// The certificates and keys from now on.
    pub(crate) fn set_credentials(&mut self, credentials: &CredentialMap) {
        self.dials.set_credentials(credentials.clone());
    }

    /// Forgets destinations that are no more.
    pub(crate) fn forget(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.built.remove(number);
        }
    }

    /// The destinations that changed, by number.
    pub(crate) fn refresh(
        &mut self,
        wanted: &Destinations,
        registry: &Registry,
    ) -> Vec<(u32, Option<Arc<Destination>>)> {
        let clusters = &self.clusters;
        self.members.retain(|name, _| clusters.contains_key(name));
        let mut changes = Vec::new();
        for (key, number) in wanted.iter() {
            let members = self.members(&key.cluster);
            let bad = members.as_ref().map_or_else(Vec::new, |members| members.bad());
            let inputs = Inputs { members, bad };
            if self.built.get(&number).is_some_and(|built| built.same(&inputs)) {
                continue;
            }
            let loads = &mut self.loads;
            let destination = inputs.members.as_ref().map(|members| {
                let state = |address| {
                    let known = members.states.get(&address).map(Arc::clone);
                    known.unwrap_or_else(|| Arc::new(EndpointState::new(address)))
                };
                let load = loads.get(&key.cluster).and_then(Weak::upgrade).unwrap_or_else(|| {
                    let load = Arc::default();
                    loads.insert(key.cluster.clone(), Arc::downgrade(&load));
                    load
                });
                let version = |version: &str| registry.version(version);
                let (cluster, resolved) = (&members.cluster, &members.resolved);
                Arc::new(Destination::new(cluster, &key.subset, resolved, state, version, load))
            });
            self.built.insert(number, inputs);
            changes.push((number, destination));
        }
        if !changes.is_empty() {
            self.loads.retain(|_, load| load.strong_count() > 0);
            self.dials.forget_unused();
            self.loads.retain(|_, load| load.strong_count() > 0);
        }
        changes
    }

    /// The clusters that have host names without an answer of today's.
    pub(crate) fn unresolved(&self, failures: &Failures) -> Vec<UpstreamHealth> {
        let of = |(name, cluster): (&ClusterName, &Arc<Cluster>)| {
            let endpoints = self.endpoints.get(name)?;
            let hosts: BTreeSet<_> = endpoints.iter().filter(|it| is_name(it)).map(|it| it.host.as_str()).collect();
            let unresolved = hosts.into_iter().filter_map(|host| {
                let (known, reason) = (self.addresses.contains_key(host), failures.get(host).cloned());
                (reason.is_some() || !known).then(|| UnresolvedHost { host: host.to_owned(), reason, known })
            });
            let unresolved: Vec<_> = unresolved.collect();
            let count = |it: &Endpoint| if is_name(it) { self.addresses.get(&it.host).map_or(0, Vec::len) } else { 1 };
            let endpoints = endpoints.iter().map(count).sum();
            let (cluster, source) = (name.clone(), cluster.source.clone());
            let health = UpstreamHealth { cluster, source, endpoints, bad: Vec::new(), unresolved };
            (!health.unresolved.is_empty()).then_some(health)
        };
        self.clusters.iter().filter_map(of).collect()
    }

    /// The clusters whose endpoints somebody has to judge.
    pub(crate) fn judged(&self) -> Vec<Arc<Members>> {
        let is_judged = |members: &&Arc<Members>| {
            members.cluster.outlier_detection.is_some() || members.cluster.health_check.is_some()
        };
        let mut judged: Vec<_> = self.members.values().filter(is_judged).cloned().collect();
        judged.sort_by(|a, b| a.cluster.name.cmp(&b.cluster.name));
        judged
    }

    /// A cluster's endpoints, as they are now. What is known of an address is kept while the cluster has it.
    fn members(&mut self, name: &ClusterName) -> Option<Arc<Members>> {
        let cluster = self.clusters.get(name)?;
        let endpoints = self.endpoints.get(name).cloned();
        let named = endpoints.iter().flat_map(|endpoints| endpoints.iter()).any(is_name);
        let addresses = named.then(|| Arc::clone(&self.addresses));
        let credential = self.dials.credential(&cluster.transport);
        let before = self.members.get(name);
        let unchanged = before.filter(|members| {
            same(Some(&members.cluster), Some(cluster))
                && same(members.sources.endpoints.as_ref(), endpoints.as_ref())
                && same(members.sources.addresses.as_ref(), addresses.as_ref())
                && members.sources.credential.as_ref().map(Arc::as_ptr) == credential.as_ref().map(Arc::as_ptr)
        });
        if let Some(members) = unchanged {
            return Some(Arc::clone(members));
        }
        let listed = endpoints.as_deref().map_or(&[] as &[_], Vec::as_slice);
        let resolved = resolved(cluster, listed, &self.addresses, &mut self.dials);
        let kept = |address| before.and_then(|members| members.states.get(&address).cloned());
        let states = resolved
            .iter()
            .map(|endpoint| endpoint.address)
            .map(|address| (address, kept(address).unwrap_or_else(|| begun(address, cluster))));
        let states = states.collect();
        let sources = Sources { endpoints, addresses, credential };
        let members = Arc::new(Members { cluster: Arc::clone(cluster), sources, resolved, states });
        self.members.insert(name.clone(), Arc::clone(&members));
        Some(members)
    }
}

/// What is known of an endpoint at first. It is not healthy until a check has found it so.
fn begun(address: SocketAddr, cluster: &Cluster) -> Arc<EndpointState> {
    let state = EndpointState::new(address);
    state.health.set(Mark::Unhealthy, cluster.health_check.is_some());
    Arc::new(state)
}

fn is_name(endpoint: &Endpoint) -> bool {
    endpoint.host.parse::<IpAddr>().is_err()
}

/// The endpoints with their addresses; a name stands for all of its own.
fn resolved(
    cluster: &Cluster,
    endpoints: &[Endpoint],
    addresses: &Addresses,
    dials: &mut DialBuilder,
) -> Vec<ResolvedEndpoint> {
    let mut resolved = Vec::with_capacity(endpoints.len());
    // Pods come and go under their addresses: those are nobody's name.
    let named = matches!(cluster.endpoints, EndpointSource::Fixed(_));
    for endpoint in endpoints {
        let dial = dials.dial(&cluster.transport, endpoint);
        let own = endpoint.host.parse::<IpAddr>().map(|address| vec![address]);
        let all = own.as_deref().unwrap_or_else(|_| addresses.get(&endpoint.host).map_or(&[], Vec::as_slice));
        resolved.extend(all.iter().map(|address| ResolvedEndpoint {
            address: SocketAddr::new(*address, endpoint.port),
            labels: endpoint.labels.clone(),
            weight: endpoint.weight,
            hostname: named.then(|| HeaderValue::from_str(&endpoint.host).ok()).flatten(),
            dial: dial.clone(),
        }));
    }
    resolved
}

#[cfg(test)]
mod tests {
    use serin_api::proxy::{LoadBalancing, SubsetFallback, Subsets};
    use serin_api::{ResourceId, ResourceKind};

    use super::*;

    struct Stage {
        builder: DestinationBuilder,
        wanted: Destinations,
        registry: Registry,
        _handles: Vec<crate::compile::DestinationHandle>,
        latest: BTreeMap<u32, Vec<u16>>,
    }

    fn version(version: &str) -> BTreeMap<String, String> {
        [("version".to_owned(), version.to_owned())].into()
    }

    impl Stage {
        /// A cluster of four with destinations for all of it (0), for v1 (1) and for v2 (2).
        fn set() -> Self {
            let mut wanted = Destinations::default();
            let subsets = [BTreeMap::new(), version("v1"), version("v2")];
            let handles = subsets.iter().map(|subset| wanted.handle(&"up".into(), subset)).collect();
            let registry = Registry::new(100);
            let builder = DestinationBuilder::default();
            let mut stage = Self { builder, wanted, registry, _handles: handles, latest: BTreeMap::new() };
            stage.set_cluster(LoadBalancing::RoundRobin);
            stage.set_endpoints(&[(1, "v1"), (2, "v1"), (3, "v2"), (4, "v2")]);
            stage
        }

        fn set_cluster(&mut self, load_balancing: LoadBalancing) {
            let source = ResourceId::new(ResourceKind::Upstream, "ns", "up");
            let cluster = Cluster {
                subsets: Some(Subsets { selectors: Vec::new(), fallback: SubsetFallback::AnyEndpoint }),
                load_balancing,
                ..Cluster::new("up", source, EndpointSource::Fixed(Vec::new()))
            };
            self.builder.set_clusters(&[("up".into(), Arc::new(cluster))].into());
        }

        fn set_endpoints(&mut self, list: &[(u16, &str)]) {
            let endpoint = |(port, label): &(u16, &str)| Endpoint {
                host: "127.0.0.1".to_owned(),
                port: *port,
                labels: version(label),
                weight: 1,
            };
            let list: Vec<_> = list.iter().map(endpoint).collect();
            self.builder.set_endpoints([("up".into(), Arc::new(list))].into());
        }

        fn mark(&mut self, port: u16, marked: bool) {
            let address: SocketAddr = ([127, 0, 0, 1], port).into();
            self.builder.members["up"].states[&address].health.set(Mark::Unhealthy, marked);
        }

        /// The ports that each destination sends requests to.
        fn ports(&mut self) -> [Vec<u16>; 3] {
            for (number, destination) in self.builder.refresh(&self.wanted, &self.registry) {
                let candidates = destination.iter().flat_map(|destination| &destination.candidates);
                self.latest.insert(number, candidates.map(|candidate| candidate.state.address.port()).collect());
            }
            [0, 1, 2].map(|number| self.latest[&number].clone())
        }
    }

    #[test]
    fn unhealthy_endpoints_are_passed_over_in_each_subset_by_itself() {
        let mut stage = Stage::set();
        assert_eq!(stage.ports(), [vec![1, 2, 3, 4], vec![1, 2], vec![3, 4]]);
        stage.mark(3, true);
        assert_eq!(stage.ports(), [vec![1, 2, 4], vec![1, 2], vec![4]]);
        // None left in v2: it panics, and does not fall back. All together are still enough.
        stage.mark(4, true);
        assert_eq!(stage.ports(), [vec![1, 2], vec![1, 2], vec![3, 4]]);
        stage.mark(1, true);
        assert_eq!(stage.ports(), [vec![1, 2, 3, 4], vec![2], vec![3, 4]]);
        for port in [1, 3, 4] {
            stage.mark(port, false);
        }
        assert_eq!(stage.ports(), [vec![1, 2, 3, 4], vec![1, 2], vec![3, 4]]);
        assert!(stage.builder.refresh(&stage.wanted, &stage.registry).is_empty());
    }

    #[test]
    fn a_cluster_says_when_too_few_are_healthy() {
        let mut stage = Stage::set();
        for (percent, expected) in [(Some(0.0), vec![1]), (Some(25.0), vec![1]), (Some(26.0), vec![1, 2, 3, 4])] {
            let source = ResourceId::new(ResourceKind::Upstream, "ns", "up");
            let plain = Cluster::new("up", source, EndpointSource::Fixed(Vec::new()));
            let cluster = Cluster { panic_percent: percent, ..plain };
            stage.builder.set_clusters(&[("up".into(), Arc::new(cluster))].into());
            stage.ports();
            for port in [2, 3, 4] {
                stage.mark(port, true);
            }
            assert_eq!(stage.ports()[0], expected, "{percent:?}");
        }
    }

    #[test]
    fn what_is_known_of_an_endpoint_is_kept_while_it_stays() {
        let mut stage = Stage::set();
        stage.ports();
        stage.mark(1, true);
        stage.mark(3, true);
        // Neither another configuration nor other endpoints beside it change what was found.
        stage.set_cluster(LoadBalancing::Random);
        stage.set_endpoints(&[(1, "v1"), (2, "v1"), (4, "v2"), (5, "v2")]);
        assert_eq!(stage.ports(), [vec![2, 4, 5], vec![2], vec![4, 5]]);
        // One that left and comes back is new.
        stage.set_endpoints(&[(1, "v1"), (2, "v1"), (3, "v2")]);
        assert_eq!(stage.ports(), [vec![2, 3], vec![2], vec![3]]);
    }
}
