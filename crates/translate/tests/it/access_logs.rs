//! A Gateway's access logs: what a listener gets of them, and what is wrong with them.

use serde_json::json;
use serin_api::ResourceKind;
use serin_api::StatusState::{Accepted, Rejected};
use serin_api::proxy::{AccessLog, AccessLogFormat};

use crate::fixture::World;

fn world(logs: &str) -> World {
    let mut world = World::new();
    world
        .apply(&format!(
            "apiVersion: gateway.solo.io/v1\nkind: Gateway\nmetadata: {{name: gateway-proxy, namespace: gloo-system}}\n\
             spec: {{bindAddress: '::', bindPort: 8080, httpGateway: {{}}, \
             options: {{accessLoggingService: {{accessLog: {logs}}}}}}}\n"
        ))
        .serve();
    world
}

fn status(world: &World) -> (serin_api::StatusState, String) {
    world.status(ResourceKind::Gateway, "gloo-system", "gateway-proxy")
}

#[test]
fn a_listener_logs_to_the_files_that_its_gateway_names() {
    let world = world(
        "[{fileSink: {path: /a}}, {fileSink: {path: /b, stringFormat: \"%PROTOCOL%\\n\"}}, \
          {fileSink: {path: /c, jsonFormat: {code: '%RESPONSE_CODE%', deep: {at: '%START_TIME%'}}}}]",
    );
    assert_eq!(status(&world), (Accepted, String::new()));
    let json = json!({"code": "%RESPONSE_CODE%", "deep": {"at": "%START_TIME%"}});
    let log = |path: &str, format| AccessLog { path: path.to_owned(), format };
    assert_eq!(
        world.serving().listeners[0].access_logs,
        [
            log("/a", AccessLogFormat::Text(serin_api::LogFormat::DEFAULT.to_owned())),
            log("/b", AccessLogFormat::Text("%PROTOCOL%\n".to_owned())),
            log("/c", AccessLogFormat::Json(json.as_object().cloned().unwrap())),
        ]
    );
}

#[test]
fn a_log_at_fault_is_named_by_its_field() {
    const LOG: &str = "spec.options.accessLoggingService.accessLog[0].fileSink";
    for (sink, reason) in [
        ("{}", "path: a file is needed"),
        ("{path: /a, stringFormat: '%NO%'}", "stringFormat: %NO% is not an operator"),
        ("{path: /a, stringFormat: '50%'}", "stringFormat: the operator that begins at byte 2 has no end"),
        ("{path: /a, jsonFormat: {a: [x, '%REQ%']}}", "jsonFormat.a[1]: %REQ%: write it as"),
        ("{path: /a, stringFormat: x, jsonFormat: {}}", "jsonFormat: a log has one format"),
    ] {
        let (state, said) = status(&world(&format!("[{{fileSink: {sink}}}]")));
        assert_eq!(state, Rejected, "{sink}");
        assert!(said.contains(&format!("{LOG}.{reason}")), "{sink}: {said}");
    }
}

#[test]
fn a_log_that_is_no_file_is_told_and_the_rest_is_kept() {
    let world = world("[{grpcService: {logName: a}}, {fileSink: {path: /a}, filter: {notHealthCheckFilter: {}}}]");
    let (state, said) = status(&world);
    assert_eq!(state, Accepted);
    for field in ["accessLog[0].grpcService", "accessLog[1].filter"] {
        assert!(said.contains(&format!("spec.options.accessLoggingService.{field}: not implemented yet")), "{said}");
    }
    assert_eq!(world.serving().listeners[0].access_logs.len(), 1);
}
