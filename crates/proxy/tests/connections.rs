//! What a listener lets a client's connection use: time, requests, headers, and which protocol.

mod stage;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use serin_api::GoDuration;
use serin_api::proxy::{Codec, ConnectionSettings, HttpSettings};
use serin_proxy::DataPlane;
use stage::upstream::Upstream;
use stage::*;

fn serve_with(connections: ConnectionSettings, upstream: SocketAddr) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "")])]));
    let mut spec = spec(vec![host("vs", &["*"], vec![route("/", to("up"))])], &["up"]);
    Arc::make_mut(&mut spec.listeners[0]).http = HttpSettings { connections, ..HttpSettings::default() };
    plane.apply(Arc::new(spec)).expect("applied");
    let address = address(&plane);
    (plane, address)
}

/// One request on an open connection; the answer's head.
fn ask(client: &mut TcpStream, path: &str) -> String {
    write!(client, "GET {path} HTTP/1.1\r\nhost: h\r\n\r\n").expect("written");
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") && matches!(client.read(&mut byte), Ok(1)) {
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).expect("text");
    let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    client.read_exact(&mut vec![0; length]).expect("the body");
    head
}

/// Whether the other side closes the connection.
fn closes(client: &mut TcpStream) -> bool {
    matches!(client.read(&mut [0; 1]), Ok(0) | Err(_))
}

#[test]
fn a_connection_carries_so_many_requests() {
    let upstream = Upstream::start("one");
    let (_plane, address) =
        serve_with(ConnectionSettings { max_requests: Some(2), ..Default::default() }, upstream.address);
    let mut client = connect(address);
    assert_eq!(header(&ask(&mut client, "/"), "connection"), None);
    assert_eq!(header(&ask(&mut client, "/"), "connection"), Some("close"));
    assert!(closes(&mut client));
}

#[test]
fn an_old_connection_ends_with_its_next_response() {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve_with(
        ConnectionSettings { max_duration: GoDuration::parse("100ms"), ..Default::default() },
        upstream.address,
    );
    let mut client = connect(address);
    assert_eq!(header(&ask(&mut client, "/"), "connection"), None);
    eventually("the last response says so", || header(&ask(&mut client, "/"), "connection") == Some("close"));
    assert!(closes(&mut client));
}

#[test]
fn connections_that_stand_still_are_let_go() {
    let upstream = Upstream::start("one");
    let idle = ConnectionSettings { idle_timeout: GoDuration::parse("200ms"), ..Default::default() };
    let (_plane, address) = serve_with(idle, upstream.address);
    let mut client = connect(address);
    ask(&mut client, "/");
    assert!(closes(&mut client));

    let headers = ConnectionSettings { request_headers_timeout: GoDuration::parse("200ms"), ..Default::default() };
    let (_plane, address) = serve_with(headers, upstream.address);
    let mut client = connect(address);
    client.write_all(b"GET / HTTP/1.1\r\nhost:").expect("written");
    assert!(closes(&mut client));
}

#[test]
fn requests_that_stand_still_are_answered() {
    let upstream = Upstream::start("one");
    let still = ConnectionSettings { stream_idle_timeout: GoDuration::parse("200ms"), ..Default::default() };
    let (_plane, address) = serve_with(still, upstream.address);
    let answer = get(address, "/hang");
    assert_eq!((status(&answer), body(&answer)), (504, "stream timeout"));
    let answer = get(address, "/slow-body");
    assert!(answer.contains("begun") && !answer.ends_with("0\r\n\r\n"), "{answer}");
    let answer = raw(address, "POST /upload HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nabc");
    assert_eq!((status(&answer), body(&answer)), (408, "stream timeout"));
}

#[test]
fn headers_have_a_size_and_a_count() {
    let upstream = Upstream::start("one");
    let small = ConnectionSettings { header_kib: Some(1), header_count: Some(5), ..Default::default() };
    let (_plane, address) = serve_with(small, upstream.address);
    let ask = |headers: &str| {
        status(&raw(address, &format!("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{headers}\r\n")))
    };
    assert_eq!(ask(&"x-a: b\r\n".repeat(3)), 200);
    assert_eq!(ask(&"x-a: b\r\n".repeat(4)), 431);
    assert_eq!(ask(&format!("x-a: {}\r\n", "b".repeat(900))), 200);
    assert_eq!(ask(&format!("x-a: {}\r\n", "b".repeat(1100))), 431);
}

#[test]
fn only_the_protocol_that_was_asked_for_is_spoken() {
    let upstream = Upstream::start("one");
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let begins = |codec, request: &str| {
        let (_plane, address) = serve_with(ConnectionSettings { codec, ..Default::default() }, upstream.address);
        let mut client = connect(address);
        client.write_all(request.as_bytes()).expect("written");
        let mut begun = [0; 4];
        client.read_exact(&mut begun).ok().map(|()| begun == *b"HTTP")
    };
    let plain = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";
    assert_eq!(begins(Codec::Http1, plain), Some(true));
    assert_eq!(begins(Codec::Http1, preface), None, "the connection is closed");
    assert_eq!(begins(Codec::Auto, preface), Some(false));
    assert_eq!(begins(Codec::Http2, preface), Some(false));
    assert_ne!(begins(Codec::Http2, plain), Some(true));
}
