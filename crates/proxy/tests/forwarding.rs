//! Requests to upstreams and back, over HTTP/1.1.

mod stage;

use stage::upstream::Upstream;
use stage::*;

#[test]
fn a_request_reaches_its_upstream_and_says_where_it_came_from() {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    let answer = get(address, "/a/b?c=d");
    assert_eq!(status(&answer), 200, "{answer}");
    for line in ["one", "GET /a/b?c=d HTTP/1.1", "host: test", "x-forwarded-for: 127.0.0.1", "x-forwarded-proto: http"]
    {
        assert!(body(&answer).lines().any(|have| have == line), "{line}\n{answer}");
    }
    assert!(answer.contains("\nx-request-id: "), "{answer}");
    assert!(header(&answer, "date").is_some());
}

#[test]
fn connections_to_upstreams_are_used_again() {
    let upstream = Upstream::start("one");
    let (plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    let mut client = connect(address);
    for _ in 0..50 {
        use std::io::{Read, Write};
        client.write_all(b"GET /status/200 HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
        let mut answer = [0; 4096];
        let n = client.read(&mut answer).unwrap();
        assert!(answer[..n].starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    assert_eq!(upstream.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
    eventually("the requests are counted", || {
        metrics(&plane).contains("serin_requests_total{listener=\"test.gw\",route=\"route /\",upstream=\"up\",version=\"v1\",code_class=\"2xx\"} 50")
    });
}

#[test]
fn nothing_matches_nobody_listens_nobody_is_there() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_plane, address) =
        serve(vec![route("/up", to("up")), route("/none", to("none")), route("/fixed", respond(418, "tea"))], closed);
    let answer = get(address, "/other");
    assert_eq!((status(&answer), body(&answer)), (404, ""));
    assert_eq!(header(&answer, "content-length"), Some("0"));
    let answer = get(address, "/none");
    assert_eq!((status(&answer), body(&answer)), (503, "no healthy upstream"));
    assert_eq!(header(&answer, "content-type"), Some("text/plain"));
    let answer = get(address, "/up");
    assert_eq!(status(&answer), 503);
    assert!(body(&answer).starts_with("upstream connect error or disconnect/reset before headers."), "{answer}");
    let answer = get(address, "/fixed");
    assert_eq!((status(&answer), body(&answer)), (418, "tea"));
}
