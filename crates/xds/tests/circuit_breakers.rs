//! Our data plane and a real Envoy turn away the same requests, in the same words.
#![allow(clippy::unwrap_used)]

mod stage;

use std::sync::Arc;

use serde_json::{Value, json};
use serin_api::proxy::{CircuitBreakers, EndpointMap, ProxySpec};
use serin_proxy::{DataPlane, DataPlaneOptions};
use stage::{Stage, eventually, get};

fn spec() -> ProxySpec {
    let source = json!({"kind": "Upstream", "namespace": "test", "name": "up"});
    let mut spec: ProxySpec = serde_json::from_value(json!({
        "sources": [],
        "listeners": [{
            "name": "gw", "source": source, "bindAddress": "::", "bindPort": 8080, "ssl": false, "stripAnyHostPort": false,
            "virtualHosts": [{"name": "vs", "source": source, "domains": ["*"], "routes": [{
                "name": "route", "source": source, "matchers": [{"prefix": "/"}],
                "action": {"forward": {"weighted": [{"weight": 1, "target": {"cluster": {"cluster": "up"}}}]}},
            }]}],
        }],
        "clusters": {"up": {
            "name": "up", "source": source, "endpoints": {"fixed": []}, "loadBalancing": "roundRobin", "subsets": null,
            "panicPercent": 33.5,
        }},
    }))
    .unwrap();
    let cluster = Arc::make_mut(spec.clusters.values_mut().next().unwrap());
    let CircuitBreakers { connections, pending, requests, retries } = &mut cluster.circuit_breakers;
    (*connections, *pending, *requests, *retries) = (Some(1), Some(0), Some(0), Some(0));
    spec
}

fn without_date(answer: &str) -> (Vec<String>, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let kept = ["HTTP/1.1", "x-envoy-overloaded", "content-length", "content-type"];
    let mut lines: Vec<_> =
        head.lines().filter(|line| kept.iter().any(|kept| line.starts_with(kept))).map(str::to_owned).collect();
    lines.sort();
    (lines, body.to_owned())
}

#[test]
fn what_is_too_much_is_turned_away_alike() {
    let Some(stage) = Stage::set(false) else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint: Value = json!({"host": "127.0.0.1", "port": listener.local_addr().unwrap().port(), "weight": 1});
    let list = serde_json::from_value(json!([endpoint])).unwrap();
    let endpoints: EndpointMap = [("up".into(), Arc::new(list))].into();
    let options = DataPlaneOptions { workers: 1, port_map: [(8080, 0)].into(), ..DataPlaneOptions::default() };
    let plane = DataPlane::start(options).unwrap();
    plane.set_endpoints(endpoints.clone());
    plane.apply(Arc::new(spec())).unwrap();
    let number = stage.publish(spec(), endpoints);
    stage.settled(number);
    let envoy = stage.address("gw");
    eventually("Envoy has the endpoint", || get(envoy, "h", "/").contains("x-envoy-overloaded: true"));
    let (theirs, own) = (get(envoy, "h", "/"), get(plane.listeners()[0].address, "h", "/"));
    assert_eq!(without_date(&theirs), without_date(&own), "{theirs}\n{own}");
}
