//! How long requests and connections may take from beginning to end.

mod stage;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serin_api::GoDuration;
use serin_api::proxy::{ConnectionSettings, HttpSettings, MaxStreamDuration, Route, RoutePolicy};
use serin_proxy::DataPlane;
use stage::upstream::Upstream;
use stage::*;

const HANG: &str = "GET /hang HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
const UNSENT: &str = "POST /upload HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\na";

fn time(text: &str) -> Option<GoDuration> {
    GoDuration::parse(text)
}

fn serve(connections: ConnectionSettings, route: Route, upstream: SocketAddr) -> DataPlane {
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "")])]));
    let mut spec = spec(vec![host("vs", &["*"], vec![route])], &["up"]);
    Arc::make_mut(&mut spec.listeners[0]).http = HttpSettings { connections, ..HttpSettings::default() };
    plane.apply(Arc::new(spec)).expect("applied");
    plane
}

fn limited(limits: MaxStreamDuration) -> Route {
    let policy = RoutePolicy { max_stream_duration: Some(limits), ..RoutePolicy::default() };
    Route { policy: Some(Arc::new(policy)), ..route("/", to("up")) }
}

#[test]
fn a_request_ends_when_its_time_is_over() {
    let upstream = Upstream::start("one");
    let connections = ConnectionSettings { max_stream_duration: time("200ms"), ..Default::default() };
    let plane = serve(connections.clone(), route("/", to("up")), upstream.address);
    let answer = raw(address(&plane), HANG);
    assert_eq!((status(&answer), body(&answer)), (504, "downstream duration timeout"));
    // What the client has not sent is not waited for.
    let answer = raw(address(&plane), UNSENT);
    assert_eq!((status(&answer), body(&answer)), (408, "downstream duration timeout"));
    assert_eq!(header(&answer, "connection"), Some("close"));
    assert_eq!(status(&get(address(&plane), "/")), 200);

    let policy = RoutePolicy {
        buffer: Some(serin_api::proxy::RequestBuffer::UpTo(10)),
        faults: Some(
            serde_json::from_value(serde_json::json!({"delay": {"perMillion": 1_000_000, "time": "1h"}}))
                .expect("faults"),
        ),
        ..RoutePolicy::default()
    };
    let held = Route { policy: Some(Arc::new(policy)), ..route("/", to("up")) };
    let plane = serve(connections, held, upstream.address);
    assert_eq!(status(&raw(address(&plane), UNSENT)), 408);
    assert_eq!(status(&raw(address(&plane), HANG)), 504);
}

#[test]
fn a_response_that_has_begun_is_broken_off() {
    let upstream = Upstream::start("one");
    let connections = ConnectionSettings { max_stream_duration: time("200ms"), ..Default::default() };
    let plane = serve(connections, route("/", to("up")), upstream.address);
    let answer = get(address(&plane), "/slow-body");
    assert_eq!(status(&answer), 200);
    assert!(answer.contains("begun") && !answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[test]
fn a_route_has_its_own_time_and_grpc_calls_have_theirs() {
    let upstream = Upstream::start("one");
    let forever = ConnectionSettings { max_stream_duration: time("1ms"), ..Default::default() };
    let plane = serve(forever, limited(MaxStreamDuration { most: time("0"), ..Default::default() }), upstream.address);
    assert_eq!(status(&get(address(&plane), "/")), 200);

    let limits = MaxStreamDuration { grpc_most: time("300ms"), grpc_offset: time("100ms"), ..Default::default() };
    let plane = serve(ConnectionSettings::default(), limited(limits), upstream.address);
    let ask = |timeout: &str| {
        let head = "POST /hang HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-type: application/grpc\r\n";
        raw(address(&plane), &format!("{head}content-length: 0\r\ngrpc-timeout: {timeout}\r\n\r\n"))
    };
    // More than is granted, nothing, and less than is taken off.
    for timeout in ["1H", "0S", "50m"] {
        let answer = ask(timeout);
        let told = (status(&answer), header(&answer, "grpc-status"), header(&answer, "grpc-message"));
        assert_eq!(told, (200, Some("4"), Some("downstream duration timeout")), "{timeout}");
    }
}

#[test]
fn a_request_has_to_arrive_in_time() {
    let upstream = Upstream::start("one");
    let connections = ConnectionSettings { request_timeout: time("200ms"), ..Default::default() };
    let plane = serve(connections, route("/", to("up")), upstream.address);
    let answer = raw(address(&plane), UNSENT);
    assert_eq!((status(&answer), body(&answer)), (408, "request timeout"));
    assert_eq!(status(&get(address(&plane), "/")), 200);
}

/// The head of the answer to one more request on an open connection.
fn ask(client: &mut TcpStream) -> String {
    client.write_all(b"HEAD /status/204 HTTP/1.1\r\nhost: h\r\n\r\n").expect("written");
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\n") && matches!(client.read(&mut byte), Ok(1)) {
        answer.push(byte[0]);
    }
    String::from_utf8(answer).expect("text")
}

#[test]
fn who_waits_for_nothing_may_ask_once_more_when_the_gateway_stops() {
    let upstream = Upstream::start("one");
    for (drain, asks) in [("10m", true), ("0", false)] {
        let connections = ConnectionSettings { drain: time(drain), ..Default::default() };
        let plane = serve(connections, route("/", to("up")), upstream.address);
        let mut client = connect(address(&plane));
        assert_eq!(header(&ask(&mut client), "connection"), None);
        let at = address(&plane);
        let draining = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(plane.drain(Duration::from_secs(20)));
        });
        eventually("nobody listens", || TcpStream::connect(at).is_err());
        if asks {
            assert_eq!(header(&ask(&mut client), "connection"), Some("close"));
        }
        assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
        draining.join().expect("drained");
    }
}
