//! An upstream that answers with what it was asked, and in special ways on special paths:
//! `/status/N`, `/chunked`, `/trailers`, `/early`, `/hang`, `/slow-body`, `/hop`, `/upload`, `/big`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

type Boxed = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

/// A running upstream; it stops when this is dropped.
pub struct Upstream {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

impl Upstream {
    /// An upstream whose answers begin with `name`.
    pub fn start(name: &'static str) -> Self {
        Self::start_at(name, ([127, 0, 0, 1], 0).into())
    }

    /// The same, which speaks HTTP/2 and nothing else.
    pub fn start_http2(name: &'static str) -> Self {
        Self::listen(name, ([127, 0, 0, 1], 0).into(), true)
    }

    pub fn start_at(name: &'static str, at: SocketAddr) -> Self {
        Self::listen(name, at, false)
    }

    fn listen(name: &'static str, at: SocketAddr, http2: bool) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(at)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let service = service_fn(move |request| answer(name, request));
                if http2 {
                    let executor = hyper_util::rt::TokioExecutor::new();
                    let connection = hyper::server::conn::http2::Builder::new(executor);
                    tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
                    continue;
                }
                tokio::spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, connections, _runtime: runtime }
    }
}

async fn answer(name: &str, request: Request<Incoming>) -> Result<Response<Boxed>, Infallible> {
    let path = request.uri().path().to_owned();
    let frames = |frames: Vec<Frame<Bytes>>| {
        BodyExt::boxed_unsync(StreamBody::new(futures::stream::iter(frames.into_iter().map(Ok))))
    };
    let mut response = Response::new(frames(Vec::new()));
    match path.as_str() {
        "/chunked" => {
            *response.body_mut() = frames(vec![Frame::data("one ".into()), Frame::data("two".into())]);
        }
        "/trailers" => {
            let trailers =
                HeaderMap::from_iter([(http::HeaderName::from_static("x-sum"), HeaderValue::from_static("42"))]);
            *response.body_mut() = frames(vec![Frame::data("body".into()), Frame::trailers(trailers)]);
            response.headers_mut().insert("trailer", HeaderValue::from_static("x-sum"));
        }
        "/hang" => std::future::pending::<()>().await,
        "/slow-body" => {
            let stream = futures::stream::once(async { Ok(Frame::data(Bytes::from_static(b"begun"))) })
                .chain(futures::stream::pending());
            *response.body_mut() = BodyExt::boxed_unsync(StreamBody::new(stream));
        }
        "/hop" => {
            let headers = response.headers_mut();
            headers.insert("connection", HeaderValue::from_static("x-private"));
            headers.insert("x-private", HeaderValue::from_static("1"));
            headers.insert("keep-alive", HeaderValue::from_static("timeout=5"));
            headers.insert("x-public", HeaderValue::from_static("1"));
        }
        "/big" => {
            let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
            let stream = futures::stream::iter((0..160).map(move |_| Ok(Frame::data(chunk.clone()))));
            *response.body_mut() = BodyExt::boxed_unsync(StreamBody::new(stream));
        }
        "/upload" => {
            let collected = request.into_body().collect().await.expect("the whole body");
            let trailers = collected.trailers().map(|trailers| format!("{trailers:?}")).unwrap_or_default();
            let bytes = collected.to_bytes();
            let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
            *response.body_mut() = frames(vec![Frame::data(format!("{} {sum} {trailers}", bytes.len()).into())]);
        }
        _ => {
            if let Some(status) = path.strip_prefix("/status/") {
                *response.status_mut() = status.parse().expect("a status");
            }
            let mut text = format!("{name}\n{} {} {:?}\n", request.method(), request.uri(), request.version());
            for (key, value) in request.headers() {
                text.push_str(&format!("{key}: {}\n", String::from_utf8_lossy(value.as_bytes())));
            }
            let length = text.len();
            *response.body_mut() = frames(vec![Frame::data(text.into())]);
            if response.status() != 204 && response.status() != 304 {
                response.headers_mut().insert("content-length", HeaderValue::from(length));
            }
        }
    }
    Ok(response)
}
