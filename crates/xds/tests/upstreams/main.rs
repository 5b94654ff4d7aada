//! How a real Envoy speaks to upstreams as our resources tell it: which endpoints it leaves alone, over TLS, in HTTP/2, in
//! gRPC, and through tunnels. The upstreams and the conversations are those that our own data plane is tested with.
#![allow(clippy::unwrap_used)]

#[path = "../../../proxy/tests/certificates/mod.rs"]
mod certificates;
#[path = "../../../proxy/tests/echo/mod.rs"]
mod echo;
mod ejections;
mod grpc;
mod health;
#[path = "../../../proxy/tests/patient/mod.rs"]
mod patient;
#[path = "../stage/mod.rs"]
mod stage;
mod sticky;
mod tls;
#[path = "../../../proxy/tests/tls_upstream/mod.rs"]
mod tls_upstream;
mod tunnels;

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use serin_api::proxy::{Cluster, EndpointMap, EndpointSource, ProxySpec};
use serin_api::{ResourceId, ResourceKind};

/// The listener.
const GATEWAY: &str = "test.gw";

/// A listener with these routes, and the cluster `up`.
fn spec(routes: &[Value], cluster: Cluster) -> ProxySpec {
    let source = |kind: &str| json!({"kind": kind, "namespace": "test", "name": "it"});
    let listener = json!({
        "name": GATEWAY, "source": source("Gateway"), "bindAddress": "::", "bindPort": 8080, "ssl": false,
        "stripAnyHostPort": false,
        "virtualHosts": [{"name": "vs", "source": source("VirtualService"), "domains": ["*"], "routes": routes}],
    });
    let mut spec: ProxySpec =
        serde_json::from_value(json!({"listeners": [listener], "clusters": {}, "sources": []})).unwrap();
    spec.clusters.insert("up".into(), Arc::new(cluster));
    spec
}

/// A route that does `action`.
fn route(prefix: &str, action: Value) -> Value {
    let source = json!({"kind": "VirtualService", "namespace": "test", "name": "it"});
    json!({"name": prefix, "source": source, "matchers": [{"prefix": prefix}], "action": action})
}

/// Everything to `up`.
fn to_up() -> Value {
    json!({"forward": {"weighted": [{"weight": 1, "target": {"cluster": {"cluster": "up"}}}]}})
}

fn cluster() -> Cluster {
    Cluster::new("up", ResourceId::new(ResourceKind::Upstream, "test", "up"), EndpointSource::Fixed(Vec::new()))
}

/// The endpoints of `up`.
fn endpoints(addresses: &[SocketAddr]) -> EndpointMap {
    let one = |address: &SocketAddr| json!({"host": address.ip().to_string(), "port": address.port(), "weight": 1});
    let list = serde_json::from_value(addresses.iter().map(one).collect()).unwrap();
    [("up".into(), Arc::new(list))].into()
}
