//! Options of Upstreams: a real Envoy takes them, and has them as they were meant.
#![allow(clippy::unwrap_used)]

mod stage;

use serde_json::{Value, json};
use serin_api::proxy::{EndpointMap, ProxySpec};
use stage::{Stage, get};

/// A configuration with these clusters, by name and options.
fn spec(clusters: &[(&str, Value)]) -> ProxySpec {
    let cluster = |(name, options): &(&str, Value)| {
        let source = json!({"kind": "Upstream", "namespace": "test", "name": name});
        let mut cluster = json!({
            "name": name, "source": source, "endpoints": {"fixed": []}, "loadBalancing": "roundRobin", "subsets": null,
        });
        cluster.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        ((*name).to_owned(), cluster)
    };
    let clusters: serde_json::Map<_, _> = clusters.iter().map(cluster).collect();
    serde_json::from_value(json!({"sources": [], "listeners": [], "clusters": clusters})).unwrap()
}

/// The clusters as Envoy has them, by name.
fn clusters(stage: &Stage) -> serde_json::Map<String, Value> {
    let answer = get(stage.admin(), "admin", "/config_dump?resource=dynamic_active_clusters");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    // In chunks or whole, it is one object.
    let (from, to) = (body.find('{').unwrap(), body.rfind('}').unwrap());
    let dump: Value = serde_json::from_str(&body[from..=to]).unwrap();
    let named = |config: &Value| (config["cluster"]["name"].as_str().unwrap().to_owned(), config["cluster"].clone());
    dump["configs"].as_array().unwrap().iter().map(named).collect()
}

#[test]
fn envoy_takes_them() {
    let Some(stage) = Stage::set(false) else { return };
    let slow = json!({"window": "30s", "aggression": 1.5, "leastPercent": 20.0});
    let spec = spec(&[
        ("turns", json!({"slowStart": slow})),
        ("least", json!({"loadBalancing": {"leastRequest": {"choices": 3}}, "slowStart": slow})),
    ]);
    let number = stage.publish(spec, EndpointMap::new());
    stage.settled(number);
    let made = clusters(&stage);
    let slow_start = |cluster: &str| {
        json!({
            "slow_start_window": "30s",
            "aggression": {"default_value": 1.5, "runtime_key": format!("upstream.{cluster}.slowStart.aggression")},
            "min_weight_percent": {"value": 20},
        })
    };
    assert_eq!(made["turns"]["round_robin_lb_config"]["slow_start_config"], slow_start("turns"));
    assert_eq!(made["least"]["least_request_lb_config"]["slow_start_config"], slow_start("least"));
}
