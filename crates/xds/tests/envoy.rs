//! A real Envoy takes its configuration from the discovery server, follows changes, and says what it refuses.
#![allow(clippy::unwrap_used)]

mod stage;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use serin_api::gateway::Matcher;
use serin_api::proxy::{
    Action, Cluster, Endpoint, EndpointMap, EndpointSource, Forward, Listener, LoadBalancing, ProxySpec, Route, Target,
    VirtualHost, WeightedTarget,
};
use serin_api::{ResourceId, ResourceKind};
use serin_xds::ResourceType;
use stage::{NODE, Stage, eventually, get};

fn source(kind: ResourceKind, name: &str) -> ResourceId {
    ResourceId::new(kind, "test", name)
}

/// One listener whose only route does `action`, and the cluster `up`.
fn spec(domains: &[&str], matcher: Matcher, action: Action) -> ProxySpec {
    let route = Route {
        name: "route".to_owned(),
        source: source(ResourceKind::VirtualService, "vs"),
        via: Vec::new(),
        matchers: vec![matcher],
        action,
        policy: None,
        stickiness: None,
    };
    let mut host: VirtualHost = serde_json::from_value(serde_json::json!({
        "name": "test.vs", "source": {"kind": "VirtualService", "namespace": "test", "name": "vs"},
        "domains": domains, "routes": []
    }))
    .unwrap();
    host.routes.push(Arc::new(route));
    let mut listener: Listener = serde_json::from_value(serde_json::json!({
        "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"},
        "bindAddress": "::", "bindPort": 8080, "ssl": false, "stripAnyHostPort": false, "virtualHosts": []
    }))
    .unwrap();
    listener.virtual_hosts.push(Arc::new(host));
    let cluster = Cluster::new("up", source(ResourceKind::Upstream, "up"), EndpointSource::Fixed(Vec::new()));
    ProxySpec {
        listeners: vec![Arc::new(listener)],
        clusters: [("up".into(), Arc::new(cluster))].into(),
        sources: BTreeMap::new(),
    }
}

fn prefix(path: &str) -> Matcher {
    Matcher { prefix: Some(path.to_owned()), ..Matcher::default() }
}

fn respond(body: &str) -> Action {
    Action::DirectResponse { status: 200, body: body.to_owned() }
}

fn to_up() -> Action {
    let target = Target::Cluster { cluster: "up".into(), subset: BTreeMap::new() };
    Action::Forward(Forward::Weighted(vec![WeightedTarget { target, weight: 1, headers: None }]))
}

/// An upstream that answers every request with its name.
fn upstream(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ =
                write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{name}", name.len());
        }
    });
    address
}

fn endpoints(address: SocketAddr) -> EndpointMap {
    let endpoint =
        Endpoint { host: address.ip().to_string(), port: address.port(), labels: BTreeMap::new(), weight: 1 };
    [("up".into(), Arc::new(vec![endpoint]))].into()
}

fn follows(delta: bool) {
    let Some(stage) = Stage::set(delta) else { return };
    let first = stage.publish(spec(&["a.com"], prefix("/"), to_up()), endpoints(upstream("one")));
    stage.settled(first);
    let address = stage.address("test.gw");
    assert!(get(address, "a.com", "/x").ends_with("one"));
    assert!(get(address, "b.com", "/x").starts_with("HTTP/1.1 404"));

    // Other endpoints, and nothing else is sent.
    let updates = || {
        let counters = ["cluster_manager.cds", "listener_manager.lds", "http.test.gw.rds.test.gw"];
        counters.map(|counter| stage.envoy.statistic(&format!("{counter}.update_success")))
    };
    let before = updates();
    assert!(before.iter().all(Option::is_some), "{before:?}");
    let second = stage.publish(spec(&["a.com"], prefix("/"), to_up()), endpoints(upstream("two")));
    stage.settled(second);
    eventually("Envoy uses the new endpoint", || get(address, "a.com", "/x").ends_with("two"));
    assert_eq!(updates(), before);

    // Other routes.
    let third = stage.publish(spec(&["*"], prefix("/"), respond("fixed")), EndpointMap::new());
    stage.settled(third);
    eventually("Envoy uses the new routes", || get(address, "b.com", "/x").ends_with("fixed"));

    // Nothing at all.
    let fourth = stage.publish(ProxySpec::default(), EndpointMap::new());
    stage.settled(fourth);
    assert_eq!(stage.server.nodes()[0].refusals, []);
}

/// A cluster that changes gets its endpoints anew: the Envoy takes it into use, instead of waiting for them in vain.
fn takes_a_changed_cluster(delta: bool) {
    let Some(stage) = Stage::set(delta) else { return };
    let one = endpoints(upstream("one"));
    let spec = spec(&["a.com"], prefix("/"), to_up());
    stage.settled(stage.publish(spec.clone(), one.clone()));
    let statistic = |name: &str| stage.envoy.statistic(name).unwrap_or_default();
    for (round, load_balancing) in [LoadBalancing::Random, LoadBalancing::RoundRobin].into_iter().enumerate() {
        let mut changed = spec.clone();
        let cluster = Cluster { load_balancing, ..(*spec.clusters["up"]).clone() };
        changed.clusters.insert("up".into(), Arc::new(cluster));
        stage.settled(stage.publish(changed, one.clone()));
        eventually("the cluster is in use", || {
            statistic("cluster_manager.cluster_modified") > round as u64
                && statistic("cluster_manager.warming_clusters") == 0
        });
    }
    // So does one that comes later.
    let mut more = spec.clone();
    let cluster = Cluster::new("more", source(ResourceKind::Upstream, "more"), EndpointSource::Fixed(Vec::new()));
    more.clusters.insert("more".into(), Arc::new(cluster));
    let mut all = one.clone();
    all.insert("more".into(), Arc::clone(&one["up"]));
    stage.settled(stage.publish(more, all));
    eventually("the new cluster is in use", || {
        statistic("cluster.more.membership_total") == 1 && statistic("cluster_manager.warming_clusters") == 0
    });
    for cluster in ["up", "more"] {
        assert_eq!(statistic(&format!("cluster.{cluster}.init_fetch_timeout")), 0, "{cluster}");
    }
    assert!(get(stage.address("test.gw"), "a.com", "/x").ends_with("one"));
}

#[test]
fn envoy_takes_a_changed_cluster_from_the_state_of_the_world() {
    takes_a_changed_cluster(false);
}

#[test]
fn envoy_takes_a_changed_cluster_from_changes() {
    takes_a_changed_cluster(true);
}

#[test]
fn envoy_follows_the_state_of_the_world() {
    follows(false);
}

#[test]
fn envoy_follows_changes() {
    follows(true);
}

fn refuses(delta: bool) {
    let Some(stage) = Stage::set(delta) else { return };
    let good = stage.publish(spec(&["*"], prefix("/"), respond("good")), EndpointMap::new());
    stage.settled(good);
    let address = stage.address("test.gw");

    // RE2 has no look-ahead.
    let bad = Matcher { regex: Some("/(?=x)".to_owned()), ..Matcher::default() };
    stage.publish(spec(&["*"], bad, respond("bad")), EndpointMap::new());
    eventually("the refusal is reported", || stage.server.nodes().iter().any(|node| !node.refusals.is_empty()));
    let nodes = stage.server.nodes();
    let refusal = &nodes[0].refusals[0];
    assert_eq!(nodes[0].node, NODE);
    assert_eq!((refusal.kind, refusal.resource.as_str()), (ResourceType::Routes, "test.gw"));
    assert_eq!(refusal.source, source(ResourceKind::Gateway, "gw"));
    assert!(refusal.message.contains("(?="), "{}", refusal.message);
    assert!(get(address, "a.com", "/x").ends_with("good"), "what was there goes on being served");

    let mended = stage.publish(spec(&["*"], prefix("/"), respond("mended")), EndpointMap::new());
    stage.settled(mended);
    eventually("Envoy uses what was mended", || get(address, "a.com", "/x").ends_with("mended"));
    assert_eq!(stage.server.nodes()[0].refusals, []);
}

#[test]
fn a_refusal_is_reported_with_node_and_resource() {
    refuses(false);
}

#[test]
fn a_refusal_of_a_change_is_reported_with_node_and_resource() {
    refuses(true);
}
