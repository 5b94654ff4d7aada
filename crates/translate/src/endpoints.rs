//! Where the requests of each cluster can go right now.

use std::sync::Arc;

use serin_api::proxy::{Cluster, Endpoint, EndpointMap, EndpointSource, ProxySpec};

use crate::labels::has_all;
use crate::snapshot::Snapshot;

/// The endpoints of every cluster of a proxy, as the snapshot has them. The proxy may be older than the snapshot: a
/// frozen configuration goes on following the cluster.
pub fn endpoints(snapshot: &Snapshot, spec: &ProxySpec) -> EndpointMap {
    spec.clusters.iter().map(|(name, cluster)| (name.clone(), Arc::new(of(snapshot, cluster)))).collect()
}

fn of(snapshot: &Snapshot, cluster: &Cluster) -> Vec<Endpoint> {
    let (service, port, selector) = match &cluster.endpoints {
        EndpointSource::Fixed(endpoints) => return endpoints.clone(),
        EndpointSource::Service { service, port, selector } => (service, *port, selector),
    };
    let known = snapshot.services.get(service);
    let Some(port) = known.and_then(|known| known.ports.iter().find(|known| known.port == port)) else {
        return Vec::new();
    };
    let backends = snapshot.backends.get(service).map_or(&[][..], |backends| backends.as_slice());
    backends
        .iter()
        .filter(|backend| has_all(&backend.labels, selector))
        .filter_map(|backend| {
            let port = *backend.ports.get(&port.name)?;
            Some(Endpoint { host: backend.address.clone(), port, labels: backend.labels.clone(), weight: 1 })
        })
        .collect()
}
