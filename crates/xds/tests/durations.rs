//! How long requests may take from beginning to end: a real Envoy and our own data plane give up alike.
#![allow(clippy::unwrap_used)]

mod stage;

use std::time::Duration;

use serde_json::{Value, json};
use serin_api::proxy::ProxySpec;
use stage::both::Both;

/// A listener with these settings, and a route for each prefix with its options.
fn spec(connections: Value, routes: &[(&str, Value)]) -> ProxySpec {
    let source = json!({"kind": "VirtualService", "namespace": "test", "name": "vs"});
    let route = |(prefix, policy): &(&str, Value)| {
        json!({
            "name": prefix, "source": source, "matchers": [{"prefix": prefix}], "policy": policy,
            "action": {"forward": {"weighted": [{"target": {"cluster": {"cluster": "up"}}, "weight": 1}]}},
        })
    };
    let listener = json!({
        "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"},
        "bindAddress": "::", "bindPort": 8080, "ssl": false, "stripAnyHostPort": false,
        "http": {"connections": connections},
        "virtualHosts": [{
            "name": "vs", "source": source, "domains": ["*"], "routes": routes.iter().map(route).collect::<Vec<_>>(),
        }],
    });
    let cluster = json!({
        "name": "up", "source": {"kind": "Upstream", "namespace": "test", "name": "up"}, "endpoints": {"fixed": []},
        "subsets": null, "loadBalancing": "roundRobin",
    });
    serde_json::from_value(json!({"listeners": [listener], "clusters": {"up": cluster}, "sources": []})).unwrap()
}

/// An upstream that takes its time.
fn late(_: &str) -> String {
    std::thread::sleep(Duration::from_secs(1));
    "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nlate".to_owned()
}

fn limits(most: Option<&str>, grpc: Option<(&str, &str)>) -> Value {
    json!({"maxStreamDuration": {"most": most, "grpcMost": grpc.map(|grpc| grpc.0), "grpcOffset": grpc.map(|grpc| grpc.1)}})
}

#[test]
fn both_end_what_takes_too_long() {
    let routes = [
        ("/own", limits(Some("200ms"), None)),
        ("/ever", limits(Some("0"), None)),
        ("/grpc", limits(Some("0"), Some(("400ms", "100ms")))),
        ("/", Value::Null),
    ];
    let Some(both) = Both::serve(&spec(json!({"maxStreamDuration": "300ms"}), &routes), &[], late) else { return };
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    for (path, status) in [("/", " 504\n"), ("/own", " 504\n"), ("/ever", " 200\n")] {
        let heard = both.agree(&get(path), 1);
        assert!(heard.answer.contains(status), "{}", heard.answer);
    }
    let heard = both.agree("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nab", 1);
    assert!(heard.answer.ends_with("downstream duration timeout"), "{}", heard.answer);
    for (timeout, status) in [("300m", "4"), ("1H", "4"), ("150000u", "4"), ("5", "")] {
        let head = "POST /grpc HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-type: application/grpc\r\n";
        let heard = both.agree(&format!("{head}content-length: 0\r\ngrpc-timeout: {timeout}\r\n\r\n"), 1);
        assert_eq!(heard.answer.contains(&format!("grpc-status: {status}\n")), !status.is_empty(), "{}", heard.answer);
    }
}

#[test]
fn both_wait_so_long_for_a_request() {
    let Some(both) = Both::serve(&spec(json!({"requestTimeout": "300ms"}), &[("/", Value::Null)]), &[], late) else {
        return;
    };
    let heard = both.agree("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nab", 1);
    assert!(heard.answer.contains(" 408\n") && heard.answer.ends_with("request timeout"), "{}", heard.answer);
    both.agree("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n", 1);
}
