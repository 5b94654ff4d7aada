//! Access logs: a real Envoy writes the lines that our own data plane writes.
#![allow(clippy::unwrap_used)]

mod stage;

use serde_json::{Value, json};
use serin_api::Format;
use serin_api::proxy::ProxySpec;
use stage::both::{self, Both};
use stage::logs::{Logs, normal, normal_object};

fn spec() -> ProxySpec {
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
    both::spec(&listener, &["up", "away"])
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
    if path.starts_with("/up/trailers") {
        return "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
                1\r\na\r\n0\r\nx-end: of it\r\ngrpc-status: 5\r\n\r\n"
            .to_owned();
    }
    let status = path.rsplit_once('/').filter(|(_, end)| end.parse::<u16>().is_ok()).map_or("200", |(_, end)| end);
    format!("HTTP/1.1 {status} Said\r\ncontent-length: 4\r\nconnection: close\r\nx-up: one\r\n\r\nsaid")
}

/// Requests, and how many messages of each reach the upstream.
fn requests() -> Vec<(String, usize)> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: h.com\r\nuser-agent: me\r\nconnection: close\r\n\r\n");
    let grpc = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: h.com\r\ncontent-type: application/grpc\r\ncontent-length: 1\r\n\
             connection: close\r\n\r\nx"
        )
    };
    vec![
        (get("/up?a=1&b=2"), 1),
        ("POST /up HTTP/1.1\r\nhost: h.com:80\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello".to_owned(), 1),
        (get("/up/trailers?b=%41&b=2"), 1),
        (grpc("/up/trailers"), 1),
        (grpc("/none"), 0),
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

/// Which requests each filter keeps, by the status that they are answered.
#[test]
fn filters_keep_the_same_requests() {
    let compare = |op: &str, value: u32| json!({"op": op, "value": value, "runtimeKey": "none"});
    let header =
        |name: &str, value: Value, invert: bool| json!({"header": {"name": name, "value": value, "invert": invert}});
    let all = |filters: [Value; 2]| json!({"all": filters});
    let paths = ["/up", "/up/404", "/up/503", "/away", "/none", "/again/500", "/up/trailers"];
    let errors = ["/up/503", "/away", "/again/500"];
    let every: &[&str] = &paths;
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({"status": compare("GE", 500)}), &errors),
        (json!({"status": compare("LE", 200)}), &["/up", "/up/trailers"]),
        (json!({"status": compare("EQ", 404)}), &["/up/404", "/none"]),
        (json!({"duration": compare("GE", 0)}), every),
        (json!({"duration": compare("GE", 60_000)}), &[]),
        (json!("notHealthCheck"), every),
        (json!("traceable"), &[]),
        (json!({"sampled": {"perMillion": 1_000_000, "runtimeKey": "none", "independent": false}}), every),
        (json!({"sampled": {"perMillion": 0, "runtimeKey": "none", "independent": true}}), &[]),
        (json!({"flags": ["UF", "NR"]}), &["/away", "/none"]),
        (json!({"flags": []}), &["/away", "/none", "/again/500"]),
        (json!({"grpcStatus": {"statuses": [12, 5], "exclude": false}}), &["/up/404", "/none", "/up/trailers"]),
        (json!({"grpcStatus": {"statuses": [2, 12], "exclude": true}}), &["/up/503", "/away", "/up/trailers"]),
        (header(":path", json!({"prefix": "/up/"}), false), &["/up/404", "/up/503", "/up/trailers"]),
        (header(":path", json!({"suffix": "00"}), false), &["/again/500"]),
        (
            header(":path", json!({"exact": "/up"}), true),
            &["/up/404", "/up/503", "/away", "/none", "/again/500", "/up/trailers"],
        ),
        (header(":path", json!({"regex": "/u.*[34]"}), false), &["/up/404", "/up/503"]),
        (header("x-number", json!({"range": [-1, 8]}), false), every),
        (header("x-number", json!({"range": [0, 7]}), false), &[]),
        (header("x-none", json!("present"), true), every),
        (header("x-none", json!({"exact": "a"}), true), &[]),
        (header("user-agent", json!("present"), false), every),
        (all([json!({"status": compare("GE", 500)}), json!({"flags": ["URX"]})]), &["/again/500"]),
        (json!({"any": [{"flags": ["NR"]}, {"status": compare("EQ", 503)}]}), &["/up/503", "/away", "/none"]),
    ];
    let format = |(filter, _): &(Value, &[&str])| json!({"format": {"text": "%REQ(:PATH)%\n"}, "filter": filter});
    let mut formats: Vec<_> = cases.iter().map(format).collect();
    formats.push(json!({"format": {"text": "%REQ(:PATH)%\n"}}));
    let (ours, envoys) = (Logs::new(), Logs::new());
    let spec = spec();
    let (our_spec, envoys_spec) = (ours.of(&spec, &formats), envoys.of(&spec, &formats));
    let Some(both) = Both::serve_each(&our_spec, &envoys_spec, &["away"], answer) else { return };
    for (address, logs) in [(both.ours, &ours), (both.envoys, &envoys)] {
        for (at, path) in paths.iter().enumerate() {
            let messages = match *path {
                "/away" | "/none" => 0,
                "/again/500" => 3,
                _ => 1,
            };
            let request =
                format!("GET {path} HTTP/1.1\r\nhost: h\r\nx-number: 7\r\nuser-agent: me\r\nconnection: close\r\n\r\n");
            both.hear(address, &request, messages);
            logs.lines(cases.len(), at + 1);
        }
        for (at, (filter, kept)) in cases.iter().enumerate() {
            assert_eq!(logs.lines(at, kept.len()), *kept, "{address}: {filter}");
        }
    }
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
    let text = Format::DEFAULT_LINE.replace("%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% ", "");
    // Envoy adds its own address there, not the client's, where it is one of this machine's.
    let text = text.replace("%REQ(X-FORWARDED-FOR)%", "");
    agree(fields, &text, &["took", "answered"]);
}

#[test]
fn every_other_operator_says_the_same() {
    const FORMATS: &[&str] = &[
        "%RESPONSE_FLAGS_LONG%",
        "%UPSTREAM_CLUSTER_RAW%",
        "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
        "%UPSTREAM_HOST_NAME%",
        "%UPSTREAM_HOST_NAME_WITHOUT_PORT%",
        "%UPSTREAM_REMOTE_ADDRESS%",
        "%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "%UPSTREAM_REMOTE_PORT%",
        "%UPSTREAM_PROTOCOL%",
        "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
        "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
        "%DOWNSTREAM_DIRECT_REMOTE_PORT%",
        "%DOWNSTREAM_REMOTE_PORT%",
        "%DOWNSTREAM_LOCAL_ADDRESS%",
        "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%",
        "%DOWNSTREAM_DIRECT_LOCAL_ADDRESS%",
        "%DOWNSTREAM_LOCAL_PORT%",
        "%CONNECTION_ID%",
        "%UNIQUE_ID%",
        "%STREAM_ID%",
        "%HOSTNAME%",
        "%ACCESS_LOG_TYPE%",
        "%REQ_WITHOUT_QUERY(:PATH)%",
        "%PATH%",
        "%PATH(NQ)%",
        "%PATH(NQ:ORIG)%",
        "%PATH(WQ:PATH):6%",
        "%QUERY_PARAM(b)%",
        "%GRPC_STATUS%",
        "%GRPC_STATUS(SNAKE_STRING)%",
        "%GRPC_STATUS_NUMBER%",
        "%TRAILER(X-NONE?X-END):2%",
        "%REQUESTED_SERVER_NAME%",
        "%DOWNSTREAM_TLS_VERSION%",
        "%DOWNSTREAM_TLS_CIPHER%",
        "%DOWNSTREAM_PEER_SUBJECT%",
        "%UPSTREAM_TLS_VERSION%",
        "%ENVIRONMENT(NO_SUCH_VARIABLE)%",
        "%CONNECTION_TERMINATION_DETAILS%",
        "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
        "%START_TIME(%Y-%m-%d)%",
        "%START_TIME(%3f)%",
        "%START_TIME(%s)%",
        "%EMIT_TIME(%Y)%",
        "%START_TIME_LOCAL(%Y %z)%",
        "%EMIT_TIME_LOCAL(%Y)%",
        "%RESPONSE_TX_DURATION%",
        "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
        "%COMMON_DURATION(DS_RX_BEG:US_TX_BEG:ns)%",
        "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:ms)%",
        "%REQUEST_HEADERS_BYTES%",
        "%RESPONSE_HEADERS_BYTES%",
        "%RESPONSE_TRAILERS_BYTES%",
    ];
    let fields = FORMATS.iter().map(|format| ((*format).to_owned(), json!(format))).collect();
    // Where values differ by nature.
    let differs = |format: &&str| {
        let port = format.ends_with("_PORT%") && !format.ends_with("_WITHOUT_PORT%");
        port || ["DURATION", "CONNECTION_ID", "HEADERS_BYTES", "%3f", "%s"].iter().any(|part| format.contains(part))
    };
    let vague: Vec<_> = FORMATS.iter().copied().filter(differs).collect();
    agree(Value::Object(fields), "%RESPONSE_FLAGS_LONG% %GRPC_STATUS% %QUERY_PARAM(a)%\n", &vague);
}
