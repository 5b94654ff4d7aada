//! Endpoints that are asked whether they are well.
#![allow(clippy::unwrap_used)]

mod stage;

use std::convert::Infallible;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serin_api::GoDuration;
use serin_api::proxy::{Cluster, HealthCheck, HttpQuestion, ProxySpec, Question};
use serin_proxy::DataPlane;
use stage::scripted::scripted;
use stage::*;

const SHORT: GoDuration = GoDuration(Duration::from_millis(20));

fn check(question: Question) -> HealthCheck {
    HealthCheck {
        timeout: GoDuration(Duration::from_secs(2)),
        interval: SHORT,
        no_traffic_interval: SHORT,
        unhealthy_interval: SHORT,
        unhealthy_edge_interval: SHORT,
        healthy_edge_interval: SHORT,
        initial_jitter: GoDuration::default(),
        interval_jitter: GoDuration::default(),
        interval_jitter_percent: 0,
        unhealthy_threshold: 2,
        healthy_threshold: 2,
        reuse_connection: true,
        question,
    }
}

fn http() -> HttpQuestion {
    HttpQuestion {
        host: String::new(),
        path: "/well?".to_owned(),
        method: "GET".to_owned(),
        http2: false,
        expected: vec![(200, 201)],
        add_headers: Vec::new(),
        remove_headers: Vec::new(),
    }
}

fn spec_with(check: Option<HealthCheck>) -> Arc<ProxySpec> {
    let mut spec = spec(vec![host("vs", &["*"], vec![route("/", to("up"))])], &[]);
    let health_check = check.map(Arc::new);
    spec.clusters.insert("up".into(), Arc::new(Cluster { health_check, ..cluster("up") }));
    Arc::new(spec)
}

fn plane(upstreams: &[SocketAddr], check: HealthCheck) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    let all: Vec<_> = upstreams.iter().map(|upstream| endpoint(*upstream, "")).collect();
    plane.set_endpoints(endpoints(&[("up", &all)]));
    plane.apply(spec_with(Some(check))).expect("applied");
    let address = address(&plane);
    (plane, address)
}

fn unhealthy(plane: &DataPlane) -> Vec<(SocketAddr, String)> {
    let bad = plane.health().into_iter().flat_map(|upstream| upstream.bad);
    bad.filter_map(|bad| Some((bad.address, bad.unhealthy?))).collect()
}

/// An upstream that is well, or says with status 500 that it is not, and answers all else with its name. It speaks HTTP/1.1
/// and HTTP/2, and gRPC's health protocol.
struct Patient {
    address: SocketAddr,
    well: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

impl Patient {
    fn start(name: &'static str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let well = Arc::new(AtomicBool::new(true));
        let (asked, connections): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let (is_well, count, connected) = (Arc::clone(&well), Arc::clone(&asked), Arc::clone(&connections));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connected.fetch_add(1, Ordering::SeqCst);
                let (is_well, count) = (Arc::clone(&is_well), Arc::clone(&count));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (is_well, count) = (Arc::clone(&is_well), Arc::clone(&count));
                    async move { Ok::<_, Infallible>(answer(name, request, &is_well, &count).await) }
                });
                tokio::spawn(async move {
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, well, asked, connections, _runtime: runtime }
    }
}

type Body = StreamBody<futures::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

async fn answer(
    name: &'static str,
    request: Request<Incoming>,
    well: &AtomicBool,
    asked: &AtomicUsize,
) -> Response<Body> {
    let body = |frames: Vec<Frame<Bytes>>| {
        StreamBody::new(futures::stream::iter(frames.into_iter().map(Ok).collect::<Vec<_>>()))
    };
    let well = well.load(Ordering::SeqCst);
    match request.uri().path() {
        "/well" => {
            asked.fetch_add(1, Ordering::SeqCst);
            let host = request.uri().host().map(str::to_owned);
            let host = host.or_else(|| Some(request.headers().get("host")?.to_str().ok()?.to_owned()));
            assert_eq!(host.as_deref(), Some("127.0.0.1"), "its own name");
            let mut response = Response::new(body(vec![Frame::data("fine".into())]));
            *response.status_mut() = http::StatusCode::from_u16(if well { 200 } else { 500 }).unwrap();
            response
        }
        "/grpc.health.v1.Health/Check" => {
            asked.fetch_add(1, Ordering::SeqCst);
            let message = request.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(&message[..], [&[0, 0, 0, 0, 5, 10, 3][..], b"a.B"].concat());
            let trailers =
                HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
            let data = Bytes::from(vec![0, 0, 0, 0, 2, 8, if well { 1 } else { 2 }]);
            Response::new(body(vec![Frame::data(data), Frame::trailers(trailers)]))
        }
        _ => Response::new(body(vec![Frame::data(name.into())])),
    }
}

#[test]
fn an_endpoint_that_is_not_well_gets_no_requests_until_it_is_again() {
    let grpc = Question::Grpc { service: "a.B".to_owned(), authority: String::new() };
    for (question, reason) in [
        (Question::Http(http()), "its health check answers 500"),
        (Question::Http(HttpQuestion { http2: true, ..http() }), "its health check answers 500"),
        (grpc, "its health check answers that it does not serve"),
    ] {
        let (sick, sound) = (Patient::start("sick"), Patient::start("sound"));
        let (plane, address) = plane(&[sick.address, sound.address], check(question.clone()));
        eventually("both are healthy", || sick.asked.load(Ordering::SeqCst) > 0 && unhealthy(&plane).is_empty());
        eventually("both are asked", || get(address, "/").contains("sick") && get(address, "/").contains("sound"));

        sick.well.store(false, Ordering::SeqCst);
        eventually("it is found unhealthy", || unhealthy(&plane) == [(sick.address, reason.to_owned())]);
        eventually("it gets no requests", || (0..20).all(|_| get(address, "/").contains("sound")));
        let text = metrics(&plane);
        assert!(text.contains("serin_upstream_endpoints_unhealthy{upstream=\"up\"} 1\n"), "{text}");
        assert!(text.contains("serin_upstream_health_checks_total{upstream=\"up\",result=\"failure\"} "), "{text}");

        sick.well.store(true, Ordering::SeqCst);
        eventually("it is asked again", || get(address, "/").contains("sick"));
        assert!(sick.connections.load(Ordering::SeqCst) < 80, "checks share a connection: {question:?}");
    }
}

#[test]
fn what_is_not_there_or_silent_is_unhealthy() {
    let away = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let sound = Patient::start("sound");
    for bad in [away, silent.local_addr().unwrap()] {
        let question = HealthCheck { timeout: SHORT, ..check(Question::Http(http())) };
        let (plane, address) = plane(&[bad, sound.address], question);
        eventually(
            "the other one is healthy",
            || matches!(&unhealthy(&plane)[..], [(address, reason)] if *address == bad && !reason.contains("yet")),
        );
        eventually("it gets all requests", || (0..10).all(|_| status(&get(address, "/")) == 200));
    }
}

#[test]
fn a_conversation_over_tcp_is_a_check_too() {
    let (good, heard) = scripted(|_, stream| {
        let _ = stream.write_all(b"+OK.");
    });
    let (bad, _also) = scripted(|_, stream| {
        let _ = stream.write_all(b"-NO.");
    });
    let question = Question::Tcp { send: b"PING\r\n\r\n".to_vec(), receive: vec![b"OK".to_vec(), b".".to_vec()] };
    let (plane, _address) = plane(&[good, bad], check(question));
    eventually("one is healthy", || {
        let unhealthy = unhealthy(&plane);
        unhealthy.len() == 1 && unhealthy[0].0 == bad && unhealthy[0].1.contains("does not answer what is expected")
    });
    assert_eq!(heard.recv().unwrap(), "PING\r\n\r\n");
}

#[test]
fn checks_end_with_their_configuration() {
    let (sick, sound) = (Patient::start("sick"), Patient::start("sound"));
    sick.well.store(false, Ordering::SeqCst);
    let (plane, address) = plane(&[sick.address, sound.address], check(Question::Http(http())));
    eventually("it is found unhealthy", || unhealthy(&plane).len() == 1);
    plane.apply(spec_with(None)).unwrap();
    eventually("nobody is judged", || plane.health().is_empty());
    eventually("it is asked", || get(address, "/").contains("sick"));
    let asked = sound.asked.load(Ordering::SeqCst);
    for _ in 0..20 {
        get(address, "/");
    }
    assert!(sound.asked.load(Ordering::SeqCst) <= asked + 1);
}
