//! Options of Upstreams: a real Envoy takes them, and has them as they were meant.
#![allow(clippy::unwrap_used)]

mod stage;

use serde_json::{Value, json};
use serin_api::proxy::{EndpointMap, ProxySpec};
use stage::Stage;

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
    let answer = stage.envoy.ask("/config_dump?resource=dynamic_active_clusters").unwrap();
    // In chunks or whole, it is one object.
    let (from, to) = (answer.find('{').unwrap(), answer.rfind('}').unwrap());
    let dump: Value = serde_json::from_str(&answer[from..=to]).unwrap();
    let named = |config: &Value| (config["cluster"]["name"].as_str().unwrap().to_owned(), config["cluster"].clone());
    dump["configs"].as_array().unwrap().iter().map(named).collect()
}

/// Whether `whole` has all that `part` says.
fn has(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| has(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| has(whole, part))
        }
        (whole, part) => whole == part,
    }
}

/// Clusters by name, with their options and what Envoy has to make of them.
fn check(all: &[(&str, Value, Value)]) {
    let Some(stage) = Stage::set(false) else { return };
    let options: Vec<_> = all.iter().map(|(name, options, _)| (*name, options.clone())).collect();
    let number = stage.publish(spec(&options), EndpointMap::new());
    stage.settled(number);
    let made = clusters(&stage);
    for (name, _, expected) in all {
        assert!(has(&made[*name], expected), "{name}: {:#}", made[*name]);
    }
}

#[test]
fn slow_start() {
    let slow = json!({"window": "30s", "aggression": 1.5, "leastPercent": 20.0});
    let envoys = |cluster: &str| {
        json!({"slow_start_config": {
            "slow_start_window": "30s",
            "aggression": {"default_value": 1.5, "runtime_key": format!("upstream.{cluster}.slowStart.aggression")},
            "min_weight_percent": {"value": 20},
        }})
    };
    check(&[
        ("turns", json!({"slowStart": slow}), json!({"round_robin_lb_config": envoys("turns")})),
        (
            "least",
            json!({"loadBalancing": {"leastRequest": {"choices": 3}}, "slowStart": slow}),
            json!({"least_request_lb_config": envoys("least")}),
        ),
    ]);
}

#[test]
fn retry_budgets() {
    let budget = json!({"budget_percent": {"value": 20}, "min_retry_concurrency": 3});
    check(&[
        ("unsaid", json!({}), json!({"circuit_breakers": {"thresholds": [{"retry_budget": budget}]}})),
        (
            "limited",
            json!({"circuitBreakers": {"requests": 5}}),
            json!({"circuit_breakers": {"thresholds": [{"max_requests": 5, "retry_budget": budget}]}}),
        ),
        (
            "fixed",
            json!({"circuitBreakers": {"retries": 7}}),
            json!({"circuit_breakers": {"thresholds": [{"max_retries": 7}]}}),
        ),
    ]);
}

#[test]
fn connections() {
    let connections = json!({"transport": {"connections": {"bufferBytes": 4096, "maxHeaders": 20}}});
    let http = json!({"common_http_protocol_options": {"max_headers_count": 20}});
    let options = json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http});
    let expected = json!({"per_connection_buffer_limit_bytes": 4096, "typed_extension_protocol_options": options});
    let named = json!({"fixed": [{"host": "localhost", "port": 80, "weight": 1}]});
    check(&[
        ("limits", connections, expected),
        (
            "changes",
            json!({"closesOnChange": true, "mergeWindow": "2s"}),
            json!({"common_lb_config": {"close_connections_on_host_set_change": true, "update_merge_window": "2s"}}),
        ),
        (
            "names",
            json!({"endpoints": named, "dnsRefresh": "90s"}),
            json!({"type": "STRICT_DNS", "dns_refresh_rate": "90s"}),
        ),
    ]);
}

#[test]
fn health_checks() {
    let check_by = |question: Value| {
        json!({"healthCheck": {
            "timeout": "1s", "interval": "60s", "noTrafficInterval": "60s", "unhealthyInterval": "60s",
            "unhealthyEdgeInterval": "60s", "healthyEdgeInterval": "60s", "initialJitter": "0s", "intervalJitter": "0s",
            "intervalJitterPercent": 0, "unhealthyThreshold": 1, "healthyThreshold": 1, "reuseConnection": true,
            "logsFailures": true, "question": question,
        }})
    };
    let http = json!({"http": {"host": "h", "path": "/", "method": "GET", "http2": false, "expected": [[200, 201]],
                               "addHeaders": [], "removeHeaders": [], "service": "shop"}});
    let grpc = json!({"grpc": {"service": "", "authority": "a", "metadata": [["x-token", "t", true]]}});
    check(&[
        (
            "http",
            check_by(http),
            json!({"health_checks": [{
                "always_log_health_check_failures": true,
                "http_health_check": {"service_name_matcher": {"prefix": "shop"}},
            }]}),
        ),
        (
            "grpc",
            // Envoy asks by gRPC only where HTTP/2 is spoken.
            {
                let mut options = check_by(grpc);
                options["transport"] = json!({"http2": {}});
                options
            },
            json!({"health_checks": [{"grpc_health_check": {
                "initial_metadata": [{"header": {"key": "x-token", "value": "t"}}],
            }}]}),
        ),
    ]);
}
