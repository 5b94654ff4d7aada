//! What a virtual host says of retries, and what upstreams and clients are told of them.

mod stage;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use serin_api::GoDuration;
use serin_api::proxy::{
    AddedHeader, BackOff, HeaderChanges, HeaderEdits, HostPolicy, Retries, RetryCondition, Route, RoutePolicy,
    VirtualHost,
};
use serin_proxy::DataPlane;
use stage::scripted::scripted;
use stage::*;

const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nx-envoy-attempt-count: 70\r\nconnection: close\r\n\r\n";
const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const COUNT: &str = "x-envoy-attempt-count";

fn retries(on: &[RetryCondition], times: u32) -> Retries {
    let base = GoDuration(Duration::from_millis(1));
    Retries {
        on: on.iter().copied().collect(),
        times,
        per_try_timeout: None,
        back_off: Some(BackOff { base, max: None }),
        status_codes: Vec::new(),
        rate_limited: None,
    }
}

fn counting(retries: Option<Retries>) -> HostPolicy {
    HostPolicy { retries, attempts_in_request: true, attempts_in_response: true, ..HostPolicy::default() }
}

fn with(route: Route, retries: Retries) -> Route {
    Route { policy: Some(Arc::new(RoutePolicy { retries: Some(retries), ..RoutePolicy::default() })), ..route }
}

/// A data plane that serves `routes` on a host with the options `policy`.
fn plane(upstream: SocketAddr, policy: HostPolicy, routes: Vec<Route>) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "")])]));
    let host =
        Arc::new(VirtualHost { policy: Some(Arc::new(policy)), ..VirtualHost::clone(&host("vs", &["*"], routes)) });
    plane.apply(Arc::new(spec(vec![host], &["up", "none"]))).expect("applied");
    let address = address(&plane);
    (plane, address)
}

fn answers(answers: &'static [&'static str]) -> (SocketAddr, Receiver<String>) {
    scripted(move |number, stream| {
        let _ = stream.write_all(answers[number.min(answers.len() - 1)].as_bytes());
    })
}

/// What each try told of its number.
fn told(tries: &Receiver<String>) -> Vec<String> {
    let count = |head: String| header(&head, COUNT).map(str::to_owned).unwrap_or_default();
    tries.try_iter().map(count).collect()
}

#[test]
fn a_hosts_retries_hold_where_a_route_has_none() {
    let (upstream, tries) = answers(&[BUSY]);
    let routes = vec![
        with(route("/never", to("up")), retries(&[], 5)),
        with(route("/own", to("up")), retries(&[RetryCondition::GatewayError], 1)),
        with(route("/other", to("up")), retries(&[RetryCondition::Reset], 1)),
        route("/", to("up")),
    ];
    let policy = HostPolicy { retries: Some(retries(&[RetryCondition::ServerError], 3)), ..HostPolicy::default() };
    let (_plane, address) = plane(upstream, policy, routes);
    for (path, expected) in [("/never", 1), ("/own", 2), ("/other", 1), ("/", 4)] {
        assert_eq!(status(&get(address, path)), 503);
        assert_eq!(tries.try_iter().count(), expected, "{path}");
    }
}

#[test]
fn tries_are_counted_for_the_upstream_and_the_client() {
    let (upstream, tries) = answers(&[BUSY, BUSY, FINE]);
    let policy = counting(Some(retries(&[RetryCondition::ServerError], 2)));
    let routes = vec![route("/none", to("none")), route("/said", respond(200, "said")), route("/", to("up"))];
    let (_plane, address) = plane(upstream, policy, routes);
    let answer =
        raw(address, &format!("GET / HTTP/1.1\r\nhost: test\r\n{COUNT}: 7\r\n{COUNT}: 8\r\nconnection: close\r\n\r\n"));
    assert_eq!((status(&answer), header(&answer, COUNT)), (200, Some("3")));
    assert_eq!(told(&tries), ["1", "2", "3"]);
    assert_eq!(header(&get(address, "/none"), COUNT), Some("1"));
    assert_eq!(header(&get(address, "/said"), COUNT), None, "no try was made");
}

#[test]
fn nothing_is_counted_unasked() {
    let (upstream, tries) = answers(&[BUSY]);
    let (_plane, address) = plane(upstream, HostPolicy::default(), vec![route("/", to("up"))]);
    let answer = raw(address, &format!("GET / HTTP/1.1\r\nhost: test\r\n{COUNT}: 7\r\nconnection: close\r\n\r\n"));
    assert_eq!(header(&answer, COUNT), Some("70"), "the upstream's own word");
    assert_eq!(told(&tries), ["7"]);
}

/// Header changes see the first try's number and may replace it; those of later tries are the gateway's again.
#[test]
fn header_changes_come_between() {
    let (upstream, tries) = answers(&[BUSY, FINE]);
    let add = |name: &str, value: &str| AddedHeader { name: name.to_owned(), value: value.to_owned(), append: false };
    let edits = |add| HeaderEdits { remove: Vec::new(), add };
    let headers = HeaderChanges {
        request: edits(vec![add("x-seen", "%REQ(x-envoy-attempt-count)%"), add(COUNT, "99")]),
        response: edits(vec![add(COUNT, "98")]),
    };
    let own = RoutePolicy { headers: Some(headers), ..RoutePolicy::default() };
    let changed = Route { policy: Some(Arc::new(own)), ..route("/", to("up")) };
    let policy = counting(Some(retries(&[RetryCondition::ServerError], 1)));
    let (_plane, address) = plane(upstream, policy, vec![changed]);
    assert_eq!(header(&get(address, "/"), COUNT), Some("2"));
    let heads: Vec<_> = tries.try_iter().collect();
    assert_eq!(heads.iter().map(|head| header(head, COUNT)).collect::<Vec<_>>(), [Some("99"), Some("2")]);
    assert!(heads.iter().all(|head| header(head, "x-seen") == Some("1")), "{heads:?}");
}

#[test]
fn a_failure_says_that_it_was_tried_again() {
    let away = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    for (times, expected) in [
        (None, "reset reason: remote connection failure"),
        (Some(2), "retried and the latest reset reason: remote connection failure"),
    ] {
        let retries = times.map(|times| retries(&[RetryCondition::ConnectFailure], times));
        let (_plane, address) = plane(away, counting(retries), vec![route("/", to("up"))]);
        let answer = get(address, "/");
        assert_eq!(status(&answer), 503);
        let text = format!("upstream connect error or disconnect/reset before headers. {expected}");
        assert_eq!(body(&answer), text);
        let tries = times.map_or(1, |times| times + 1).to_string();
        assert_eq!(header(&answer, COUNT), Some(tries.as_str()));
    }
}
