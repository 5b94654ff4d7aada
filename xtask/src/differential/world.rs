//! The clusters that every configuration may route to, and the real upstreams behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use serin_api::proxy::{
    CircuitBreakers, Cluster, ClusterName, Endpoint, EndpointMap, EndpointSource, Http2, LoadBalancing, SubsetFallback,
    Subsets, Transport,
};
use serin_api::{Ref, ResourceId, ResourceKind};

use super::http2_upstream;
use super::tls::{self, Identities};
use super::upstream::{self, Arrivals};

/// Clusters with one endpoint.
pub(crate) const PLAIN: [&str; 3] = ["one_ns", "two_ns", "three_ns"];
/// Clusters with the versions v1 and v2. What serves a version that is not there: v2, nothing, any.
pub(crate) const SUBSETS: [&str; 3] = ["default_ns", "strict_ns", "any_ns"];
/// Clusters with three endpoints, of which the request's hash chooses one.
pub(crate) const HASHED: [&str; 2] = ["ring_ns", "maglev_ns"];
/// Clusters whose endpoints speak TLS, HTTP/2, both, and TLS with a certificate for another name.
pub(crate) const OTHERS: [&str; 4] = ["tls_ns", "http2_ns", "tls-http2_ns", "stranger_ns"];
/// Clusters with three endpoints, one of which is drawn or has its turn.
pub(crate) const SPREAD: [&str; 3] = ["random_ns", "turns_ns", "least_ns"];
/// A cluster without an endpoint.
pub(crate) const EMPTY: &str = "empty_ns";
/// A cluster whose endpoint refuses connections.
pub(crate) const DEAD: &str = "dead_ns";

/// All clusters.
pub(crate) fn clusters() -> BTreeMap<ClusterName, Arc<Cluster>> {
    PLAIN
        .into_iter()
        .chain(SUBSETS)
        .chain(HASHED)
        .chain(OTHERS)
        .chain(SPREAD)
        .chain([EMPTY, DEAD])
        .map(|name| (ClusterName::from(name), Arc::new(cluster(name))))
        .collect()
}

fn cluster(name: &str) -> Cluster {
    let fallback = match name {
        "default_ns" => Some(SubsetFallback::DefaultSubset(version("v2"))),
        "strict_ns" => Some(SubsetFallback::None),
        "any_ns" => Some(SubsetFallback::AnyEndpoint),
        _ => None,
    };
    let subsets =
        fallback.map(|fallback| Subsets { selectors: vec![BTreeSet::from(["version".to_owned()])], fallback });
    let endpoints = EndpointSource::Service { service: Ref::new("ns", name), port: 80, selector: BTreeMap::new() };
    let load_balancing = match name {
        "ring_ns" => LoadBalancing::RingHash { minimum: 1024, maximum: 8_388_608, by_name: false },
        "maglev_ns" => LoadBalancing::Maglev { by_name: false },
        "random_ns" => LoadBalancing::Random,
        "least_ns" => LoadBalancing::LeastRequest { choices: 2 },
        _ => LoadBalancing::default(),
    };
    // Limits that nothing reaches. What may be retried by default depends on what else is under way.
    let most = Some(1_000_000);
    let circuit_breakers = match name {
        "two_ns" | "strict_ns" | "ring_ns" => {
            CircuitBreakers { connections: most, pending: most, requests: most, retries: most }
        }
        _ => CircuitBreakers { retries: most, ..CircuitBreakers::default() },
    };
    let tls = match name {
        "tls_ns" | "tls-http2_ns" => Some(tls::to_upstreams(tls::UPSTREAM)),
        "stranger_ns" => Some(tls::to_upstreams("another.test")),
        _ => None,
    };
    let transport = Transport { tls, http2: speaks_http2(name).then(Http2::default), ..Transport::default() };
    Cluster {
        transport,
        subsets,
        load_balancing,
        circuit_breakers,
        ..Cluster::new(name, ResourceId::new(ResourceKind::Upstream, "ns", name), endpoints)
    }
}

/// Whether the endpoints of a cluster speak HTTP/2.
pub(crate) fn speaks_http2(name: &str) -> bool {
    matches!(name, "http2_ns" | "tls-http2_ns")
}

/// The labels of a version.
pub(crate) fn version(version: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("version".to_owned(), version.to_owned())])
}

/// Starts the upstreams; their addresses.
pub(crate) fn start(arrivals: &Arrivals, identities: &Identities) -> io::Result<EndpointMap> {
    let endpoint = |address: SocketAddr, labels| Endpoint {
        host: address.ip().to_string(),
        port: address.port(),
        labels,
        weight: 1,
    };
    let mut endpoints = EndpointMap::new();
    for name in PLAIN {
        endpoints
            .insert(name.into(), Arc::new(vec![endpoint(upstream::start(name, arrivals, None)?, BTreeMap::new())]));
    }
    for name in SUBSETS {
        let mut list = Vec::new();
        for label in ["v1", "v2"] {
            // Where any endpoint may serve, which one did says nothing.
            let called = if name == "any_ns" { name.to_owned() } else { format!("{name} {label}") };
            list.push(endpoint(upstream::start(&called, arrivals, None)?, version(label)));
        }
        endpoints.insert(name.into(), Arc::new(list));
    }
    for name in HASHED {
        let one = |number| Ok(endpoint(upstream::start(&format!("{name}#{number}"), arrivals, None)?, BTreeMap::new()));
        endpoints.insert(name.into(), Arc::new((0..3).map(one).collect::<io::Result<_>>()?));
    }
    for name in SPREAD {
        let one = |number: u32| {
            let address = upstream::start(&format!("{name}#{number}"), arrivals, None)?;
            // Each in turn, by their weights.
            let weight = if name == "turns_ns" { number } else { 1 };
            Ok(Endpoint { weight, ..endpoint(address, BTreeMap::new()) })
        };
        endpoints.insert(name.into(), Arc::new((1..4).map(one).collect::<io::Result<_>>()?));
    }
    for name in OTHERS {
        let address = match name {
            "http2_ns" => http2_upstream::start(name, arrivals, None),
            "tls-http2_ns" => http2_upstream::start(name, arrivals, Some(identities.server(b"h2")?)),
            _ => upstream::start(name, arrivals, Some(identities.server(b"http/1.1")?)),
        };
        endpoints.insert(name.into(), Arc::new(vec![endpoint(address?, BTreeMap::new())]));
    }
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    endpoints.insert(DEAD.into(), Arc::new(vec![endpoint(closed, BTreeMap::new())]));
    Ok(endpoints)
}
