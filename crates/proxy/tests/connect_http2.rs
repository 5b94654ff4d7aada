//! CONNECT over HTTP/2, from clients and to upstreams.

mod stage;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serin_api::gateway::{ConnectMatcher, Matcher};
use serin_api::proxy::{Cluster, Connect, Http2, Route, RoutePolicy, Transport};
use stage::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn connecting(domain: &str, cluster: &str, connect: Option<Connect>) -> Arc<serin_api::proxy::VirtualHost> {
    let policy = RoutePolicy { connect, ..RoutePolicy::default() };
    let matcher = Matcher { connect_matcher: Some(ConnectMatcher {}), ..Matcher::default() };
    host(
        domain,
        &[domain],
        vec![Route { matchers: vec![matcher], policy: Some(Arc::new(policy)), ..route("/", to(cluster)) }],
    )
}

async fn echo(stream: impl AsyncRead + AsyncWrite) {
    let (mut read, mut write) = tokio::io::split(stream);
    let _ = tokio::io::copy(&mut read, &mut write).await;
    let _ = write.write_all(b"bye").await;
    let _ = write.shutdown().await;
}

/// Says what it hears, and that it heard the end.
async fn raw_upstream() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    });
    address
}

/// The same in tunnels of HTTP/2; it wants CONNECT as the client asked for it.
async fn http2_upstream() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = hyper::service::service_fn(|mut request: Request<hyper::body::Incoming>| async move {
                let mut response = http::Response::new(Empty::<Bytes>::new());
                if *request.method() != Method::CONNECT || request.uri() != "two:25" {
                    *response.status_mut() = StatusCode::BAD_REQUEST;
                    return Ok::<_, std::convert::Infallible>(response);
                }
                let upgrade = hyper::upgrade::on(&mut request);
                tokio::spawn(async move { echo(TokioIo::new(upgrade.await.expect("a stream"))).await });
                Ok(response)
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

#[test]
fn tunnels_go_over_http2_on_either_side() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let played = async {
        let (raw, two) = (raw_upstream().await, http2_upstream().await);
        let plane = data_plane();
        plane.set_endpoints(endpoints(&[("raw", &[endpoint(raw, "")]), ("two", &[endpoint(two, "")])]));
        let hosts = vec![
            connecting("raw:25", "raw", Some(Connect::Terminate)),
            connecting("two:25", "two", Some(Connect::Forward)),
            connecting("plain:25", "two", Some(Connect::Terminate)),
            connecting("closed:25", "raw", None),
        ];
        let mut spec = spec(hosts, &["raw", "two"]);
        let transport = Transport { http2: Some(Http2::default()), ..Transport::default() };
        spec.clusters.insert("two".into(), Arc::new(Cluster { transport, ..cluster("two") }));
        plane.apply(Arc::new(spec)).expect("applied");
        let stream = TcpStream::connect(address(&plane)).await.expect("connected");
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
        tokio::spawn(connection);
        for (target, expected) in [("raw:25", 200), ("two:25", 200), ("closed:25", 403), ("elsewhere:25", 404)] {
            let request = Request::builder().method(Method::CONNECT).uri(target).body(Empty::<Bytes>::new());
            let mut response = sender.send_request(request.expect("a request")).await.expect("sent");
            assert_eq!(response.status(), expected, "{target}");
            if expected != 200 {
                continue;
            }
            let mut tunnel = TokioIo::new(hyper::upgrade::on(&mut response).await.expect("a stream"));
            let long = vec![b'x'; 1 << 20];
            let (mut read, mut write) = tokio::io::split(&mut tunnel);
            let send = async {
                write.write_all(&long).await.expect("sent");
                write.shutdown().await.expect("shut");
            };
            let mut heard = Vec::new();
            let (_, done) = tokio::join!(send, read.read_to_end(&mut heard));
            done.expect("an end");
            assert!(heard.len() == long.len() + 3 && heard.ends_with(b"bye"), "{target}: {}", heard.len());
        }
        // To the same upstream without its HTTP/2: what it says first are that protocol's settings.
        let mut client = TcpStream::connect(address(&plane)).await.expect("connected");
        client
            .write_all(b"CONNECT plain:25 HTTP/1.1\r\nhost: plain:25\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .expect("sent");
        let mut seen = Vec::new();
        while !seen.windows(4).any(|bytes| bytes == b"\r\n\r\n") || seen.ends_with(b"\r\n\r\n") {
            assert!(client.read_buf(&mut seen).await.expect("bytes") > 0);
        }
        assert!(seen.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&seen));
    };
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), played).await.expect("in time") });
    runtime.shutdown_background();
}
