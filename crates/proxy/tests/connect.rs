//! CONNECT: tunnels to a route's own upstream, where its options allow them, and nowhere else.

mod stage;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serin_api::GoDuration;
use serin_api::gateway::{ConnectMatcher, HeaderMatcher, Matcher};
use serin_api::proxy::{Action, CircuitBreakers, Cluster, Connect, ProxySpec, Route, RoutePolicy};
use serin_proxy::DataPlane;
use stage::upstream::Upstream;
use stage::*;

/// What CONNECT with the header `mode` is for.
fn connecting(mode: &str, action: Action, policy: RoutePolicy) -> Route {
    let header = HeaderMatcher { name: "mode".to_owned(), value: mode.to_owned(), ..HeaderMatcher::default() };
    let matcher = Matcher { connect_matcher: Some(ConnectMatcher {}), headers: vec![header], ..Matcher::default() };
    Route { matchers: vec![matcher], policy: Some(Arc::new(policy)), ..route("/", action) }
}

fn carrying(connect: Connect) -> RoutePolicy {
    RoutePolicy { connect: Some(connect), ..RoutePolicy::default() }
}

fn spec() -> ProxySpec {
    let idle = Some(GoDuration(Duration::from_millis(300)));
    let timeout = Some(GoDuration(Duration::from_millis(300)));
    let routes = vec![
        connecting("ends", to("up"), carrying(Connect::Terminate)),
        connecting("passes", to("up"), RoutePolicy { timeout, ..carrying(Connect::Forward) }),
        connecting("idle", to("up"), RoutePolicy { idle_timeout: idle, ..carrying(Connect::Terminate) }),
        connecting("away", to("away"), carrying(Connect::Terminate)),
        connecting("nobody", to("none"), carrying(Connect::Terminate)),
        connecting("closed", to("up"), RoutePolicy::default()),
        connecting("said", respond(200, "said"), carrying(Connect::Terminate)),
        Route { policy: Some(Arc::new(carrying(Connect::Terminate))), ..route("/", to("up")) },
    ];
    (*spec_of(routes, &["up", "away", "none"])).clone()
}

fn plane(upstream: SocketAddr) -> DataPlane {
    let plane = data_plane();
    let away = SocketAddr::from(([127, 0, 0, 1], 1));
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "")]), ("away", &[endpoint(away, "")])]));
    plane.apply(Arc::new(spec())).expect("applied");
    plane
}

fn asking(mode: &str) -> String {
    format!("CONNECT elsewhere.test:25 HTTP/1.1\r\nhost: elsewhere.test:25\r\nmode: {mode}\r\n\r\n")
}

fn head(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).ok(), Some(1), "{}", String::from_utf8_lossy(&seen));
        seen.push(byte[0]);
    }
    String::from_utf8(seen).expect("text")
}

fn told(stream: &mut TcpStream, bytes: usize) -> String {
    let mut seen = vec![0; bytes];
    stream.read_exact(&mut seen).expect("bytes");
    String::from_utf8(seen).expect("text")
}

#[test]
fn a_tunnel_that_begins_here_goes_to_the_routes_own_upstream_as_it_is() {
    let upstream = TcpListener::bind("127.0.0.1:0").expect("a port");
    let plane = plane(upstream.local_addr().expect("an address"));
    let mut client = connect(address(&plane));
    // What is not a line of HTTP does not wait for the answer.
    client.write_all(format!("{}early\n\0bytes", asking("ends")).as_bytes()).expect("sent");
    let (mut server, _) = upstream.accept().expect("a connection");
    let answer = head(&mut client);
    assert_eq!(status(&answer), 200);
    assert!(header(&answer, "content-length").is_none() && header(&answer, "transfer-encoding").is_none(), "{answer}");
    assert!(header(&answer, "mode").is_none() && header(&answer, "host").is_none(), "{answer}");
    assert_eq!(told(&mut server, 12), "early\n\0bytes", "no header reaches the upstream");
    server.write_all(b"GET / HTTP/1.1\r\n").expect("sent");
    assert_eq!(told(&mut client, 16), "GET / HTTP/1.1\r\n");
    // Each side's end is passed on by itself.
    client.shutdown(Shutdown::Write).expect("shut");
    assert_eq!(server.read(&mut [0]).expect("an end"), 0);
    server.write_all(b"still").expect("sent");
    assert_eq!(told(&mut client, 5), "still");
    drop(server);
    assert_eq!(client.read(&mut [0]).expect("an end"), 0);
    eventually("it is counted", || metrics(&plane).contains("code_class=\"2xx\"} 1"));
}

#[test]
fn a_tunnel_that_the_upstream_opens_is_asked_for_as_the_client_did() {
    let upstream = TcpListener::bind("127.0.0.1:0").expect("a port");
    let plane = plane(upstream.local_addr().expect("an address"));
    let mut client = connect(address(&plane));
    client.write_all(asking("passes").as_bytes()).expect("sent");
    let (mut server, _) = upstream.accept().expect("a connection");
    let asked = head(&mut server);
    assert!(asked.starts_with("CONNECT elsewhere.test:25 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("host: elsewhere.test:25\r\n") && asked.contains("mode: passes\r\n"), "{asked}");
    assert!(asked.contains("x-forwarded-for: 127.0.0.1\r\n") && !asked.contains("content-length"), "{asked}");
    server.write_all(b"HTTP/1.1 204 Fine\r\nx-up: 1\r\ncontent-length: 9\r\n\r\nfirst").expect("sent");
    let answer = head(&mut client);
    assert_eq!((status(&answer), header(&answer, "x-up"), header(&answer, "content-length")), (204, Some("1"), None));
    assert_eq!(told(&mut client, 5), "first");
    client.write_all(b"ping").expect("sent");
    assert_eq!(told(&mut server, 4), "ping");
}

#[test]
fn an_upstream_may_decline_or_say_nothing() {
    let said = [
        ("HTTP/1.1 407 No\r\ncontent-length: 3\r\n\r\nwho", 407),
        ("HTTP/1.1 101 No\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", 502),
        ("nonsense\r\n\r\n", 502),
        ("", 504),
    ];
    // All at once: who is refused is listened to for a while.
    std::thread::scope(|scope| {
        for (says, expected) in said {
            scope.spawn(move || decline(says, expected));
        }
    });
}

/// An upstream says `says`, and the client hears `expected`.
fn decline(says: &str, expected: u16) {
    let upstream = TcpListener::bind("127.0.0.1:0").expect("a port");
    let plane = plane(upstream.local_addr().expect("an address"));
    let mut client = connect(address(&plane));
    let after = "GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n";
    client.write_all(format!("{}{after}", asking("passes")).as_bytes()).expect("sent");
    let (mut server, _) = upstream.accept().expect("a connection");
    head(&mut server);
    server.write_all(says.as_bytes()).expect("sent");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an end");
    assert_eq!(status(&answer), expected, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "nothing after it is served: {answer}");
}

#[test]
fn nothing_else_is_tunnelled() {
    let upstream = Upstream::start("one");
    let plane = plane(upstream.address);
    let after = "GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n";
    let modes = [("other", 404), ("closed", 403), ("said", 403), ("away", 503), ("nobody", 503)];
    let modes = modes.map(|(mode, expected)| (format!("{}{after}", asking(mode)), expected));
    let others = [
        ("CONNECT elsewhere.test:25 HTTP/1.0\r\nhost: elsewhere.test:25\r\nmode: ends\r\n\r\n", 403),
        ("CONNECT /ends HTTP/1.1\r\nhost: h\r\nmode: ends\r\n\r\n", 400),
        ("CONNECT http://h/ HTTP/1.1\r\nhost: h\r\nmode: ends\r\n\r\n", 400),
        ("CONNECT h:99999 HTTP/1.1\r\nhost: h\r\nmode: ends\r\n\r\n", 400),
        ("CONNECT u@h:1 HTTP/1.1\r\nhost: h\r\nmode: ends\r\n\r\n", 400),
        ("CONNECT h:1 HTTP/1.1\r\nhost: h\r\nmode: ends\r\ncontent-length: 1\r\n\r\nx", 400),
        ("CONNECT h:1 HTTP/1.1\r\nhost: h\r\nmode: ends\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        // Another method on a route that carries CONNECT is a request like any other.
        ("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n", 200),
    ];
    let others = others.map(|(request, expected)| (request.to_owned(), expected));
    // All at once: who is refused is listened to for a while.
    let address = address(&plane);
    std::thread::scope(|scope| {
        for (request, expected) in modes.iter().chain(&others) {
            scope.spawn(move || {
                let answer = raw(address, request);
                assert_eq!(status(&answer), *expected, "{request}: {answer}");
                assert!(!answer.contains("smuggled"), "nothing after it is served: {answer}");
            });
        }
    });
    assert!(!metrics(&plane).contains("smuggled"));
}

#[test]
fn a_tunnel_that_stands_still_ends_and_takes_up_its_room_until_then() {
    let upstream = TcpListener::bind("127.0.0.1:0").expect("a port");
    let plane = plane(upstream.local_addr().expect("an address"));
    let mut limited = spec();
    let breakers = CircuitBreakers { requests: Some(1), ..CircuitBreakers::default() };
    limited.clusters.insert("up".into(), Arc::new(Cluster { circuit_breakers: breakers, ..cluster("up") }));
    plane.apply(Arc::new(limited)).expect("applied");
    let mut first = connect(address(&plane));
    first.write_all(asking("idle").as_bytes()).expect("sent");
    assert_eq!(status(&head(&mut first)), 200);
    let (_server, _) = upstream.accept().expect("a connection");
    assert_eq!(status(&raw(address(&plane), "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")), 503);
    assert_eq!(first.read(&mut [0]).expect("an end"), 0);
    eventually("there is room again", || {
        let mut next = connect(address(&plane));
        next.write_all(asking("idle").as_bytes()).expect("sent");
        status(&head(&mut next)) == 200
    });
}

#[test]
fn curl_goes_through_a_tunnel() {
    let upstream = Upstream::start("one");
    let plane = plane(upstream.address);
    let proxy = format!("http://{}", address(&plane));
    let told =
        curl(&["--proxytunnel", "--proxy", &proxy, "--proxy-header", "mode: ends", "http://elsewhere.test/path"]);
    let Some(told) = told else { return };
    assert!(told.starts_with("one\nGET /path HTTP/1.1\n") && told.contains("host: elsewhere.test\n"), "{told}");
    assert!(!told.contains("mode") && !told.contains("x-forwarded-for"), "{told}");
}
