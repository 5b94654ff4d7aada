//! Requests that are held until they are whole.

mod stage;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serin_api::GoDuration;
use serin_api::proxy::{
    Action, AddedHeader, Forward, HeaderChanges, HeaderEdits, HostPolicy, PathRewrite, RequestBuffer, Route,
    RoutePolicy, Shadow, ShadowHost, VirtualHost,
};
use serin_proxy::DataPlane;
use stage::scripted::{read_head, scripted};
use stage::upstream::Upstream;
use stage::*;

fn with(path: &str, policy: RoutePolicy) -> Route {
    Route { policy: Some(Arc::new(policy)), ..route(path, to("up")) }
}

fn held(limit: u32) -> RoutePolicy {
    RoutePolicy { buffer: Some(RequestBuffer::UpTo(limit)), ..RoutePolicy::default() }
}

fn plane(upstream: SocketAddr, host_limit: Option<u32>, routes: Vec<Route>) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "")])]));
    let policy = HostPolicy { buffer: host_limit.map(RequestBuffer::UpTo), ..HostPolicy::default() };
    let host =
        Arc::new(VirtualHost { policy: Some(Arc::new(policy)), ..VirtualHost::clone(&host("vs", &["*"], routes)) });
    plane.apply(Arc::new(spec(vec![host], &["up"]))).expect("applied");
    let address = address(&plane);
    (plane, address)
}

fn post(path: &str, framed: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{framed}")
}

#[test]
fn the_upstream_gets_it_whole_with_its_length() {
    let (upstream, told) = scripted(|_, stream| {
        let mut body = [0; 5];
        stream.read_exact(&mut body).unwrap();
        assert_eq!(&body, b"hello");
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    });
    let (_plane, address) = plane(upstream, None, vec![with("/", held(5))]);
    let mut client = connect(address);
    client.write_all(post("/", "transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n").as_bytes()).unwrap();
    assert!(told.try_recv().is_err(), "it is not whole yet");
    client.write_all(b"3\r\nllo\r\n0\r\nx-sum: 1\r\n\r\n").unwrap();
    assert_eq!(status(&read_head(&mut client)), 200);
    let head = told.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!((header(&head, "content-length"), header(&head, "transfer-encoding")), (Some("5"), None));
}

#[test]
fn a_request_that_is_too_long_is_refused() {
    let upstream = Upstream::start("one");
    let (_plane, address) = plane(upstream.address, None, vec![with("/upload", held(10))]);
    for (framed, expected) in [
        ("content-length: 10\r\n\r\n0123456789", 200),
        ("content-length: 11\r\n\r\n0123456789.", 413),
        ("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n", 200),
        ("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\nhello.\r\n", 413),
        ("\r\n", 200),
    ] {
        let answer = raw(address, &post("/upload", framed));
        assert_eq!(status(&answer), expected, "{framed}: {answer}");
        if expected == 413 {
            assert_eq!((body(&answer), header(&answer, "connection")), ("Payload Too Large", Some("close")));
        }
    }
}

#[test]
fn one_that_is_too_long_is_refused_wherever_it_would_go() {
    let upstream = Upstream::start("one");
    let by_header = Action::Forward(Forward::ClusterHeader("x-to".to_owned()));
    let by_header = Route { policy: Some(Arc::new(held(10))), ..route("/", by_header) };
    let (_plane, address) = plane(upstream.address, None, vec![by_header]);
    for (body, expected) in
        [("content-length: 10\r\n\r\n0123456789", 503), ("content-length: 11\r\n\r\n0123456789.", 413)]
    {
        let answer = raw(address, &post("/", &format!("x-to: nowhere\r\n{body}")));
        assert_eq!(status(&answer), expected, "{answer}");
    }
}

#[test]
fn what_is_refused_is_answered_as_it_came() {
    let upstream = Upstream::start("one");
    let added = |name: &str, value: &str| HeaderEdits {
        add: vec![AddedHeader { name: name.to_owned(), value: value.to_owned(), append: false }],
        ..HeaderEdits::default()
    };
    let (request, response) = (added("x-user", "changed"), added("x-told", "%REQ(x-user)% %REQ(:path)%"));
    let headers = Some(HeaderChanges { request, response });
    let path_rewrite = Some(PathRewrite::Prefix("/new".to_owned()));
    let policy = RoutePolicy { headers, path_rewrite, ..held(10) };
    let (_plane, address) = plane(upstream.address, None, vec![with("/upload", policy)]);
    for (length, expected) in [(10, "changed /new"), (11, "ann /upload")] {
        let text = "x".repeat(length);
        let answer = raw(address, &post("/upload", &format!("x-user: ann\r\ncontent-length: {length}\r\n\r\n{text}")));
        assert_eq!(header(&answer, "x-told"), Some(expected), "{answer}");
    }
}

#[test]
fn the_most_specific_word_holds() {
    let upstream = Upstream::start("one");
    let off = RoutePolicy { buffer: Some(RequestBuffer::Off), ..RoutePolicy::default() };
    let routes = vec![with("/upload/off", off), with("/upload/more", held(20)), route("/upload", to("up"))];
    let (_plane, address) = plane(upstream.address, Some(10), routes);
    let fifteen = "content-length: 15\r\n\r\n0123456789abcde";
    for (path, expected) in [("/upload/off", 200), ("/upload/more", 200), ("/upload", 413)] {
        assert_eq!(status(&raw(address, &post(path, fifteen))), expected, "{path}");
    }
}

#[test]
fn a_client_that_stands_still_is_not_waited_for() {
    let upstream = Upstream::start("one");
    let idle_timeout = Some(GoDuration(Duration::from_millis(100)));
    let (_plane, address) = plane(upstream.address, None, vec![with("/", RoutePolicy { idle_timeout, ..held(10) })]);
    let answer = raw(address, &post("/", "content-length: 5\r\n\r\nhe"));
    assert_eq!((status(&answer), body(&answer)), (408, "stream timeout"));
    assert_eq!(upstream.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn what_is_held_is_copied_too() {
    let upstream = Upstream::start("one");
    let shadow = Shadow { cluster: "up".into(), per_million: 1_000_000, host: ShadowHost::Suffixed };
    let (plane, address) =
        plane(upstream.address, None, vec![with("/upload", RoutePolicy { shadow: Some(shadow), ..held(10) })]);
    let answer = raw(address, &post("/upload", "content-length: 2\r\n\r\nab"));
    assert_eq!(status(&answer), 200);
    eventually("the copy is sent", || metrics(&plane).contains("serin_shadows_sent_total 1\n"));
}
