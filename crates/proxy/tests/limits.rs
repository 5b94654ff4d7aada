//! Limits hold, and a request that breaks one is answered as the field's documents say.

mod stage;

use std::io::{Read, Write};
use std::time::Duration;

use serin_proxy::Limits;
use stage::upstream::Upstream;
use stage::*;

fn serve_with(limits: Limits, upstream: std::net::SocketAddr) -> (serin_proxy::DataPlane, std::net::SocketAddr) {
    let plane = data_plane_with(limits);
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "v1")])]));
    plane.apply(spec_of(vec![route("/", to("up"))], &["up"])).expect("applied");
    let address = address(&plane);
    (plane, address)
}

#[test]
fn headers_have_a_size_and_a_count_and_a_target_has_a_length() {
    let upstream = Upstream::start("one");
    let limits = Limits { header_bytes: 4096, header_count: 20, uri_bytes: 1000, ..Limits::default() };
    let (_plane, address) = serve_with(limits, upstream.address);
    let ask = |path: &str, headers: &str| {
        status(&raw(address, &format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{headers}\r\n")))
    };
    assert_eq!(ask("/", &"x-a: b\r\n".repeat(18)), 200);
    assert_eq!(ask("/", &"x-a: b\r\n".repeat(19)), 431);
    assert_eq!(ask("/", &format!("x-a: {}\r\n", "b".repeat(3500))), 200);
    assert_eq!(ask("/", &format!("x-a: {}\r\n", "b".repeat(4096))), 431);
    assert_eq!(ask(&format!("/{}", "a".repeat(999)), ""), 200);
    assert_eq!(ask(&format!("/{}", "a".repeat(1000)), ""), 414);
}

#[test]
fn an_upstream_that_does_not_answer_is_given_up() {
    let upstream = Upstream::start("one");
    let limits = Limits { route_time: Duration::from_millis(200), ..Limits::default() };
    let (plane, address) = serve_with(limits, upstream.address);
    let answer = get(address, "/hang");
    assert_eq!((status(&answer), body(&answer)), (504, "upstream request timeout"));
    // A response that has begun cannot be taken back: it breaks off.
    let answer = get(address, "/slow-body");
    assert!(answer.contains("begun") && !answer.ends_with("0\r\n\r\n"), "{answer}");
    assert!(metrics(&plane).contains("serin_upstream_timeouts_total 1\n"));
    assert_eq!(status(&get(address, "/")), 200);
}

#[test]
fn clients_that_say_nothing_or_too_little_are_let_go() {
    let upstream = Upstream::start("one");
    let limits = Limits {
        header_time: Duration::from_millis(300),
        idle_time: Duration::from_millis(300),
        stall_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let (_plane, address) = serve_with(limits, upstream.address);
    let waiting = [
        "",
        "GET / HT",
        "PRI * HTTP/2.0",
        "GET / HTTP/1.1\r\nhost: h\r\nx-a",
        "POST /upload HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc",
        "GET /status/200 HTTP/1.1\r\nhost: h\r\n\r\n",
        "GET /hang HTTP/1.1\r\nhost: h\r\n\r\n",
    ]
    .map(|begun| {
        let mut client = connect(address);
        client.write_all(begun.as_bytes()).unwrap();
        (begun, client)
    });
    for (begun, mut client) in waiting {
        // It ends: the read returns before its own limit of 20 s.
        match client.read_to_end(&mut Vec::new()) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{begun:?}"),
        }
    }
}

#[test]
fn connections_beyond_the_limit_are_closed_at_once() {
    let upstream = Upstream::start("one");
    let (plane, address) = serve_with(Limits { connections_per_worker: 1, ..Limits::default() }, upstream.address);
    // Two workers take one each; the kernel chooses which, so there are more than enough.
    let held: Vec<_> = (0..40).map(|_| connect(address)).collect();
    eventually("each worker holds one at the most, and all others are refused", || {
        let said = metrics(&plane);
        let read = |name: &str| -> usize {
            let line = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|number| number.parse().ok()).unwrap_or_default()
        };
        let active = read("serin_connections_active");
        (1..=2).contains(&active) && active + read("serin_connections_refused_total") == held.len()
    });
    drop(held);
    eventually("there is room again", || {
        raw(address, "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").contains("200 OK")
    });
}
