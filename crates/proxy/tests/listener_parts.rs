//! What a listener says of HTTP/1.0, of the case of headers, of whole requests and of its own clients.

mod stage;

use std::net::SocketAddr;
use std::sync::Arc;

use serin_api::proxy::{AddressRange, CircuitBreakers, ConnectionSettings, Http1Settings, HttpSettings, Route};
use serin_api::proxy::{RequestBuffer, RoutePolicy};
use serin_proxy::DataPlane;
use stage::upstream::Upstream;
use stage::*;

fn serve(http: HttpSettings, routes: Vec<Route>, upstream: SocketAddr) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "")])]));
    let mut spec = spec(vec![host("vs", &["named", "default:81"], routes)], &["up"]);
    Arc::make_mut(&mut spec.listeners[0]).http = http;
    plane.apply(Arc::new(spec)).expect("applied");
    let address = address(&plane);
    (plane, address)
}

fn http1(http1: Http1Settings) -> HttpSettings {
    let connections = ConnectionSettings { http1, ..ConnectionSettings::default() };
    HttpSettings { connections, ..HttpSettings::default() }
}

#[test]
fn http_1_0_is_served_as_the_listener_says() {
    let upstream = Upstream::start("one");
    for (accept_http10, default_host, named, nameless) in [
        (None, None, 200, 404),
        (Some(false), Some("default:81"), 426, 426),
        (Some(true), None, 200, 400),
        (Some(true), Some("default:81"), 200, 200),
    ] {
        let default_host = default_host.map(str::to_owned);
        let settings = Http1Settings { accept_http10, default_host, ..Http1Settings::default() };
        let (_plane, address) = serve(http1(settings.clone()), vec![route("/", to("up"))], upstream.address);
        let answer = raw(address, "GET / HTTP/1.0\r\nhost: named\r\n\r\n");
        assert_eq!(status(&answer), named, "{settings:?}");
        let answer = raw(address, "GET / HTTP/1.0\r\n\r\n");
        assert_eq!(status(&answer), nameless, "{settings:?}");
        assert_eq!(answer.contains("host: default:81"), nameless == 200, "{answer}");
        // Nobody else gets a host.
        assert_eq!(status(&raw(address, "GET / HTTP/1.1\r\nconnection: close\r\n\r\n")), 400);
    }
}

#[test]
fn an_old_version_that_is_refused_carries_nothing_further() {
    let upstream = Upstream::start("one");
    let settings = Http1Settings { accept_http10: Some(false), ..Http1Settings::default() };
    let (_plane, address) = serve(http1(settings), vec![route("/", to("up"))], upstream.address);
    let old = "GET / HTTP/1.0\r\nhost: named\r\nconnection: keep-alive\r\n\r\n";
    let answer = raw(address, &format!("{old}GET /second HTTP/1.1\r\nhost: named\r\nconnection: close\r\n\r\n"));
    assert_eq!(answer.matches("HTTP/1.").count(), 1, "{answer}");
    assert_eq!(upstream.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn names_of_response_headers_are_written_with_capitals() {
    let upstream = Upstream::start("one");
    let settings = Http1Settings { proper_case: true, ..Http1Settings::default() };
    let (_plane, address) = serve(http1(settings), vec![route("/", respond(200, "own"))], upstream.address);
    let answer = raw(address, "GET / HTTP/1.1\r\nhost: named\r\nconnection: close\r\n\r\n");
    assert!(
        answer.contains("\r\nContent-Type: text/plain\r\n") && answer.contains("\r\nContent-Length: 3\r\n"),
        "{answer}"
    );
}

#[test]
fn requests_are_held_where_no_route_says_otherwise() {
    let upstream = Upstream::start("one");
    let with = |path: &str, buffer| {
        let policy = RoutePolicy { buffer: Some(buffer), ..RoutePolicy::default() };
        Route { policy: Some(Arc::new(policy)), ..route(path, to("up")) }
    };
    let routes = vec![with("/more", RequestBuffer::UpTo(8)), with("/off", RequestBuffer::Off), route("/", to("up"))];
    let settings = HttpSettings { buffer: Some(4), ..HttpSettings::default() };
    let (_plane, address) = serve(settings, routes, upstream.address);
    for (path, body, expected) in [
        ("/", "four", 200),
        ("/", "fiver", 413),
        ("/more", "eighteen", 200),
        ("/more", "nine bytes", 413),
        ("/off", "nine bytes", 200),
    ] {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: named\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
        let answer = raw(address, &format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
        assert_eq!(status(&answer), expected, "{path} {body}");
        if expected == 200 {
            assert_eq!(answer.contains("transfer-encoding: chunked\n"), path == "/off", "{answer}");
        }
    }
}

#[test]
fn only_ones_own_clients_name_their_requests() {
    let upstream = Upstream::start("one");
    let range = |address: &str, bits| AddressRange { address: address.parse().expect("an address"), bits };
    for (internal, kept) in [
        (None, true),
        (Some(vec![range("10.0.0.0", 8)]), false),
        (Some(vec![range("10.0.0.0", 8), range("127.0.0.0", 8)]), true),
        (Some(vec![range("::", 0)]), false),
    ] {
        let settings = HttpSettings { internal, ..HttpSettings::default() };
        let (_plane, address) = serve(settings, vec![route("/", to("up"))], upstream.address);
        let answer = raw(address, "GET / HTTP/1.1\r\nhost: named\r\nconnection: close\r\nx-request-id: mine\r\n\r\n");
        assert_eq!(answer.contains("x-request-id: mine\n"), kept, "{answer}");
    }
}

#[test]
fn a_buffer_limit_leaves_room_for_what_is_allowed() {
    let upstream = Upstream::start("one");
    let connections = ConnectionSettings { buffer_bytes: Some(1), ..ConnectionSettings::default() };
    let settings = HttpSettings { connections, ..HttpSettings::default() };
    let (_plane, address) = serve(settings, vec![route("/", to("up"))], upstream.address);
    let long = "x".repeat(50_000);
    let head = "POST /upload HTTP/1.1\r\nhost: named\r\nconnection: close\r\n";
    let request = format!("{head}x-long: {long}\r\ncontent-length: 50000\r\n\r\n{long}");
    assert_eq!(status(&raw(address, &request)), 200);
}

#[test]
fn headers_of_the_gateways_own_can_be_left_out() {
    let upstream = Upstream::start("one");
    for suppress_envoy_headers in [false, true] {
        let settings = HttpSettings { suppress_envoy_headers, ..HttpSettings::default() };
        let plane = data_plane();
        plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream.address, "")])]));
        let mut spec = spec(vec![host("vs", &["*"], vec![route("/", to("up"))])], &["up"]);
        let mut cluster = cluster("up");
        cluster.circuit_breakers = CircuitBreakers { requests: Some(0), ..CircuitBreakers::default() };
        spec.clusters.insert("up".into(), Arc::new(cluster));
        Arc::make_mut(&mut spec.listeners[0]).http = settings;
        plane.apply(Arc::new(spec)).expect("applied");
        let answer = get(address(&plane), "/");
        assert_eq!(status(&answer), 503);
        assert_eq!(header(&answer, "x-envoy-overloaded").is_some(), !suppress_envoy_headers, "{answer}");
    }
}
