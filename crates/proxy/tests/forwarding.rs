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

#[test]
fn bodies_stream_both_ways() {
    use std::io::{Read, Write};
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.address);

    // With a length, in one go.
    let payload = vec![7_u8; 3 * 1024 * 1024];
    let mut client = connect(address);
    let head =
        format!("POST /upload HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", payload.len());
    client.write_all(head.as_bytes()).unwrap();
    client.write_all(&payload).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(&format!("{} {}", payload.len(), payload.len() * 7)), "{answer}");

    // In chunks, with a trailer.
    let answer = raw(
        address,
        "POST /upload HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
         3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 9\r\n\r\n",
    );
    assert!(answer.contains("5 495 {\"x-sum\": \"9\"}"), "{answer}");

    // A GET may have a body too.
    let answer = raw(
        address,
        "GET /upload HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    );
    assert!(answer.contains("1 97"), "{answer}");

    assert!(get(address, "/big").len() > 10 * 1024 * 1024);
    assert!(get(address, "/chunked").contains("4\r\none \r\n3\r\ntwo\r\n0\r\n"));

    // The beginning of a response arrives though its end never comes.
    let mut client = connect(address);
    client.write_all(b"GET /slow-body HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("begun") {
        let mut some = [0; 512];
        let n = client.read(&mut some).unwrap();
        assert!(n > 0, "{seen:?}");
        seen.extend_from_slice(&some[..n]);
    }
}

#[test]
fn an_upload_waits_for_an_upstream_that_does_not_read() {
    use std::io::{ErrorKind, Write};
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.local_addr().unwrap());
    let mut client = connect(address);
    client.set_nonblocking(true).unwrap();
    let _ = client.write(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000000000\r\n\r\n").unwrap();
    let (held, _) = upstream.accept().unwrap();
    let (mut sent, mut stuck) = (0_usize, 0);
    let chunk = vec![1; 64 * 1024];
    // Stuck for as long as nothing moves, again and again: the buffers of four sockets are full, and no memory grows.
    while stuck < 100 {
        match client.write(&chunk) {
            Ok(n) => (sent, stuck) = (sent + n, 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stuck += 1;
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            Err(error) => panic!("{error}"),
        }
        assert!(sent < 100_000_000, "{sent} bytes were taken for an upstream that reads none");
    }
    drop(held);
}

#[test]
fn trailers_of_a_response_arrive_where_they_are_wanted() {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    let answer = raw(address, "GET /trailers HTTP/1.1\r\nhost: h\r\nte: trailers\r\nconnection: close, te\r\n\r\n");
    assert!(answer.ends_with("4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n"), "{answer}");
}

#[test]
fn headers_of_one_connection_stay_on_it() {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    let answer = get(address, "/hop");
    assert_eq!(header(&answer, "x-public"), Some("1"));
    for gone in ["x-private", "keep-alive"] {
        assert_eq!(header(&answer, gone), None, "{answer}");
    }
    let answer = raw(
        address,
        "GET / HTTP/1.1\r\nhost: h\r\nconnection: close, x-gone\r\nx-gone: 1\r\nkeep-alive: 5\r\nproxy-connection: a\r\n\
         te: gzip\r\nx-stays: 1\r\nx-forwarded-for: 9.9.9.9\r\nx-forwarded-proto: https\r\n\r\n",
    );
    let lines: Vec<&str> = body(&answer).lines().collect();
    for gone in ["x-gone", "keep-alive", "proxy-connection", "te:", "connection"] {
        assert!(!lines.iter().any(|line| line.starts_with(gone)), "{gone}\n{answer}");
    }
    for there in ["x-stays: 1", "x-forwarded-for: 9.9.9.9,127.0.0.1", "x-forwarded-proto: http"] {
        assert!(lines.contains(&there), "{there}\n{answer}");
    }
}

#[test]
fn old_and_odd_requests_are_understood() {
    let upstream = Upstream::start("one");
    let hosts = vec![
        host("a", &["a.test"], vec![route("/", to("up"))]),
        host("any", &["*"], vec![route("/", respond(200, "any"))]),
    ];
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream.address, "v1")])]));
    plane.apply(std::sync::Arc::new(spec(hosts, &["up"]))).unwrap();
    let address = address(&plane);

    // HTTP/1.0, without a host and with one.
    let answer = raw(address, "GET / HTTP/1.0\r\n\r\n");
    assert_eq!(body(&answer), "any", "{answer}");
    let answer = raw(address, "GET /chunked HTTP/1.0\r\nhost: a.test\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\none two"), "no chunks for a client that does not know them: {answer}");

    // The whole URL as target outranks Host; the upstream gets a path.
    let answer = raw(address, "GET http://a.test/x?y HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n");
    assert!(answer.contains("GET /x?y HTTP/1.1\n") && answer.contains("host: a.test\n"), "{answer}");

    let answer = raw(address, "HEAD /status/200 HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n");
    assert_eq!((status(&answer), body(&answer)), (200, ""));
    assert!(header(&answer, "content-length").is_some(), "{answer}");
    for empty in [204, 304] {
        let answer =
            raw(address, &format!("GET /status/{empty} HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n"));
        assert_eq!((status(&answer), body(&answer)), (empty, ""));
    }
    assert_eq!(status(&raw(address, "OPTIONS * HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n")), 404);
    assert_eq!(
        status(&raw(address, "CONNECT a.test:80 HTTP/1.1\r\nhost: a.test:80\r\nconnection: close\r\n\r\n")),
        404
    );
}

#[test]
fn a_client_that_expects_100_is_told_to_continue() {
    use std::io::{Read, Write};
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/up", to("up")), route("/no", respond(403, "no"))], upstream.address);
    let mut client = connect(address);
    client
        .write_all(b"POST /upload HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut told = [0; 25];
    client.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"abc").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("3 294"), "{answer}");
    // Who is turned away is not asked for the body first.
    let answer = raw(
        address,
        "POST /no HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(status(&answer), 403);
}

#[test]
fn a_connection_that_the_upstream_closed_costs_no_request() {
    use std::io::{Read, Write};
    // An upstream that says it keeps the connection and closes it once the second request is there.
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to_upstream = upstream.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        let (mut first, _) = upstream.accept().unwrap();
        let _ = first.read(&mut buffer).unwrap();
        first.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1").unwrap();
        let _ = first.read(&mut buffer).unwrap();
        drop(first);
        let (mut second, _) = upstream.accept().unwrap();
        let n = second.read(&mut buffer).unwrap();
        second.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n2").unwrap();
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    });
    let plane = single_worker(to_upstream);
    let address = address(&plane);
    assert_eq!(body(&get(address, "/first")), "1");
    assert_eq!(body(&get(address, "/second?x=1")), "2");
    assert!(serving.join().unwrap().starts_with("GET /second?x=1 HTTP/1.1\r\n"));
    assert!(metrics(&plane).contains("serin_upstream_retries_total 1\n"));
}

#[test]
fn an_endpoint_that_is_gone_is_passed_over() {
    let upstream = Upstream::start("one");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    plane.set_endpoints(endpoints(&[("up", &[endpoint(closed, "v1"), endpoint(upstream.address, "v1")])]));
    for _ in 0..20 {
        assert_eq!(status(&get(address, "/")), 200);
    }
}
