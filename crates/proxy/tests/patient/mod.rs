//! An upstream to ask whether it is well, and the questions.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::convert::Infallible;
use std::net::SocketAddr;
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
use serin_api::proxy::{HealthCheck, HttpQuestion, Question};

/// Time enough between two checks.
pub const SHORT: GoDuration = GoDuration(Duration::from_millis(20));

/// A health check that asks often.
pub fn check(question: Question) -> HealthCheck {
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
        logs_failures: false,
        question,
    }
}

/// Whether `/well` answers 200.
pub fn http() -> HttpQuestion {
    HttpQuestion {
        host: String::new(),
        path: "/well?".to_owned(),
        method: "GET".to_owned(),
        http2: false,
        expected: vec![(200, 201)],
        add_headers: Vec::new(),
        remove_headers: Vec::new(),
        service: String::new(),
    }
}

/// An upstream that is well, or says with status 500 that it is not, and answers all else with its name. It speaks HTTP/1.1
/// and HTTP/2, and gRPC's health protocol.
pub struct Patient {
    pub address: SocketAddr,
    pub well: Arc<AtomicBool>,
    pub asked: Arc<AtomicUsize>,
    pub connections: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

impl Patient {
    pub fn start(name: &'static str) -> Self {
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
            let mut response = Response::new(body(vec![Frame::data(data), Frame::trailers(trailers)]));
            response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
            response
        }
        _ => Response::new(body(vec![Frame::data(name.into())])),
    }
}
