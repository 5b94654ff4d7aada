//! Options of routes and hosts: what a real Envoy makes of them is what our own data plane does.
#![allow(clippy::unwrap_used)]

mod stage;

use serde_json::{Value, json};
use serin_api::proxy::ProxySpec;
use stage::both::{self, Both};

/// One listener; each host by its domain and name, its options and its routes.
fn spec(hosts: Vec<Value>) -> ProxySpec {
    let listener = json!({
        "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"},
        "bindAddress": "::", "bindPort": 8080, "ssl": false, "stripAnyHostPort": false, "virtualHosts": hosts,
    });
    both::spec(&listener, &["up", "away", "other"])
}

fn host(domain: &str, policy: Value, routes: Vec<Value>) -> Value {
    json!({
        "name": domain, "source": {"kind": "VirtualService", "namespace": "test", "name": domain},
        "domains": [domain], "routes": routes, "policy": policy,
    })
}

/// A route to `cluster` with options.
fn route(prefix: &str, cluster: &str, policy: Value) -> Value {
    let target = json!({"cluster": {"cluster": cluster}});
    json!({
        "name": prefix, "source": {"kind": "VirtualService", "namespace": "test", "name": "vs"},
        "matchers": [{"prefix": prefix}], "policy": policy,
        "action": {"forward": {"weighted": [{"target": target, "weight": 1}]}},
    })
}

fn get(host: &str, path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{headers}connection: close\r\n\r\n")
}

/// `/status/N` answers N; a try whose number the upstream is told to wait for answers 200.
fn answer(message: &str) -> String {
    let path = message.split(' ').nth(1).unwrap_or("/");
    let status = path.rsplit_once("/status/").map_or("200", |(_, status)| &status[..3]);
    let status = if message.contains("x-envoy-attempt-count: 3") { "200" } else { status };
    format!("HTTP/1.1 {status} Said\r\ncontent-length: 4\r\nconnection: close\r\nx-up: 1\r\n\r\nsaid")
}

#[test]
fn retries() {
    let retries = |on: &[&str], times: u32| json!({"on": on, "times": times, "backOff": {"base": "1ms"}});
    let counts = json!({"attemptsInRequest": true, "attemptsInResponse": true, "retries": retries(&["5xx"], 1)});
    let hosts = vec![
        host(
            "counted",
            counts,
            vec![
                route("/never", "up", json!({"retries": retries(&[], 1)})),
                route("/three", "up", json!({"retries": retries(&["gateway-error", "retriable-4xx"], 3)})),
                route("/away", "away", json!({"retries": retries(&["connect-failure"], 2)})),
                route("/", "up", Value::Null),
            ],
        ),
        host(
            "plain",
            Value::Null,
            vec![
                route(
                    "/codes",
                    "up",
                    json!({"retries": {"on": ["retriable-status-codes"], "times": 2, "statusCodes": [404]}}),
                ),
                route("/away", "away", Value::Null),
                route("/", "up", Value::Null),
            ],
        ),
    ];
    let Some(both) = Both::serve(&spec(hosts), &["away"], answer) else { return };
    for (domain, path, tries) in [
        ("counted", "/never/status/503", 1),
        ("counted", "/three/status/503", 3),
        ("counted", "/three/status/409", 3),
        ("counted", "/three/status/500", 1),
        ("counted", "/status/500", 2),
        ("counted", "/status/404", 1),
        ("counted", "/away", 0),
        ("plain", "/codes/status/404", 3),
        ("plain", "/codes/status/503", 1),
        ("plain", "/status/503", 1),
        ("plain", "/away", 0),
    ] {
        both.agree(&get(domain, path, "x-envoy-attempt-count: 7\r\n"), tries);
    }
}

#[test]
fn copies() {
    let shadow = |host: Value| json!({"cluster": "other", "perMillion": 1_000_000, "host": host});
    let headers =
        json!({"request": {"remove": ["x-gone"], "add": [{"name": "x-added", "value": "1", "append": false}]}});
    let routes = vec![
        route("/same", "up", json!({"shadow": shadow(json!("same"))})),
        route("/literal", "up", json!({"shadow": shadow(json!({"literal": "copy:99"}))})),
        route(
            "/changed",
            "up",
            json!({"shadow": shadow(json!("suffixed")), "headers": headers, "pathRewrite": {"prefix": "/new"},
                   "hostRewrite": {"literal": "b.com:8080"}}),
        ),
        route("/busy", "up", json!({"shadow": shadow(json!("suffixed")), "retries": {"on": ["5xx"], "times": 1}})),
        route("/away", "away", json!({"shadow": shadow(json!("suffixed"))})),
        route("/none", "up", json!({"shadow": {"cluster": "nobody", "perMillion": 1_000_000}})),
        route("/", "up", json!({"shadow": shadow(json!("suffixed"))})),
    ];
    let counts = json!({"attemptsInRequest": true});
    let Some(both) = Both::serve(&spec(vec![host("*", counts, routes)]), &["away"], answer) else { return };
    for (path, messages) in [
        ("/", 2),
        ("/same", 2),
        ("/literal", 2),
        ("/changed/x?q", 2),
        ("/busy/status/503", 3),
        ("/away", 1),
        ("/none", 1),
    ] {
        both.agree(&get("a.com:80", path, "x-gone: 1\r\n"), messages);
    }
    for body in ["content-length: 5\r\n\r\nhello", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"] {
        both.agree(&format!("POST / HTTP/1.1\r\nhost: [::1]:80\r\nconnection: close\r\n{body}"), 2);
    }
}

#[test]
fn requests_held_until_they_are_whole() {
    let routes = vec![
        route("/off", "up", json!({"buffer": "off"})),
        route("/more", "up", json!({"buffer": {"upTo": 20}})),
        route("/", "up", Value::Null),
    ];
    let hosts = vec![
        host("held", json!({"buffer": {"upTo": 10}}), routes),
        host(
            "plain",
            Value::Null,
            vec![route("/held", "up", json!({"buffer": {"upTo": 10}})), route("/", "up", Value::Null)],
        ),
    ];
    let Some(both) = Both::serve(&spec(hosts), &[], answer) else { return };
    for (domain, path, passes) in [
        ("held", "/off", true),
        ("held", "/more", true),
        ("held", "/", false),
        ("plain", "/held", false),
        ("plain", "/", true),
    ] {
        for framed in [
            "content-length: 12\r\n\r\nhello, world",
            "transfer-encoding: chunked\r\n\r\nc\r\nhello, world\r\n0\r\n\r\n",
        ] {
            let request = format!("POST {path} HTTP/1.1\r\nhost: {domain}\r\nconnection: close\r\n{framed}");
            both.agree(&request, usize::from(passes));
        }
        let short =
            format!("POST {path} HTTP/1.1\r\nhost: {domain}\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello");
        both.agree(&short, 1);
        both.agree(&get(domain, path, ""), 1);
    }
}

#[test]
fn faults_cors_and_header_changes() {
    let abort = json!({"faults": {"abort": {"perMillion": 1_000_000, "status": 418}}});
    let delay = json!({"faults": {"delay": {"perMillion": 1_000_000, "time": "1ms"}}});
    let cors = json!({"cors": {"allowOrigins": [{"exact": "http://a.com"}]}});
    let add = |name: &str, value: &str| json!({"name": name, "value": value, "append": true});
    let headers = json!({"headers": {
        "request": {"remove": ["x-gone"], "add": [add("x-both", "route"), add("x-path", "%REQ(:path)%")]},
        "response": {"remove": ["x-up"], "add": [add("x-both", "route"), add("x-code", "%RESPONSE_CODE%")]},
    }});
    let on_host = json!({"headers": {
        "request": {"remove": [], "add": [add("x-both", "host")]},
        "response": {"remove": [], "add": [add("x-both", "host")]},
    }});
    let routes = vec![
        route("/abort", "up", abort),
        route("/delay", "up", delay),
        route("/cors", "up", cors),
        route("/headers", "up", headers),
        route("/", "up", Value::Null),
    ];
    let Some(both) = Both::serve(&spec(vec![host("*", on_host, routes)]), &[], answer) else { return };
    for (path, messages) in [("/abort", 0), ("/delay", 1), ("/headers?q", 1), ("/", 1)] {
        both.agree(&get("a.com", path, "x-gone: 1\r\nx-both: client\r\n"), messages);
    }
    for origin in ["http://a.com", "http://b.com"] {
        both.agree(&get("a.com", "/cors", &format!("origin: {origin}\r\n")), 1);
    }
    let preflight = "OPTIONS /cors HTTP/1.1\r\nhost: a.com\r\norigin: http://a.com\r\n\
                     access-control-request-method: PUT\r\nconnection: close\r\n\r\n";
    both.agree(preflight, 0);
}
