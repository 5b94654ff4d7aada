//! From clusters and endpoints to what each destination sends requests to; only what changed is made anew.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};

use http::HeaderValue;
use rustc_hash::FxHashMap;
use serin_api::proxy::{Cluster, ClusterName, Endpoint, EndpointMap, EndpointSource};

use crate::balance::{Destination, EndpointState, ResolvedEndpoint, RetryBudget};
use crate::compile::Destinations;
use crate::metrics::Registry;
use crate::resolve::Addresses;

/// What destinations were made of the last time, and what they are to be made of.
#[derive(Debug, Default)]
pub(crate) struct DestinationBuilder {
    clusters: BTreeMap<ClusterName, Arc<Cluster>>,
    endpoints: EndpointMap,
    addresses: Arc<Addresses>,
    built: FxHashMap<u32, Inputs>,
    states: FxHashMap<SocketAddr, Weak<EndpointState>>,
    budgets: FxHashMap<ClusterName, Weak<RetryBudget>>,
}

/// What a destination was made of.
#[derive(Debug)]
struct Inputs {
    cluster: Option<Arc<Cluster>>,
    endpoints: Option<Arc<Vec<Endpoint>>>,
    /// Set where an endpoint is a name.
    addresses: Option<Arc<Addresses>>,
}

impl Inputs {
    fn same(&self, other: &Self) -> bool {
        same(self.cluster.as_ref(), other.cluster.as_ref())
            && same(self.endpoints.as_ref(), other.endpoints.as_ref())
            && same(self.addresses.as_ref(), other.addresses.as_ref())
    }
}

fn same<T: PartialEq>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        (a, b) => a.is_none() && b.is_none(),
    }
}

impl DestinationBuilder {
    pub(crate) fn set_clusters(&mut self, clusters: &BTreeMap<ClusterName, Arc<Cluster>>) {
        self.clusters.clone_from(clusters);
    }

    /// Takes the endpoints and says which names among them have to be looked up.
    pub(crate) fn set_endpoints(&mut self, endpoints: EndpointMap) -> BTreeSet<String> {
        self.endpoints = endpoints;
        let names = self.endpoints.values().flat_map(|endpoints| endpoints.iter()).filter(|endpoint| is_name(endpoint));
        names.map(|endpoint| endpoint.host.clone()).collect()
    }

    pub(crate) fn set_addresses(&mut self, addresses: &Arc<Addresses>) {
        self.addresses = Arc::clone(addresses);
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
        let mut changes = Vec::new();
        let (states, budgets, addresses) = (&mut self.states, &mut self.budgets, &self.addresses);
        for (key, number) in wanted.iter() {
            let endpoints = self.endpoints.get(&key.cluster).cloned();
            let named = endpoints.iter().flat_map(|endpoints| endpoints.iter()).any(is_name);
            let inputs = Inputs {
                cluster: self.clusters.get(&key.cluster).cloned(),
                endpoints,
                addresses: named.then(|| Arc::clone(addresses)),
            };
            if self.built.get(&number).is_some_and(|built| built.same(&inputs)) {
                continue;
            }
            let destination = inputs.cluster.as_ref().map(|cluster| {
                let resolved = resolved(cluster, inputs.endpoints.as_deref().map_or(&[], Vec::as_slice), addresses);
                let state = |address| {
                    states.get(&address).and_then(Weak::upgrade).unwrap_or_else(|| {
                        let state = Arc::new(EndpointState::new(address));
                        states.insert(address, Arc::downgrade(&state));
                        state
                    })
                };
                let budget = budgets.get(&key.cluster).and_then(Weak::upgrade).unwrap_or_else(|| {
                    let budget = Arc::default();
                    budgets.insert(key.cluster.clone(), Arc::downgrade(&budget));
                    budget
                });
                let version = |version: &str| registry.version(version);
                Arc::new(Destination::new(cluster, &key.subset, &resolved, state, version, budget))
            });
            self.built.insert(number, inputs);
            changes.push((number, destination));
        }
        if !changes.is_empty() {
            states.retain(|_, state| state.strong_count() > 0);
            budgets.retain(|_, budget| budget.strong_count() > 0);
        }
        changes
    }
}

fn is_name(endpoint: &Endpoint) -> bool {
    endpoint.host.parse::<IpAddr>().is_err()
}

/// The endpoints with their addresses; a name stands for all of its own.
fn resolved(cluster: &Cluster, endpoints: &[Endpoint], addresses: &Addresses) -> Vec<ResolvedEndpoint> {
    let mut resolved = Vec::with_capacity(endpoints.len());
    // Pods come and go under their addresses: those are nobody's name.
    let named = matches!(cluster.endpoints, EndpointSource::Fixed(_));
    for endpoint in endpoints {
        let own = endpoint.host.parse::<IpAddr>().map(|address| vec![address]);
        let all = own.as_deref().unwrap_or_else(|_| addresses.get(&endpoint.host).map_or(&[], Vec::as_slice));
        resolved.extend(all.iter().map(|address| ResolvedEndpoint {
            address: SocketAddr::new(*address, endpoint.port),
            labels: endpoint.labels.clone(),
            weight: endpoint.weight,
            hostname: named.then(|| HeaderValue::from_str(&endpoint.host).ok()).flatten(),
        }));
    }
    resolved
}
