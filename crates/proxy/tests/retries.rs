//! Requests that are tried again: after which responses and failures, how often, where, and for how long.

mod stage;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serin_api::GoDuration;
use serin_api::proxy::{BackOff, Retries, RetryCondition, RoutePolicy};
use serin_proxy::DataPlane;
use stage::scripted::{read_head, scripted};
use stage::*;

fn millis(millis: u64) -> GoDuration {
    GoDuration(Duration::from_millis(millis))
}

fn retries(on: &[RetryCondition], times: u32) -> Retries {
    Retries {
        on: on.iter().copied().collect::<BTreeSet<_>>(),
        times,
        per_try_timeout: None,
        back_off: Some(BackOff { base: millis(1), max: None }),
        status_codes: vec![404],
        rate_limited: None,
    }
}

fn policy(retries: Retries) -> RoutePolicy {
    RoutePolicy { retries: Some(retries), ..RoutePolicy::default() }
}

/// A data plane that sends everything to `upstreams` and does with it what `policy` says.
fn plane(upstreams: &[SocketAddr], policy: RoutePolicy) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    let all: Vec<_> = upstreams.iter().map(|upstream| endpoint(*upstream, "")).collect();
    plane.set_endpoints(endpoints(&[("up", &all)]));
    let mut route = route("/", to("up"));
    route.policy = Some(Arc::new(policy));
    plane.apply(spec_of(vec![route], &["up"])).expect("applied");
    let address = address(&plane);
    (plane, address)
}

/// An upstream that gives these answers in turn, each on a connection of its own; the last one for ever.
fn answers(answers: &'static [&'static str]) -> (SocketAddr, Receiver<String>) {
    scripted(move |number, stream| {
        let answer = answers[number.min(answers.len() - 1)];
        let _ = stream.write_all(answer.as_bytes());
    })
}

const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbusy";
const MISSING: &str = "HTTP/1.1 404 Missing\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nfine";
const SILENCE: &str = "";

/// An address that nobody listens on.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

#[test]
fn a_response_that_asks_for_it_is_tried_again() {
    use RetryCondition as On;
    for (on, script, expected, tries) in [
        (On::ServerError, &[BUSY, FINE] as &[_], 200, 2),
        (On::GatewayError, &[BUSY, BUSY, FINE], 200, 3),
        (On::GatewayError, &[BUSY, BUSY, BUSY, FINE], 503, 3),
        (On::RetriableStatusCodes, &[MISSING, FINE], 200, 2),
        (On::Retriable4xx, &[MISSING, FINE], 404, 1),
        (On::Reset, &[BUSY, FINE], 503, 1),
        (On::Reset, &[SILENCE, FINE], 200, 2),
        (On::ServerError, &[SILENCE, "nonsense\r\n\r\n", FINE], 200, 3),
        (On::ConnectFailure, &[SILENCE, FINE], 503, 1),
    ] {
        let (upstream, told) = answers(Box::leak(script.to_vec().into_boxed_slice()));
        let (_plane, address) = plane(&[upstream], policy(retries(&[on], 2)));
        let answer = get(address, "/path");
        assert_eq!(status(&answer), expected, "{on:?} {script:?}: {answer}");
        assert_eq!(told.try_iter().count(), tries, "{on:?} {script:?}");
    }
}

#[test]
fn the_last_response_is_the_clients() {
    let (upstream, _told) = answers(&[BUSY]);
    let (plane, address) = plane(&[upstream], policy(retries(&[RetryCondition::ServerError], 1)));
    let answer = get(address, "/");
    assert_eq!((status(&answer), body(&answer)), (503, "busy"));
    assert!(metrics(&plane).contains("serin_upstream_retries_total 1\n"));
}

#[test]
fn a_retry_goes_to_another_endpoint() {
    let (bad, asked) = answers(&[BUSY]);
    let (good, _told) = answers(&[FINE]);
    let (_plane, address) = plane(&[bad, good], policy(retries(&[RetryCondition::ServerError], 1)));
    for _ in 0..20 {
        assert_eq!(status(&get(address, "/")), 200);
    }
    assert!(asked.try_iter().count() > 5);
}

#[test]
fn an_endpoint_that_is_away_is_tried_again_when_the_route_says_so() {
    let away = nobody();
    let (_plane, address) = plane(&[away], policy(retries(&[RetryCondition::ConnectFailure], 50)));
    let answer = std::thread::spawn(move || get(address, "/"));
    // It comes while it is looked for: 50 tries last longer than this, and fewer are refused.
    let listener = TcpListener::bind(away).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_head(&mut stream);
            stream.write_all(FINE.as_bytes()).unwrap();
        }
    });
    assert_eq!(status(&answer.join().unwrap()), 200);
}

/// Reads a body of `length` bytes.
fn read_body(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("the whole body");
    body
}

#[test]
fn a_body_is_sent_again_whole() {
    let chunked = [b"C350\r\n".as_slice(), &[b'y'; 50_000], b"\r\n0\r\n\r\n"].concat();
    for (head, sent, last) in [
        ("content-length: 50001", [vec![b'x'; 50_000], vec![b'.']].concat(), b".".as_slice()),
        ("transfer-encoding: chunked", chunked, b"\r\n0\r\n\r\n"),
    ] {
        let (tell, told) = std::sync::mpsc::channel();
        let (upstream, _heads) = scripted(move |number, stream| {
            let mut body = Vec::new();
            while !body.ends_with(last) {
                body.extend(read_body(stream, 1));
            }
            tell.send(body.iter().filter(|byte| matches!(byte, b'x' | b'y')).count()).unwrap();
            stream.write_all([BUSY, FINE][number.min(1)].as_bytes()).unwrap();
        });
        let (_plane, address) = plane(&[upstream], policy(retries(&[RetryCondition::ServerError], 1)));
        let mut client = connect(address);
        write!(client, "POST / HTTP/1.1\r\nhost: h\r\n{head}\r\n\r\n").unwrap();
        client.write_all(&sent).unwrap();
        assert_eq!(status(&read_head(&mut client)), 200);
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [50_000, 50_000], "{head}");
    }
}

#[test]
fn a_body_that_is_too_long_to_keep_is_sent_once() {
    const LENGTH: usize = 1024 * 1024 + 1;
    let (upstream, told) = scripted(|_, stream| {
        read_body(stream, LENGTH);
        stream.write_all(BUSY.as_bytes()).unwrap();
    });
    let (_plane, address) = plane(&[upstream], policy(retries(&[RetryCondition::ServerError], 1)));
    let mut client = connect(address);
    write!(client, "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {LENGTH}\r\n\r\n").unwrap();
    client.write_all(&vec![b'x'; LENGTH]).unwrap();
    assert_eq!(status(&read_head(&mut client)), 503);
    assert_eq!(told.try_iter().count(), 1);
}

#[test]
fn each_try_has_a_time_of_its_own() {
    // The first connection is left open, without an answer.
    let (upstream, told) = scripted(|number, stream| match number {
        0 => std::mem::forget(stream.try_clone()),
        _ => stream.write_all(FINE.as_bytes()).unwrap(),
    });
    let per_try = |on: &[_]| Retries { per_try_timeout: Some(millis(50)), ..retries(on, 1) };
    let (_plane, address) = plane(&[upstream], policy(per_try(&[RetryCondition::Reset])));
    assert_eq!(status(&get(address, "/")), 200);
    assert_eq!(told.try_iter().count(), 2);

    let (upstream, told) = scripted(|_, stream| std::mem::forget(stream.try_clone()));
    let (_plane, address) = plane(&[upstream], policy(per_try(&[RetryCondition::RetriableStatusCodes])));
    let answer = get(address, "/");
    assert_eq!((status(&answer), body(&answer)), (504, "upstream request timeout"));
    assert_eq!(told.try_iter().count(), 1, "a condition that silence does not meet");
}

#[test]
fn the_routes_timeout_bounds_all_tries() {
    let (upstream, _told) = scripted(|_, stream| std::mem::forget(stream.try_clone()));
    let many = Retries { per_try_timeout: Some(millis(20)), ..retries(&[RetryCondition::ServerError], 1_000_000) };
    let (_plane, address) =
        plane(&[upstream], RoutePolicy { timeout: Some(millis(300)), retries: Some(many), ..RoutePolicy::default() });
    let begun = Instant::now();
    let answer = get(address, "/");
    assert_eq!((status(&answer), body(&answer)), (504, "upstream request timeout"));
    assert!(begun.elapsed() >= Duration::from_millis(300));

    // While it waits for the next try as well.
    let (upstream, _told) = answers(&[BUSY]);
    let long = BackOff { base: GoDuration(Duration::from_secs(3600)), max: None };
    let slow = Retries { back_off: Some(long), ..retries(&[RetryCondition::ServerError], 1) };
    let (_plane, address) =
        plane(&[upstream], RoutePolicy { timeout: Some(millis(100)), retries: Some(slow), ..RoutePolicy::default() });
    assert_eq!(status(&get(address, "/")), 504);
}

#[test]
fn retries_never_storm() {
    let (upstream, _told) = answers(&[BUSY]);
    // Whoever is to be tried again waits for ever, so that those after find the budget spent.
    let long = BackOff { base: GoDuration(Duration::from_secs(100_000)), max: None };
    let slow = Retries { back_off: Some(long), ..retries(&[RetryCondition::ServerError], 1) };
    let (plane, address) = plane(&[upstream], policy(slow));
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let mut client = connect(address);
            client.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
            client
        })
        .collect();
    eventually("three requests wait for their next try", || {
        metrics(&plane).contains("serin_upstream_retries_total 3\n")
    });
    assert_eq!(status(&get(address, "/")), 503);
    assert!(metrics(&plane).contains("serin_upstream_retries_refused_total 1\n"));
    drop(waiting);
    // They have left: there is room again.
    eventually("a request may be tried again", || {
        let mut client = connect(address);
        client.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
        client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        client.read(&mut [0]).is_err()
    });
}
