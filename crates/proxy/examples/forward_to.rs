//! The data plane alone, without a control plane: everything below `/service-N/` goes to one upstream.
//!
//! `cargo run --release -p serin-proxy --example forward_to -- 127.0.0.1:9000 8080 2` listens on port 8080, with two
//! routes. Useful under a profiler: nothing else runs in the process.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use serin_api::gateway::Matcher;
use serin_api::proxy::{
    Action, Cluster, Endpoint, EndpointSource, Forward, Listener, ProxySpec, Route, Target, VirtualHost, WeightedTarget,
};
use serin_api::{ResourceId, ResourceKind};
use serin_proxy::{DataPlane, DataPlaneOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: forward_to UPSTREAM PORT ROUTES");
    let (upstream, port, routes): (SocketAddr, u16, usize) = (next()?.parse()?, next()?.parse()?, next()?.parse()?);

    let data_plane = DataPlane::start(DataPlaneOptions { workers: 1, ..DataPlaneOptions::default() })?;
    let endpoint =
        Endpoint { host: upstream.ip().to_string(), port: upstream.port(), labels: BTreeMap::new(), weight: 1 };
    data_plane.set_endpoints([("upstream".into(), Arc::new(vec![endpoint]))].into());
    data_plane.apply(Arc::new(spec(port, routes)))?;
    loop {
        std::thread::park();
    }
}

fn spec(port: u16, routes: usize) -> ProxySpec {
    let source = |kind| ResourceId::new(kind, "example", "example");
    let cluster = Cluster::new("upstream", source(ResourceKind::Upstream), EndpointSource::Fixed(Vec::new()));
    let route = |number| {
        let target = Target::Cluster { cluster: "upstream".into(), subset: BTreeMap::new() };
        Arc::new(Route {
            name: format!("service-{number}"),
            source: source(ResourceKind::RouteTable),
            via: Vec::new(),
            matchers: vec![Matcher { prefix: Some(format!("/service-{number}/")), ..Matcher::default() }],
            action: Action::Forward(Forward::Weighted(vec![WeightedTarget { target, weight: 1, headers: None }])),
            policy: None,
            stickiness: None,
        })
    };
    let host = VirtualHost {
        name: "example.example".into(),
        source: source(ResourceKind::VirtualService),
        domains: vec!["*".into()],
        routes: (0..routes).map(route).collect(),
        policy: None,
    };
    let listener = Listener {
        name: "example.example".into(),
        source: source(ResourceKind::Gateway),
        bind_address: "127.0.0.1".into(),
        bind_port: port,
        ssl: false,
        tls: Vec::new(),
        strip_any_host_port: false,
        http: Default::default(),
        access_logs: Vec::new(),
        virtual_hosts: vec![Arc::new(host)],
    };
    ProxySpec {
        listeners: vec![Arc::new(listener)],
        clusters: [("upstream".into(), Arc::new(cluster))].into(),
        sources: BTreeMap::new(),
    }
}
