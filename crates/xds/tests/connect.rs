//! CONNECT: what a real Envoy tunnels our own data plane tunnels, and what it refuses is refused.
#![allow(clippy::unwrap_used)]

mod stage;

use serde_json::{Value, json};
use serin_api::proxy::ProxySpec;
use stage::both::{self, Both};

fn route(mode: &str, cluster: &str, connect: Value) -> Value {
    json!({
        "name": mode, "source": {"kind": "VirtualService", "namespace": "test", "name": "vs"},
        "matchers": [{"connectMatcher": {}, "headers": [{"name": "mode", "value": mode}]}],
        "policy": {"connect": connect},
        "action": {"forward": {"weighted": [{"target": {"cluster": {"cluster": cluster}}, "weight": 1}]}},
    })
}

fn spec() -> ProxySpec {
    let mut plain = route("plain", "up", json!("terminate"));
    plain["matchers"] = json!([{"prefix": "/"}]);
    let mut said = route("said", "up", json!("terminate"));
    said["action"] = json!({"directResponse": {"status": 200, "body": "said"}});
    let routes = [
        route("ends", "up", json!("terminate")),
        route("passes", "up", json!("forward")),
        route("away", "away", json!("terminate")),
        route("closed", "up", Value::Null),
        said,
        plain,
    ];
    let host = json!({
        "name": "all", "source": {"kind": "VirtualService", "namespace": "test", "name": "vs"},
        "domains": ["*"], "routes": routes, "policy": null,
    });
    let listener = json!({
        "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"},
        "bindAddress": "::", "bindPort": 8080, "ssl": false, "stripAnyHostPort": false, "virtualHosts": [host],
    });
    both::spec(&listener, &["up", "away"])
}

fn answer(message: &str) -> String {
    match message.split(' ').nth(1) {
        Some("declined.test:1") => "HTTP/1.1 407 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno".to_owned(),
        _ => "HTTP/1.1 200 Said\r\nx-up: 1\r\n\r\nsaid".to_owned(),
    }
}

#[test]
fn what_envoy_tunnels_we_tunnel_and_what_it_refuses_we_refuse() {
    let Some(both) = Both::serve(&spec(), &["away"], answer) else { return };
    let asking =
        |mode: &str, target: &str| format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\nmode: {mode}\r\n\r\n");
    let inside = "GET /inside HTTP/1.1\r\nhost: inside\r\n\r\n";
    let heard = both.agree(&format!("{}{inside}", asking("ends", "elsewhere.test:25")), 1);
    assert!(heard.arrivals[0].starts_with("GET /inside") && !heard.arrivals[0].contains("mode"), "{heard:?}");
    assert!(heard.answer.starts_with("HTTP/1.1 200\n") && heard.answer.ends_with("said"), "{heard:?}");
    let heard = both.agree(&asking("passes", "elsewhere.test:25"), 1);
    assert!(heard.arrivals[0].starts_with("CONNECT elsewhere.test:25 HTTP/1.1\n"), "{heard:?}");
    assert!(heard.answer.starts_with("HTTP/1.1 200\nx-up: 1\n") && heard.answer.ends_with("said"), "{heard:?}");
    let heard = both.agree(&asking("passes", "declined.test:1"), 1);
    assert!(heard.answer.starts_with("HTTP/1.1 407\n"), "{heard:?}");
    for (mode, status) in [("other", "404"), ("closed", "403"), ("said", "403"), ("away", "503")] {
        let heard = both.agree(&asking(mode, "elsewhere.test:25"), 0);
        assert!(heard.answer.starts_with(&format!("HTTP/1.1 {status}\n")), "{heard:?}");
    }
}
