//! What an Upstream says of its connections: how much of a response they take, and when they are given up.
#![allow(clippy::unwrap_used)]

mod stage;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use serin_api::proxy::{Cluster, Connections, Transport};
use serin_proxy::DataPlane;
use stage::scripted::{read_head, scripted};
use stage::*;

/// A data plane with one worker and one cluster, `up`, that is like `cluster`.
fn plane(upstreams: &[SocketAddr], cluster: Cluster) -> (DataPlane, SocketAddr) {
    let plane = single_worker(upstreams[0]);
    let all: Vec<_> = upstreams.iter().map(|upstream| endpoint(*upstream, "")).collect();
    plane.set_endpoints(endpoints(&[("up", &all)]));
    let mut spec = spec(vec![host("vs", &["*"], vec![route("/", to("up"))])], &[]);
    spec.clusters.insert("up".into(), Arc::new(cluster));
    plane.apply(Arc::new(spec)).unwrap();
    let address = address(&plane);
    (plane, address)
}

fn with(connections: Connections) -> Cluster {
    Cluster { transport: Transport { connections, ..Transport::default() }, ..cluster("up") }
}

#[test]
fn a_response_with_too_many_headers_is_not_passed_on() {
    for (extra, expected) in [(1, 200), (2, 502)] {
        let (upstream, _told) = scripted(move |_, stream| {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{}\r\n", "x: y\r\n".repeat(extra));
        });
        let (_plane, address) =
            plane(&[upstream], with(Connections { max_headers: Some(2), ..Connections::default() }));
        let answer = get(address, "/");
        assert_eq!(status(&answer), expected, "{answer}");
        assert_eq!(expected == 502, body(&answer).ends_with("reset reason: protocol error"), "{answer}");
    }
}

#[test]
fn a_small_buffer_passes_large_responses_on_whole() {
    let (upstream, _told) = scripted(|_, stream| {
        let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 300000\r\n\r\n", "h".repeat(5000));
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&vec![b'b'; 300_000]));
    });
    let (_plane, address) =
        plane(&[upstream], with(Connections { buffer_bytes: Some(1024), ..Connections::default() }));
    let answer = get(address, "/");
    assert_eq!((status(&answer), body(&answer).len()), (200, 300_000));
    assert_eq!(header(&answer, "x").map(str::len), Some(5000));
}

/// An upstream that answers two requests on each connection, and tells of every connection.
fn patient() -> (SocketAddr, Receiver<String>) {
    scripted(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
        if !read_head(stream).is_empty() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
    })
}

#[test]
fn connections_are_given_up_with_other_endpoints_where_that_is_asked_for() {
    for (closes_on_change, expected) in [(false, 1), (true, 2)] {
        let ((one, told), (other, _)) = (patient(), patient());
        let (plane, address) = plane(&[one], Cluster { closes_on_change, ..cluster("up") });
        assert_eq!(status(&get(address, "/")), 200);
        // The other one comes and goes: those that stay are the same, and so is what the next request finds.
        for upstreams in [&[one, other] as &[_], &[one]] {
            let all: Vec<_> = upstreams.iter().map(|upstream| endpoint(*upstream, "")).collect();
            plane.set_endpoints(endpoints(&[("up", &all)]));
        }
        assert_eq!(status(&get(address, "/")), 200);
        drop(plane);
        assert_eq!(told.iter().take(expected).count(), expected);
        assert_eq!(told.try_iter().count(), 0, "{closes_on_change}");
    }
}
