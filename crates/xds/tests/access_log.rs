//! Access logs: a real Envoy writes the lines that our own data plane writes.
#![allow(clippy::unwrap_used)]

mod stage;

use serde_json::{Value, json};
use serin_api::LogFormat;
use serin_api::proxy::ProxySpec;
use stage::both::Both;
use stage::logs::{Logs, normal, normal_object};

fn spec() -> ProxySpec {
    let clusters: serde_json::Map<_, _> = ["up", "away"]
        .into_iter()
        .map(|name| {
            let source = json!({"kind": "Upstream", "namespace": "test", "name": name});
            let cluster = json!({"name": name, "source": source, "endpoints": {"fixed": []}, "subsets": null,
                                 "loadBalancing": "roundRobin"});
            (name.to_owned(), cluster)
        })
        .collect();
    let fault = |fault: Value| json!({"faults": fault});
    let retries = |on: &str| json!({"retries": {"on": [on], "times": 2, "backOff": {"base": "1ms"}}});
    let routes = vec![
        route("/away", forward("away"), Value::Null),
        route("/fixed", json!({"directResponse": {"status": 403, "body": "fixed"}}), Value::Null),
        route("/gone", json!({"forward": {"clusterHeader": "x-cluster"}}), Value::Null),
        route("/slow", forward("up"), json!({"timeout": "50ms"})),
        route("/fault", forward("up"), fault(json!({"abort": {"status": 418, "perMillion": 1_000_000}}))),
        route("/late", forward("up"), fault(json!({"delay": {"time": "5ms", "perMillion": 1_000_000}}))),
        route(
            "/never",
            forward("up"),
            fault(json!({"delay": {"time": "5ms", "perMillion": 1_000_000},
                         "abort": {"status": 503, "perMillion": 1_000_000}})),
        ),
        route("/lost", forward("away"), retries("connect-failure")),
        route("/again", forward("up"), retries("5xx")),
        route("/new", forward("up"), json!({"pathRewrite": {"prefix": "/old"}})),
        route("/up", forward("up"), Value::Null),
    ];
    let host = json!({
        "name": "host", "source": {"kind": "VirtualService", "namespace": "test", "name": "vs"},
        "domains": ["*"], "routes": routes,
    });
    let listener = json!({
        "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"},
        "bindAddress": "::", "bindPort": 8080, "ssl": false, "stripAnyHostPort": false, "virtualHosts": [host],
    });
    serde_json::from_value(json!({"listeners": [listener], "clusters": clusters, "sources": []})).unwrap()
}

fn forward(cluster: &str) -> Value {
    let target = json!({"cluster": {"cluster": cluster}});
    json!({"forward": {"weighted": [{"target": target, "weight": 1}]}})
}

fn route(prefix: &str, action: Value, policy: Value) -> Value {
    json!({
        "name": format!("route {prefix}"), "source": {"kind": "VirtualService", "namespace": "test", "name": "vs"},
        "matchers": [{"prefix": prefix}], "policy": policy, "action": action,
    })
}

/// `/…/N` answers N; a slow one is never answered.
fn answer(message: &str) -> String {
    let path = message.split(' ').nth(1).unwrap_or("/");
    if path.starts_with("/slow") {
        std::thread::sleep(std::time::Duration::from_secs(2));
    }
    let status = path.rsplit_once('/').filter(|(_, end)| end.parse::<u16>().is_ok()).map_or("200", |(_, end)| end);
    format!("HTTP/1.1 {status} Said\r\ncontent-length: 4\r\nconnection: close\r\nx-up: one\r\n\r\nsaid")
}

/// Requests, and how many messages of each reach the upstream.
fn requests() -> Vec<(String, usize)> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: h.com\r\nuser-agent: me\r\nconnection: close\r\n\r\n");
    vec![
        (get("/up?a=1&b=2"), 1),
        ("POST /up HTTP/1.1\r\nhost: h.com:80\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello".to_owned(), 1),
        (get("/up/503"), 1),
        (get("/new/path?q=r"), 1),
        (get("/none"), 0),
        (get("/fixed"), 0),
        (get("/away"), 0),
        (get("/gone"), 0),
        (get("/slow"), 1),
        (get("/fault"), 0),
        (get("/late"), 1),
        (get("/never"), 0),
        (get("/lost"), 0),
        (get("/again/500"), 3),
        (get("/again/200"), 1),
    ]
}

/// The lines that both data planes write about each request must be the same. Where a field is in `vague`, only whether
/// there is a value.
fn agree(fields: Value, text: &str, vague: &[&str]) {
    let (ours, envoys) = (Logs::new(), Logs::new());
    let formats = [json!({"format": {"json": fields}}), json!({"format": {"text": text}})];
    let spec = spec();
    let (our_spec, envoys_spec) = (ours.of(&spec, &formats), envoys.of(&spec, &formats));
    let Some(both) = Both::serve_each(&our_spec, &envoys_spec, &["away"], answer) else { return };
    let mut different = Vec::new();
    for (at, (request, messages)) in requests().into_iter().enumerate() {
        let (_, _) = (both.hear(both.ours, &request, messages), both.hear(both.envoys, &request, messages));
        let last = |logs: &Logs, log: usize| logs.lines(log, at + 1).pop().unwrap();
        let (our, envoy) = (normal_object(&last(&ours, 0), vague), normal_object(&last(&envoys, 0), vague));
        for (name, value) in &our {
            if envoy.get(name) != Some(value) {
                different.push(format!("{}: {name}: ours {value}, Envoy {:?}", first(&request), envoy.get(name)));
            }
        }
        let (our, envoy) = (normal(&last(&ours, 1)), normal(&last(&envoys, 1)));
        if our != envoy {
            different.push(format!("ours  {our}\nEnvoy {envoy}"));
        }
    }
    assert!(different.is_empty(), "\n{}", different.join("\n"));
}

fn first(request: &str) -> &str {
    request.lines().next().unwrap_or_default()
}

#[test]
fn lines_say_the_same() {
    let fields = json!({
        "code": "%RESPONSE_CODE%", "protocol": "%PROTOCOL%", "flags": "%RESPONSE_FLAGS%", "in": "%BYTES_RECEIVED%",
        "out": "%BYTES_SENT%", "took": "%DURATION%", "answered": "%RESPONSE_DURATION%", "to": "%UPSTREAM_HOST%",
        "cluster": "%UPSTREAM_CLUSTER%", "route": "%ROUTE_NAME%", "method": "%REQ(:METHOD)%",
        "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", "now": "%REQ(:PATH)%", "agent": "%REQ(USER-AGENT):1%",
        "host": "%REQ(:AUTHORITY)%", "answer": "%RESP(X-UP)%", "length": "%RESP(content-length)%",
        "details": "%RESPONSE_CODE_DETAILS%", "began": "%START_TIME%", "from": "%DOWNSTREAM_REMOTE_ADDRESS%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "mixed": "%RESPONSE_CODE% %RESP(x-none)% 100%%",
        "constant": true, "number": 1.5, "list": ["%PROTOCOL%", 1], "deep": {"id": "%REQ(X-REQUEST-ID)%"},
    });
    // Without what takes its time.
    let text = LogFormat::DEFAULT.replace("%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% ", "");
    // Envoy adds its own address there, not the client's, where it is one of this machine's.
    let text = text.replace("%REQ(X-FORWARDED-FOR)%", "");
    agree(fields, &text, &["took", "answered"]);
}
