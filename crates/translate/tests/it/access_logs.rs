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
    let log = |path: &str, format| AccessLog { path: path.to_owned(), format, filter: None };
    assert_eq!(
        world.serving().listeners[0].access_logs,
        [
            log("/a", AccessLogFormat::Text(serin_api::Format::DEFAULT_LINE.to_owned())),
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
        (
            "{path: /a, stringFormat: 'x %PROTOCOLS%'}",
            "stringFormat: %PROTOCOLS% at byte 2 is not an operator; the nearest one is %PROTOCOL%",
        ),
        ("{path: /a, stringFormat: '50%'}", "stringFormat: the operator that begins at byte 2 has no end"),
        (
            "{path: /a, jsonFormat: {a: [x, '%REQ%']}}",
            "jsonFormat.a[1]: %REQ% at byte 0 is not understood; write %REQ(name)%",
        ),
        ("{path: /a, stringFormat: x, jsonFormat: {}}", "jsonFormat: a log has one format"),
    ] {
        let (state, said) = status(&world(&format!("[{{fileSink: {sink}}}]")));
        assert_eq!(state, Rejected, "{sink}");
        assert!(said.contains(&format!("{LOG}.{reason}")), "{sink}: {said}");
    }
}

#[test]
fn a_log_that_is_no_file_is_told_and_the_rest_is_kept() {
    let world = world("[{grpcService: {logName: a}}, {fileSink: {path: /a}}]");
    let (state, said) = status(&world);
    assert_eq!(state, Accepted);
    let grpc = "spec.options.accessLoggingService.accessLog[0].grpcService: not implemented yet";
    assert!(said.contains(grpc), "{said}");
    assert_eq!(world.serving().listeners[0].access_logs.len(), 1);
}

#[test]
fn an_operator_that_only_envoys_know_is_told() {
    let world = world("[{fileSink: {path: /a, jsonFormat: {id: '%TRACE_ID%', code: '%RESPONSE_CODE%'}}}]");
    let (state, said) = status(&world);
    assert_eq!(state, Accepted);
    let told =
        "accessLog[0].fileSink.jsonFormat.id: Envoys write %TRACE_ID%, Serin's own data plane writes - in its place";
    assert!(said.contains(told), "{said}");
    assert_eq!(world.serving().listeners[0].access_logs.len(), 1);
}

fn filtered(filter: &str) -> World {
    world(&format!("[{{fileSink: {{path: /a}}, filter: {filter}}}]"))
}

#[test]
fn filters_are_read() {
    let comparison = |op: &str, value: u32| json!({"op": op, "value": value, "runtimeKey": "k"});
    let value = "comparison: {op: GE, value: {defaultValue: 400, runtimeKey: k}}";
    for (filter, read) in [
        (format!("{{statusCodeFilter: {{{value}}}}}"), json!({"status": comparison("GE", 400)})),
        (format!("{{durationFilter: {{{value}}}}}"), json!({"duration": comparison("GE", 400)})),
        (
            "{statusCodeFilter: {comparison: {op: 2, value: {defaultValue: 1, runtimeKey: k}}}}".to_owned(),
            json!({"status": comparison("LE", 1)}),
        ),
        ("{notHealthCheckFilter: {}}".to_owned(), json!("notHealthCheck")),
        ("{traceableFilter: {}}".to_owned(), json!("traceable")),
        (
            "{runtimeFilter: {runtimeKey: k, percentSampled: {numerator: 7, denominator: TEN_THOUSAND}}}".to_owned(),
            json!({"sampled": {"perMillion": 700, "runtimeKey": "k", "independent": false}}),
        ),
        (
            "{andFilter: {filters: [{traceableFilter: {}}, {orFilter: {filters: [{notHealthCheckFilter: {}}, \
             {responseFlagFilter: {flags: [UF]}}]}}]}}"
                .to_owned(),
            json!({"all": ["traceable", {"any": ["notHealthCheck", {"flags": ["UF"]}]}]}),
        ),
        (
            "{headerFilter: {header: {name: X-A, presentMatch: false}}}".to_owned(),
            json!({"header": {"name": "x-a", "value": "present", "invert": true}}),
        ),
        (
            "{headerFilter: {header: {name: ':path', rangeMatch: {start: 1, end: 5}, invertMatch: true}}}".to_owned(),
            json!({"header": {"name": ":path", "value": {"range": [1, 5]}, "invert": true}}),
        ),
        (
            "{grpcStatusFilter: {statuses: [NOT_FOUND, 14], exclude: true}}".to_owned(),
            json!({"grpcStatus": {"statuses": [5, 14], "exclude": true}}),
        ),
    ] {
        let world = filtered(&filter);
        assert_eq!(status(&world), (Accepted, String::new()), "{filter}");
        let filters = &world.serving().listeners[0].access_logs[0].filter;
        assert_eq!(serde_json::to_value(filters).unwrap(), read, "{filter}");
    }
}

#[test]
fn a_filter_at_fault_is_named_by_its_field() {
    const FILTER: &str = "spec.options.accessLoggingService.accessLog[0].filter";
    for (filter, reason) in [
        ("{}", ": it is empty; write one, such as statusCodeFilter"),
        ("{traceableFilter: {}, notHealthCheckFilter: {}}", ": there are several filters; keep one"),
        ("{statusCodeFilter: {}}", ".statusCodeFilter.comparison: it is missing"),
        ("{durationFilter: {comparison: {}}}", ".durationFilter.comparison.value: it is missing"),
        (
            "{statusCodeFilter: {comparison: {value: {defaultValue: 1}}}}",
            ".statusCodeFilter.comparison.value.runtimeKey: it is needed",
        ),
        ("{runtimeFilter: {}}", ".runtimeFilter.runtimeKey: it is needed"),
        (
            "{runtimeFilter: {runtimeKey: k, percentSampled: {numerator: 101}}}",
            ".runtimeFilter.percentSampled.numerator: it is more than the denominator",
        ),
        ("{andFilter: {filters: [{traceableFilter: {}}]}}", ".andFilter.filters: two filters are needed"),
        ("{orFilter: {filters: [{traceableFilter: {}}, {}]}}", ".orFilter.filters[1]: it is empty"),
        ("{headerFilter: {header: {name: 'a b'}}}", ".headerFilter.header.name: \"a b\" is not a header name"),
        (
            "{headerFilter: {header: {name: a, exactMatch: b, suffixMatch: c}}}",
            ".headerFilter.header: there are several",
        ),
        (
            "{headerFilter: {header: {name: a, safeRegexMatch: {regex: '('}}}}",
            ".headerFilter.header.safeRegexMatch.regex: unclosed group",
        ),
        (
            "{responseFlagFilter: {flags: [UF, XX]}}",
            ".responseFlagFilter.flags[1]: \"XX\" is not a response flag; there are LH, UH",
        ),
    ] {
        let (state, said) = status(&filtered(filter));
        assert_eq!(state, Rejected, "{filter}");
        assert!(said.contains(&format!("{FILTER}{reason}")), "{filter}: {said}");
    }
}
