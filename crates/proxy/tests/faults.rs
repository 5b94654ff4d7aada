//! Routes that fail on purpose, requests that stand still, and protocols that are not to be switched to.

mod stage;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serin_api::GoDuration;
use serin_api::proxy::{Abort, Delay, Faults, RoutePolicy};
use serin_proxy::DataPlane;
use stage::scripted::{read_head, scripted};
use stage::upstream::Upstream;
use stage::*;

fn millis(millis: u64) -> GoDuration {
    GoDuration(Duration::from_millis(millis))
}

fn with(policy: RoutePolicy, upstream: SocketAddr) -> (DataPlane, SocketAddr) {
    let mut route = route("/", to("up"));
    route.policy = Some(Arc::new(policy));
    serve(vec![route], upstream)
}

fn faults(abort: Option<(u32, u16)>, delay: Option<(u32, u64)>) -> RoutePolicy {
    let abort = abort.map(|(per_million, status)| Abort { per_million, status });
    let delay = delay.map(|(per_million, time)| Delay { per_million, time: millis(time) });
    RoutePolicy { faults: Some(Faults { abort, delay }), ..RoutePolicy::default() }
}

#[test]
fn all_requests_some_or_none_are_aborted() {
    let upstream = Upstream::start("one");
    let (_all, address) = with(faults(Some((1_000_000, 418)), None), upstream.address);
    let answer = get(address, "/");
    assert_eq!((status(&answer), body(&answer)), (418, "fault filter abort"));
    assert_eq!(header(&answer, "content-type"), Some("text/plain"));

    let (_none, address) = with(faults(Some((0, 418)), None), upstream.address);
    assert_eq!(status(&get(address, "/")), 200);

    let (_half, address) = with(faults(Some((500_000, 418)), None), upstream.address);
    let aborted = (0..200).filter(|_| status(&get(address, "/")) == 418).count();
    // Ten standard deviations.
    assert!((30..170).contains(&aborted), "{aborted}");
}

#[test]
fn a_request_is_held_up_and_then_forwarded_or_aborted() {
    let upstream = Upstream::start("one");
    for (abort, expected) in [(None, 200), (Some((1_000_000, 503)), 503)] {
        let (_plane, address) = with(faults(abort, Some((1_000_000, 120))), upstream.address);
        let begun = Instant::now();
        assert_eq!(status(&get(address, "/")), expected);
        assert!(begun.elapsed() >= Duration::from_millis(120));
    }
    let late = RoutePolicy { timeout: Some(millis(10)), ..faults(None, Some((1_000_000, 400))) };
    let (_plane, address) = with(late, upstream.address);
    assert_eq!(status(&get(address, "/")), 200, "the route's time begins afterwards");
}

#[test]
fn a_request_that_stands_still_ends() {
    let upstream = Upstream::start("one");
    let idle = || RoutePolicy { idle_timeout: Some(millis(200)), timeout: Some(millis(0)), ..RoutePolicy::default() };
    let (_plane, address) = with(idle(), upstream.address);
    assert_eq!(status(&get(address, "/")), 200);

    let silent = get(address, "/hang");
    assert_eq!((status(&silent), body(&silent)), (504, "stream timeout"));

    let unfinished = raw(address, "POST /upload HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhe");
    assert_eq!((status(&unfinished), body(&unfinished)), (408, "stream timeout"));

    let broken = get(address, "/slow-body");
    assert!(!broken.ends_with("0\r\n\r\n"), "{broken}");
}

#[test]
fn a_request_that_moves_goes_on() {
    let (upstream, _told) = scripted(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").unwrap();
        // Longer than it may stand still, but never still for so long.
        for _ in 0..8 {
            std::thread::sleep(Duration::from_millis(60));
            stream.write_all(b"x").unwrap();
        }
    });
    let idle = RoutePolicy { idle_timeout: Some(millis(300)), ..RoutePolicy::default() };
    let (_plane, address) = with(idle, upstream);
    let answer = get(address, "/");
    assert!(answer.ends_with("0\r\n\r\n"), "{answer}");
    assert_eq!(answer.matches('x').count(), 8, "{answer}");
}

#[test]
fn websocket_can_be_forbidden() {
    let (upstream, _told) = scripted(|_, stream| {
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
            .unwrap();
    });
    let asks = |protocol: &str| {
        format!(
            "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: {protocol}\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"
        )
    };
    for (websocket, expected) in [(Some(false), 403), (Some(true), 101), (None, 101)] {
        let (_plane, address) = with(RoutePolicy { websocket, ..RoutePolicy::default() }, upstream);
        let mut client = connect(address);
        client.write_all(asks("WebSocket").as_bytes()).unwrap();
        assert_eq!(status(&read_head(&mut client)), expected, "{websocket:?}");
    }
    let (_plane, address) = with(RoutePolicy { websocket: Some(false), ..RoutePolicy::default() }, upstream);
    let answer = raw(address, &asks("websocket"));
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "nothing after it is served: {answer}");
}
