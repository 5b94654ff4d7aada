//! How long translation takes: `cargo run --release -p serin-translate --example scale [TABLES [ROUTES_PER_TABLE]]`.
#![allow(clippy::print_stdout, reason = "it is a program for people")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serin_api::{Ref, ResourceId, ResourceKind};
use serin_translate::{Resource, Resources, Service, ServicePort, Snapshot, choose, endpoints, translate};

fn put<T: DeserializeOwned>(
    all: &mut Resources<T>,
    kind: ResourceKind,
    namespace: &str,
    name: &str,
    labels: &str,
    spec: Value,
) {
    let labels = BTreeMap::from([("team".to_owned(), labels.to_owned())]);
    let spec = serin_api::decode(&json!({"spec": spec})).unwrap_or_else(|error| panic!("{error}"));
    let id = ResourceId::new(kind, namespace, name);
    let resource = Resource { id, generation: 1, created: String::new(), labels, spec, unimplemented: Vec::new() };
    all.insert(Ref::new(namespace, name), Arc::new(resource));
}

fn table(number: usize, routes: usize, body: &str) -> Value {
    let one = |route: usize| {
        let upstream = json!({"name": format!("u{number}"), "namespace": "gloo-system"});
        json!({
            "matchers": [{"prefix": format!("/team-{number}/route-{route}"), "headers": [{"name": "stage", "value": body}]}],
            "routeAction": {"multi": {"destinations": [
                {"destination": {"upstream": upstream, "subset": {"values": {"version": "v1"}}}, "weight": 90},
                {"destination": {"upstream": upstream, "subset": {"values": {"version": "v2"}}}, "weight": 10},
            ]}},
        })
    };
    json!({"routes": (0..routes).map(one).collect::<Vec<_>>()})
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().unwrap_or(1));
    let (tables, routes) = (arguments.next().unwrap_or(1_000), arguments.next().unwrap_or(10));
    let mut snapshot = Snapshot::default();
    let gateway = json!({"bindAddress": "::", "bindPort": 8080, "httpGateway": {}});
    put(&mut snapshot.gateways, ResourceKind::Gateway, "gloo-system", "gateway-proxy", "", gateway);
    for number in 0..tables {
        let service = Ref::new(format!("team-{number}"), "app");
        let ports = vec![ServicePort { name: String::new(), port: 80, http2: false }];
        snapshot.services.insert(service.clone(), Arc::new(Service { ports }));
        let kube = json!({"serviceName": "app", "serviceNamespace": service.namespace, "servicePort": 80,
            "subsetSpec": {"selectors": [{"keys": ["version"]}]}});
        put(
            &mut snapshot.upstreams,
            ResourceKind::Upstream,
            "gloo-system",
            &format!("u{number}"),
            "",
            json!({"kube": kube}),
        );
        put(
            &mut snapshot.route_tables,
            ResourceKind::RouteTable,
            &service.namespace,
            "routes",
            "all",
            table(number, routes, "canary"),
        );
    }
    let delegate = json!({"virtualHost": {"domains": ["*"], "routes": [
        {"matchers": [{"prefix": "/"}], "delegateAction": {"selector": {"labels": {"team": "all"}, "namespaces": ["*"]}}}]}});
    put(&mut snapshot.virtual_services, ResourceKind::VirtualService, "gloo-system", "app", "", delegate);

    let mut served = None;
    for round in 0..10 {
        let changed = table(7, routes, &format!("round-{round}"));
        put(&mut snapshot.route_tables, ResourceKind::RouteTable, "team-7", "routes", "all", changed);
        let started = Instant::now();
        let translation = translate(&snapshot);
        let translated = started.elapsed();
        let chosen = choose(served.as_ref(), &translation);
        let took = started.elapsed();
        let spec = chosen.proxies["gateway-proxy"].spec.clone();
        let resolved = endpoints(&snapshot, &spec);
        println!(
            "{} routes: translate {translated:?}, choose {:?}, endpoints of {} clusters {:?}",
            spec.listeners[0].virtual_hosts[0].routes.len(),
            took - translated,
            resolved.len(),
            started.elapsed() - took
        );
        served = Some(chosen);
    }
}
