//! HTTP/1.0, whole requests and one's own clients: a real Envoy and our own data plane do alike what a listener says.
#![allow(clippy::unwrap_used)]

mod stage;

use serde_json::{Value, json};
use serin_api::proxy::ProxySpec;
use stage::both::Both;

fn spec(http: Value) -> ProxySpec {
    let source = json!({"kind": "VirtualService", "namespace": "test", "name": "vs"});
    let route = |prefix: &str, policy: Value| {
        json!({
            "name": prefix, "source": source, "matchers": [{"prefix": prefix}], "policy": policy,
            "action": {"forward": {"weighted": [{"target": {"cluster": {"cluster": "up"}}, "weight": 1}]}},
        })
    };
    let routes = [
        route("/more", json!({"buffer": {"upTo": 8}})),
        route("/off", json!({"buffer": "off"})),
        route("/", Value::Null),
    ];
    let listener = json!({
        "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"},
        "bindAddress": "::", "bindPort": 8080, "ssl": false, "stripAnyHostPort": false, "http": http,
        "virtualHosts": [{"name": "vs", "source": source, "domains": ["*"], "routes": routes}],
    });
    let cluster = json!({
        "name": "up", "source": {"kind": "Upstream", "namespace": "test", "name": "up"}, "endpoints": {"fixed": []},
        "subsets": null, "loadBalancing": "roundRobin",
    });
    serde_json::from_value(json!({"listeners": [listener], "clusters": {"up": cluster}, "sources": []})).unwrap()
}

fn hello(_: &str) -> String {
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello".to_owned()
}

fn status(answer: &str) -> &str {
    answer.split([' ', '\n']).nth(1).unwrap_or_default()
}

#[test]
fn both_serve_http_1_0_or_do_not() {
    for (http1, named, nameless) in [
        (json!({"acceptHttp10": false}), "426", "426"),
        (json!({"acceptHttp10": true}), "200", "400"),
        (json!({"acceptHttp10": true, "defaultHost": "default:81"}), "200", "200"),
    ] {
        let Some(both) = Both::serve(&spec(json!({"connections": {"http1": http1}})), &[], hello) else { return };
        for (request, expected) in [("GET / HTTP/1.0\r\nhost: h\r\n\r\n", named), ("GET / HTTP/1.0\r\n\r\n", nameless)]
        {
            let messages = usize::from(expected == "200");
            let ours = both.hear(both.ours, request, messages);
            let envoys = both.hear(both.envoys, request, messages);
            assert_eq!((status(&ours.answer), status(&envoys.answer)), (expected, expected), "{http1}");
            assert_eq!(ours.arrivals, envoys.arrivals);
        }
    }
}

#[test]
fn both_hold_requests_until_they_are_whole() {
    let Some(both) = Both::serve(&spec(json!({"buffer": 4})), &[], hello) else { return };
    for (path, body, expected) in [
        ("/", "four", "200"),
        ("/", "fiver", "413"),
        ("/more", "eighteen", "200"),
        ("/more", "nine bytes", "413"),
        ("/off", "nine bytes", "200"),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {}", body.len());
        let heard = both.agree(&format!("{head}\r\n\r\n{body}"), usize::from(expected == "200"));
        assert_eq!(status(&heard.answer), expected, "{path} {body}");
    }
}

#[test]
fn both_know_their_own_clients() {
    for (internal, kept) in [
        (json!([{"address": "10.0.0.0", "bits": 8}]), false),
        (json!([{"address": "::1", "bits": 128}, {"address": "127.0.0.0", "bits": 8}]), true),
    ] {
        let Some(both) = Both::serve(&spec(json!({"internal": internal})), &[], |message| {
            let id = message.lines().find(|line| line.starts_with("x-request-id: ")).unwrap_or_default();
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{id}", id.len())
        }) else {
            return;
        };
        let request = "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\nx-request-id: mine\r\n\r\n";
        for address in [both.ours, both.envoys] {
            let heard = both.hear(address, request, 1);
            assert_eq!(heard.answer.ends_with("x-request-id: mine"), kept, "{}", heard.answer);
        }
    }
}
