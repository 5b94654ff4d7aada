//! Access logs, in real files.

mod stage;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use serin_api::proxy::{AccessLog, AccessLogFormat, Endpoint, ProxySpec};
use serin_proxy::{Limits, UpstreamHealth};
use stage::upstream::Upstream;
use stage::*;

/// A file of this test's own, which is removed in the end.
struct LogPath(PathBuf);

impl LogPath {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("serin-access-log-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self(path)
    }

    /// The lines, once there are `count`.
    fn lines(&self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        eventually("the lines are written", || {
            lines = std::fs::read_to_string(&self.0).unwrap_or_default().lines().map(str::to_owned).collect();
            lines.len() >= count
        });
        lines
    }
}

impl Drop for LogPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn text(path: &Path, format: &str) -> AccessLog {
    AccessLog { path: path.display().to_string(), format: AccessLogFormat::Text(format.to_owned()), filter: None }
}

fn with_logs(mut spec: ProxySpec, logs: Vec<AccessLog>) -> Arc<ProxySpec> {
    for listener in &mut spec.listeners {
        Arc::make_mut(listener).access_logs.clone_from(&logs);
    }
    Arc::new(spec)
}

#[test]
fn each_request_is_a_line_in_text_and_one_in_json() {
    let upstream = Upstream::start("one");
    let (plain, object) = (LogPath::new("text"), LogPath::new("json"));
    let Value::Object(fields) = json!({
        "code": "%RESPONSE_CODE%", "agent": "%REQ(user-agent)%", "flags": "%RESPONSE_FLAGS%", "to": "%UPSTREAM_CLUSTER%",
        "both": "%REQ(:METHOD)% %PROTOCOL%", "length": "%RESP(content-length)%", "deep": {"sent": "%BYTES_SENT%"},
        "took": "%DURATION%", "route": "%ROUTE_NAME%", "id": 7
    }) else {
        panic!("an object")
    };
    let logs = vec![
        text(
            &plain.0,
            "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% \
            %REQ(:AUTHORITY):3% %REQ(x-no?x-forwarded-for)% %UPSTREAM_HOST% %RESPONSE_CODE_DETAILS% %START_TIME(%Y)%\n",
        ),
        AccessLog { path: object.0.display().to_string(), format: AccessLogFormat::Json(fields), filter: None },
    ];
    let plane = data_plane_with(Limits { route_time: Duration::from_millis(200), ..Limits::default() });
    // `none` has a host name that no resolver knows.
    let nowhere = Endpoint { host: "nowhere.invalid".to_owned(), ..endpoint(upstream.address, "") };
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream.address, "")]), ("none", &[nowhere])]));
    let routes = vec![route("/up", to("up")), route("/none", to("none")), route("/hang", to("up"))];
    let spec = spec(vec![host("vs", &["*"], routes)], &["up", "none"]);
    plane.apply(with_logs(spec, logs)).expect("applied");
    let address = address(&plane);
    let to = upstream.address;

    let upload = "POST /upload HTTP/1.1\r\nhost: test\r\ncontent-length: 5\r\nuser-agent: me\r\n";
    for (request, line) in [
        (
            format!("{upload}connection: close\r\n\r\nhello"),
            format!("POST /upload 200 - 5 tes 127.0.0.1 {to} via_upstream"),
        ),
        (
            "GET /none HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /none 503 UH 0 tes 127.0.0.1 - no_healthy_upstream".to_owned(),
        ),
        (
            "GET /other HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /other 404 NR 0 tes 127.0.0.1 - route_not_found".to_owned(),
        ),
        (
            "GET /hang HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n".to_owned(),
            format!("GET /hang 504 UT 0 tes 127.0.0.1 {to} response_timeout"),
        ),
    ] {
        raw(address, &request);
        let lines = plain.lines(1);
        let last = lines.last().expect("a line");
        assert!(last.starts_with(&format!("{line} 20")), "{last}");
        let _ = std::fs::remove_file(&plain.0);
    }
    eventually("the resolver's word", || {
        let health = plane.health();
        let [UpstreamHealth { cluster, endpoints: 0, unresolved, .. }] = &health[..] else { return false };
        let [host] = &unresolved[..] else { return false };
        cluster.as_str() == "none" && host.host == "nowhere.invalid" && host.reason.is_some() && !host.known
    });
    let lines = object.lines(4);
    let first: Value = serde_json::from_str(&lines[0]).expect("JSON");
    assert!(first["took"].is_u64(), "{first}");
    for (field, value) in [
        ("code", json!(200)),
        ("agent", json!("me")),
        ("flags", json!("-")),
        ("to", json!("up")),
        ("both", json!("POST HTTP/1.1")),
        ("route", json!("route /up")),
        ("id", json!(7)),
    ] {
        assert_eq!(first[field], value, "{field} in {first}");
    }
    assert!(first["deep"]["sent"].as_u64().is_some_and(|sent| sent > 0), "{first}");
}

#[test]
fn a_client_that_leaves_and_an_upstream_that_cannot_be_reached_have_flags() {
    let upstream = Upstream::start("one");
    let path = LogPath::new("flags");
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("an address");
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream.address, "")]), ("down", &[endpoint(closed, "")])]));
    let routes = vec![route("/down", to("down")), route("/", to("up"))];
    let logs = vec![text(&path.0, "%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS%\n")];
    plane.apply(with_logs(spec(vec![host("vs", &["*"], routes)], &["up", "down"]), logs)).expect("applied");
    let address = address(&plane);
    get(address, "/down");
    assert_eq!(path.lines(1), ["/down 503 UF"]);
    let mut client = connect(address);
    std::io::Write::write_all(&mut client, b"GET /hang HTTP/1.1\r\nhost: h\r\n\r\n").expect("written");
    eventually("the upstream has it", || upstream.connections.load(std::sync::atomic::Ordering::SeqCst) > 0);
    drop(client);
    assert_eq!(path.lines(2)[1], "/hang 0 DC");
}

#[test]
fn a_file_that_is_moved_is_opened_anew() {
    let upstream = Upstream::start("one");
    let (path, moved) = (LogPath::new("moved"), LogPath::new("moved-away"));
    let plane = single_worker(upstream.address);
    let logs = vec![text(&path.0, "%REQ(:PATH)%\n")];
    let spec = spec(vec![host("vs", &["*"], vec![route("/", to("up"))])], &["up"]);
    plane.apply(with_logs(spec, logs)).expect("applied");
    let address = address(&plane);
    get(address, "/first");
    assert_eq!(path.lines(1), ["/first"]);
    std::fs::rename(&path.0, &moved.0).expect("moved");
    get(address, "/second");
    assert_eq!(path.lines(1), ["/second"]);
    assert_eq!(moved.lines(1), ["/first"]);
    assert!(metrics(&plane).contains("serin_access_log_dropped_total 0\n"));
}

/// A pipe that nobody reads takes no lines: they are dropped and counted, and requests are answered as ever.
#[test]
fn a_file_that_takes_nothing_holds_up_no_request() {
    const REQUESTS: usize = 9_000;
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let upstream = Upstream::start("one");
    let plane = single_worker(upstream.address);
    let logs = vec![text(&pipe, &format!("{}\n", "x".repeat(4096)))];
    let answer = serin_api::proxy::Action::DirectResponse { status: 200, body: String::new() };
    let spec = spec(vec![host("vs", &["*"], vec![route("/", answer)])], &["up"]);
    plane.apply(with_logs(spec, logs)).expect("applied");
    let mut client = connect(address(&plane));
    let mut writer = client.try_clone().expect("a clone");
    let writing = std::thread::spawn(move || {
        for _ in 1..REQUESTS {
            std::io::Write::write_all(&mut writer, b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").expect("written");
        }
        let last = b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
        std::io::Write::write_all(&mut writer, last).expect("written");
    });
    let mut answers = String::new();
    std::io::Read::read_to_string(&mut client, &mut answers).expect("answers");
    writing.join().expect("written");
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), REQUESTS);
    let metrics = metrics(&plane);
    let dropped = metrics.lines().find_map(|line| line.strip_prefix("serin_access_log_dropped_total "));
    let dropped: usize = dropped.expect("a counter").parse().expect("a number");
    assert!((1..REQUESTS).contains(&dropped), "{dropped}");
}
