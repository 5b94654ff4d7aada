//! HTTP/2 towards upstreams: what arrives, how connections are shared, and what becomes of streams that are broken off.

mod stage;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use h2::Reason;
use h2::server::{Connection, SendResponse};
use http::{Request, Response};
use serin_api::proxy::{
    BackOff, Cluster, Connections, Http2, Keepalive, ProxySpec, Retries, RetryCondition, RoutePolicy, Transport,
};
use serin_proxy::DataPlane;
use stage::upstream::Upstream;
use stage::*;
use tokio::net::{TcpListener, TcpStream};

fn transported(transport: Transport) -> Arc<ProxySpec> {
    let mut spec = (*spec_of(vec![route("/", to("up"))], &["up"])).clone();
    spec.clusters.insert("up".into(), Arc::new(Cluster { transport, ..cluster("up") }));
    Arc::new(spec)
}

fn speaking(http2: Http2, policy: Option<RoutePolicy>) -> Arc<ProxySpec> {
    let route = serin_api::proxy::Route { policy: policy.map(Arc::new), ..route("/", to("up")) };
    let mut spec = (*spec_of(vec![route], &["up"])).clone();
    let transport = Transport { http2: Some(http2), ..Transport::default() };
    spec.clusters.insert("up".into(), Arc::new(Cluster { transport, ..cluster("up") }));
    Arc::new(spec)
}

fn plane(upstream: SocketAddr) -> DataPlane {
    let plane = single_worker(upstream);
    plane.apply(speaking(Http2::default(), None)).expect("applied");
    plane
}

#[test]
fn a_request_of_http_1_arrives_as_one_of_http_2() {
    let upstream = Upstream::start_http2("two");
    let plane = plane(upstream.address);
    let answer = raw(
        address(&plane),
        "GET /a?b HTTP/1.1\r\nhost: h:1\r\nconnection: close, x-gone\r\nx-gone: 1\r\ncookie: a=1\r\nte: trailers\r\n\r\n",
    );
    let told = body(&answer);
    assert!(told.starts_with("two\nGET http://h:1/a?b HTTP/2.0\n"), "{told}");
    for line in ["cookie: a=1\n", "te: trailers\n", "x-forwarded-proto: http\n"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(!told.contains("x-gone") && !told.contains("connection"), "{told}");
    assert_eq!(header(&answer, "content-length"), Some(told.len().to_string().as_str()));
    assert_eq!(status(&get(address(&plane), "/status/418")), 418);
}

#[test]
fn bodies_and_trailers_pass_either_way() {
    let upstream = Upstream::start_http2("two");
    let plane = plane(upstream.address);
    let upload = format!("{}{}", "x".repeat(65_536), "y");
    let sized = format!(
        "POST /upload HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{upload}",
        upload.len()
    );
    let answer = raw(address(&plane), &sized);
    assert!(body(&answer).contains(&format!("65537 {} ", 65_536 * 120 + 121)), "{answer}");
    let chunked = "POST /upload HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n";
    let answer = raw(address(&plane), chunked);
    assert!(body(&answer).contains("3 294 {\"x-sum\": \"7\"}"), "{answer}");
    assert_eq!(get(address(&plane), "/big").len() >> 20, 10);
    let url = format!("http://{}/trailers", address(&plane));
    let Some(told) = curl(&["--http2-prior-knowledge", "-v", "--stderr", "-", &url]) else { return };
    assert!(told.contains("< x-sum: 42") || told.contains("x-sum: 42"), "{told}");
}

#[test]
fn a_body_of_many_small_pieces_passes() {
    let upstream = Upstream::start_http2("two");
    let plane = plane(upstream.address);
    let head = "POST /upload HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = raw(address(&plane), &format!("{head}{}0\r\n\r\n", "5\r\nxxxxx\r\n".repeat(40_000)));
    assert!(body(&answer).contains("200000 "), "{answer}");
}

#[test]
fn requests_share_connections_as_far_as_they_are_let() {
    let upstream = Upstream::start_http2("two");
    let plane = plane(upstream.address);
    let together = |count: usize| {
        let mut open: Vec<_> = (0..count).map(|_| connect(address(&plane))).collect();
        for stream in &mut open {
            std::io::Write::write_all(stream, b"GET /hang HTTP/1.1\r\nhost: a\r\n\r\n").expect("written");
        }
        eventually("all are under way", || {
            metrics(&plane).lines().any(|line| line == format!("serin_connections_active {count}"))
        });
        assert_eq!(status(&get(address(&plane), "/")), 200);
    };
    together(20);
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 1);
    plane.apply(speaking(Http2 { concurrent_streams: Some(1), ..Http2::default() }, None)).expect("applied");
    let before = upstream.connections.load(Ordering::SeqCst);
    let hanging: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = connect(address(&plane));
            std::io::Write::write_all(&mut stream, b"GET /hang HTTP/1.1\r\nhost: a\r\n\r\n").expect("written");
            stream
        })
        .collect();
    eventually("each has its own", || upstream.connections.load(Ordering::SeqCst) == before + 3);
    drop(hanging);
}

/// An upstream that does with each request what `play` says: it gets the connection's number and the request's there.
fn scripted(
    play: impl Fn(
        usize,
        usize,
        &mut Connection<TcpStream, bytes::Bytes>,
        SendResponse<bytes::Bytes>,
        Request<h2::RecvStream>,
    ) + Send
    + Sync
    + 'static,
) -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    let play = Arc::new(play);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            tell.send(listener.local_addr().expect("an address")).expect("told");
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let play = Arc::clone(&play);
                tokio::spawn(async move {
                    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                    let mut requests = 0;
                    while let Some(Ok((request, respond))) = connection.accept().await {
                        play(number, requests, &mut connection, respond, request);
                        requests += 1;
                    }
                });
                number += 1;
            }
        });
    });
    told.recv().expect("an address")
}

const RESET: &str = "upstream connect error or disconnect/reset before headers. reset reason: ";

#[test]
fn a_stream_that_is_reset_is_told_in_envoys_words() {
    let upstream = scripted(|_, _, _, mut respond, request| {
        respond.send_reset(match request.uri().path() {
            "/refused" => Reason::REFUSED_STREAM,
            "/cancel" => Reason::CANCEL,
            _ => Reason::INTERNAL_ERROR,
        });
    });
    let plane = plane(upstream);
    for (path, reason) in
        [("/refused", "remote refused stream reset"), ("/cancel", "remote reset"), ("/", "remote reset")]
    {
        let answer = get(address(&plane), path);
        assert_eq!((status(&answer), body(&answer)), (503, format!("{RESET}{reason}").as_str()), "{path}");
    }
}

#[test]
fn a_refused_stream_is_tried_again_where_the_route_says_so() {
    let upstream = scripted(|_, request, _, mut respond, _| match request {
        0 => respond.send_reset(Reason::REFUSED_STREAM),
        _ => drop(respond.send_response(Response::new(()), true)),
    });
    let plane = plane(upstream);
    let retries = Retries {
        on: [RetryCondition::RefusedStream].into(),
        times: 1,
        per_try_timeout: None,
        back_off: None::<BackOff>,
        status_codes: Vec::new(),
        rate_limited: None,
    };
    let policy = RoutePolicy { retries: Some(retries), ..RoutePolicy::default() };
    plane.apply(speaking(Http2::default(), Some(policy))).expect("applied");
    assert_eq!(status(&get(address(&plane), "/")), 200);
}

#[test]
fn what_a_connection_did_not_look_at_before_it_left_goes_to_another() {
    let upstream = scripted(|connection, _, handle, mut respond, _| match connection {
        0 => handle.abrupt_shutdown(Reason::NO_ERROR),
        _ => drop(respond.send_response(Response::new(()), true)),
    });
    let plane = plane(upstream);
    let answer = get(address(&plane), "/");
    // The library that plays the upstream counts this request among those it has looked at, or not.
    assert!(matches!(status(&answer), 200 | 503), "{answer}");
    assert_eq!(status(&get(address(&plane), "/")), 200, "the next one has a connection of its own");
}

#[test]
fn something_that_does_not_speak_http_2_is_an_error() {
    let upstream = Upstream::start("one");
    let plane = plane(upstream.address);
    let answer = get(address(&plane), "/");
    assert!(matches!(status(&answer), 502 | 503), "{answer}");
    let nobody = single_worker(([127, 0, 0, 1], 1).into());
    nobody.apply(speaking(Http2::default(), None)).expect("applied");
    let answer = get(address(&nobody), "/");
    assert_eq!((status(&answer), body(&answer)), (503, format!("{RESET}remote connection failure").as_str()));
}

#[test]
fn a_connection_serves_as_many_requests_as_it_is_let() {
    let keepalive = Keepalive { probes: Some(3), time: Some(60), interval: Some(5) };
    let few = Connections { max_requests: Some(2), keepalive: Some(keepalive), ..Connections::default() };
    for http2 in [None, Some(Http2::default())] {
        let upstream = if http2.is_some() { Upstream::start_http2("up") } else { Upstream::start("up") };
        let plane = single_worker(upstream.address);
        plane
            .apply(transported(Transport { http2, connections: few.clone(), ..Transport::default() }))
            .expect("applied");
        for request in 0..6 {
            assert_eq!(status(&get(address(&plane), "/")), 200);
            assert_eq!(upstream.connections.load(Ordering::SeqCst), request / 2 + 1);
        }
    }
}
