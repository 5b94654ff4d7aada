//! What is beyond an upstream's limits is turned away at once, or waits its turn.

mod stage;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serin_api::proxy::{AccessLog, AccessLogFormat, CircuitBreakers, ProxySpec, RoutePolicy};
use serin_proxy::{DataPlane, DataPlaneOptions};
use stage::*;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";

/// An upstream whose connections are handed over, to be answered or left.
fn upstream() -> (SocketAddr, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, connections) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
            if sender.send(stream).is_err() {
                return;
            }
        }
    });
    (address, connections)
}

fn next(connections: &Receiver<TcpStream>) -> TcpStream {
    connections.recv_timeout(Duration::from_secs(20)).expect("a connection")
}

/// Reads a request's head.
fn read(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a request");
        seen.push(byte[0]);
    }
}

/// A data plane with so many workers, which sends everything to `upstream` within `limits`.
fn plane(workers: usize, upstream: SocketAddr, limits: CircuitBreakers) -> DataPlane {
    let options = DataPlaneOptions { workers, port_map: [(8080, 0)].into(), ..DataPlaneOptions::default() };
    let plane = DataPlane::start(options).expect("a data plane");
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "")])]));
    plane.apply(Arc::new(spec_within(limits))).expect("applied");
    plane
}

fn spec_within(limits: CircuitBreakers) -> ProxySpec {
    let mut spec = ProxySpec::clone(&spec_of(vec![route("/", to("up"))], &["up"]));
    let mut cluster = cluster("up");
    cluster.circuit_breakers = limits;
    spec.clusters.insert("up".into(), Arc::new(cluster));
    spec
}

fn asking(address: SocketAddr) -> JoinHandle<String> {
    std::thread::spawn(move || get(address, "/"))
}

fn assert_overflow(answer: &str) {
    assert_eq!(status(answer), 503, "{answer}");
    assert_eq!(header(answer, "x-envoy-overloaded"), Some("true"));
    let text = "upstream connect error or disconnect/reset before headers. reset reason: overflow";
    assert_eq!(body(answer), text);
}

#[test]
fn requests_beyond_the_limit_are_turned_away_over_all_workers() {
    let (upstream, connections) = upstream();
    let plane = plane(2, upstream, CircuitBreakers { requests: Some(2), ..CircuitBreakers::default() });
    let address = address(&plane);
    let asked = [asking(address), asking(address)];
    let mut held = [next(&connections), next(&connections)];
    held.iter_mut().for_each(read);
    // Whichever worker takes them.
    for _ in 0..6 {
        assert_overflow(&get(address, "/"));
    }
    assert!(metrics(&plane).contains("serin_upstream_overflows_total 6\n"));
    for stream in &mut held {
        stream.write_all(OK.as_bytes()).expect("written");
    }
    for asked in asked {
        assert_eq!(body(&asked.join().expect("an answer")), "fine");
    }
    // There is room again. The limit may go, too.
    drop(held);
    let again = asking(address);
    let mut stream = next(&connections);
    read(&mut stream);
    stream.write_all(OK.as_bytes()).expect("written");
    assert_eq!(body(&again.join().expect("an answer")), "fine");
}

#[test]
fn a_request_waits_for_a_connection_and_no_more_wait_than_may() {
    let (upstream, connections) = upstream();
    let limits = CircuitBreakers { connections: Some(1), pending: Some(1), ..CircuitBreakers::default() };
    let plane = plane(1, upstream, limits);
    let address = address(&plane);
    let (tell, told) = channel();
    let ask = || {
        let tell = tell.clone();
        std::thread::spawn(move || tell.send(get(address, "/")));
    };
    ask();
    let mut stream = next(&connections);
    read(&mut stream);
    // One of these two waits, whichever; the other is turned away at once.
    ask();
    ask();
    let answer = || told.recv_timeout(Duration::from_secs(20)).expect("an answer");
    assert_overflow(&answer());
    // One connection serves both that are left, one after the other.
    stream.write_all(OK.as_bytes()).expect("written");
    assert_eq!(body(&answer()), "fine");
    read(&mut stream);
    stream.write_all(OK.as_bytes()).expect("written");
    assert_eq!(body(&answer()), "fine");
    assert!(connections.try_recv().is_err(), "no other connection is made");
}

#[test]
fn a_connection_that_ends_makes_room_for_one_that_waits() {
    let (upstream, connections) = upstream();
    let plane = plane(1, upstream, CircuitBreakers { connections: Some(1), ..CircuitBreakers::default() });
    let (first, mut stream) = (asking(address(&plane)), next(&connections));
    read(&mut stream);
    let second = asking(address(&plane));
    stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nend").expect("written");
    assert_eq!(body(&first.join().expect("an answer")), "end");
    let mut stream = next(&connections);
    read(&mut stream);
    stream.write_all(OK.as_bytes()).expect("written");
    assert_eq!(body(&second.join().expect("an answer")), "fine");
}

#[test]
fn no_connection_at_all_is_never_the_limit() {
    let (upstream, connections) = upstream();
    let plane = plane(1, upstream, CircuitBreakers { connections: Some(0), ..CircuitBreakers::default() });
    let asked = asking(address(&plane));
    let mut stream = next(&connections);
    read(&mut stream);
    stream.write_all(OK.as_bytes()).expect("written");
    assert_eq!(body(&asked.join().expect("an answer")), "fine", "a worker may always have one");
}

#[test]
fn a_request_that_waits_is_held_to_its_routes_time() {
    let (upstream, connections) = upstream();
    let plane = plane(1, upstream, CircuitBreakers::default());
    let mut spec = spec_within(CircuitBreakers { connections: Some(1), ..CircuitBreakers::default() });
    let mut quick = route("/quick", to("up"));
    let timeout = Some(serin_api::GoDuration(Duration::from_millis(100)));
    quick.policy = Some(Arc::new(RoutePolicy { timeout, ..RoutePolicy::default() }));
    spec.listeners = spec_of(vec![quick, route("/", to("up"))], &[]).listeners.clone();
    plane.apply(Arc::new(spec)).expect("applied");
    let (first, mut stream) = (asking(address(&plane)), next(&connections));
    read(&mut stream);
    assert_eq!(status(&get(address(&plane), "/quick")), 504);
    stream.write_all(OK.as_bytes()).expect("written");
    assert_eq!(body(&first.join().expect("an answer")), "fine");
}

#[test]
fn an_access_log_tells_of_what_was_turned_away() {
    let (upstream, connections) = upstream();
    let limits = CircuitBreakers { requests: Some(0), ..CircuitBreakers::default() };
    let plane = plane(1, upstream, limits);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let mut spec = spec_within(limits);
    for listener in &mut spec.listeners {
        let format = AccessLogFormat::Text("%RESPONSE_CODE% %RESPONSE_FLAGS%\n".to_owned());
        Arc::make_mut(listener).access_logs =
            vec![AccessLog { path: path.display().to_string(), format, filter: None }];
    }
    plane.apply(Arc::new(spec)).expect("applied");
    assert_overflow(&get(address(&plane), "/"));
    eventually("there is a line", || std::fs::read_to_string(&path).is_ok_and(|log| log == "503 UO\n"));
    assert!(connections.try_recv().is_err(), "nothing was asked of the upstream");
}
