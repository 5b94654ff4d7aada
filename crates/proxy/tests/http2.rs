//! HTTP/2 from clients, with prior knowledge.

mod stage;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::{HeaderMap, HeaderValue, Request, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use stage::upstream::Upstream;
use stage::*;

type ClientBody = http_body_util::combinators::UnsyncBoxBody<Bytes, std::convert::Infallible>;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

async fn client(address: std::net::SocketAddr) -> hyper::client::conn::http2::SendRequest<ClientBody> {
    let stream = tokio::net::TcpStream::connect(address).await.expect("connected");
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("a handshake");
    tokio::spawn(connection);
    sender
}

fn request(address: std::net::SocketAddr, path: &str, body: ClientBody) -> Request<ClientBody> {
    Request::builder().uri(format!("http://{address}{path}")).body(body).expect("a request")
}

fn no_body() -> ClientBody {
    Full::default().boxed_unsync()
}

#[test]
fn curl_speaks_it() {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    let url = format!("http://{address}/x?y=z");
    let Some(answer) = curl(&["--http2-prior-knowledge", "-w", "%{http_version}", "-H", "cookie: a=1; b=2", &url])
    else {
        return;
    };
    let lines: Vec<&str> = answer.lines().collect();
    for line in
        ["GET /x?y=z HTTP/1.1", &format!("host: {address}"), "cookie: a=1; b=2", "x-forwarded-for: 127.0.0.1", "2"]
    {
        assert!(lines.contains(&line), "{line}\n{answer}");
    }
    let Some(plain) = curl(&["-w", "%{http_version}", &url]) else { return };
    assert!(plain.ends_with("1.1"), "{plain}");
}

#[test]
fn hundreds_of_streams_share_a_connection() {
    let upstream = Upstream::start("one");
    let (plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    runtime().block_on(async {
        let sender = client(address).await;
        let mut all: FuturesUnordered<_> = (0..500)
            .map(|number| {
                let mut sender = sender.clone();
                async move {
                    sender.ready().await.unwrap();
                    let answer =
                        sender.send_request(request(address, &format!("/n/{number}"), no_body())).await.unwrap();
                    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
                    let body = answer.into_body().collect().await.unwrap().to_bytes();
                    assert!(String::from_utf8_lossy(&body).contains(&format!("GET /n/{number} ")));
                }
            })
            .collect();
        while all.next().await.is_some() {}
    });
    assert!(metrics(&plane).contains("serin_connections_total 1\n"));
}

#[test]
fn bodies_and_trailers_pass_both_ways() {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    runtime().block_on(async {
        let mut sender = client(address).await;
        let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("x-sum"), HeaderValue::from_static("9"))]);
        let frames =
            futures::stream::iter([Ok(Frame::data(Bytes::from_static(b"abc"))), Ok(Frame::trailers(trailers))]);
        let mut upload = request(address, "/upload", StreamBody::new(frames).boxed_unsync());
        *upload.method_mut() = http::Method::POST;
        upload.headers_mut().insert("trailer", HeaderValue::from_static("x-sum"));
        let answer = sender.send_request(upload).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(String::from_utf8_lossy(&body), "3 294 {\"x-sum\": \"9\"}");

        let mut wanted = request(address, "/trailers", no_body());
        wanted.headers_mut().insert("te", HeaderValue::from_static("trailers"));
        let collected = sender.send_request(wanted).await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(collected.trailers().and_then(|trailers| trailers.get("x-sum")).unwrap(), "42");
        assert_eq!(collected.to_bytes(), "body");

        let answer = sender.send_request(request(address, "/big", no_body())).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes().len(), 160 * 64 * 1024);
        let answer = sender.send_request(request(address, "/hop", no_body())).await.unwrap();
        assert!(answer.headers().get("x-public").is_some() && answer.headers().get("x-private").is_none());
    });
}

#[test]
fn a_fixed_answer_to_head_has_its_length_and_no_content() {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", respond(418, "short"))], upstream.address);
    runtime().block_on(async {
        let mut sender = client(address).await;
        let mut head = request(address, "/", no_body());
        *head.method_mut() = http::Method::HEAD;
        let answer = sender.send_request(head).await.unwrap();
        assert_eq!(answer.status(), 418);
        assert_eq!(answer.headers()["content-length"], "5");
        assert!(answer.into_body().collect().await.unwrap().to_bytes().is_empty());
    });
}

#[test]
fn cookies_that_come_one_by_one_reach_the_upstream_on_one_line() {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    runtime().block_on(async {
        let mut sender = client(address).await;
        let mut apart = request(address, "/", no_body());
        for cookie in ["a=1", "b=2"] {
            apart.headers_mut().append("cookie", HeaderValue::from_static(cookie));
        }
        let body = sender.send_request(apart).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("cookie: a=1; b=2\n"), "{body:?}");
        let mut empty = request(address, "/", no_body());
        empty.headers_mut().append("cookie", HeaderValue::from_static(""));
        let body = sender.send_request(empty).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&body).contains("cookie"), "{body:?}");
    });
}
