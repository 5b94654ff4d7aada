//! WebSocket's two ends, over HTTP/1.1 and HTTP/2, with a library's own handshakes and frames.
#![allow(dead_code, unreachable_pub, clippy::result_large_err)]

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{Empty, Full};
use hyper::body::Incoming;
use hyper::ext::Protocol;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request as Asked, Response as Answer};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

/// A client's or a server's end.
pub trait Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Io for T {}

/// An open connection.
pub type Socket = WebSocketStream<Box<dyn Io>>;

/// Says every message once more, and ends when the other side does.
async fn echo(mut socket: WebSocketStream<impl Io>) {
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() || message.is_binary() {
            let _ = socket.send(message).await;
        }
    }
}

/// An upstream of HTTP/1.1, which wants everything that RFC 6455 wants. A path with `refused` is answered 403.
pub async fn upstream_http1() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let answer = |asked: &Asked, mut answer: Answer| -> Result<Answer, ErrorResponse> {
                    let path = asked.uri().path();
                    if path.contains("refused") {
                        return Err(http::Response::builder().status(403).body(None).expect("a response"));
                    }
                    answer.headers_mut().insert("x-up", "1".parse().expect("a value"));
                    Ok(answer)
                };
                if let Ok(socket) = accept_hdr_async(stream, answer).await {
                    echo(socket).await;
                }
            });
        }
    });
    address
}

/// An upstream of HTTP/2; `extended`: it knows extended CONNECT. Paths as with [`upstream_http1`].
pub async fn upstream_http2(extended: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            if extended {
                server.enable_connect_protocol();
            }
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    });
    address
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::default());
    let asked = request.method() == Method::CONNECT
        && request.extensions().get::<Protocol>().is_some_and(|protocol| protocol.as_str() == "websocket")
        && request.headers().get("sec-websocket-version").is_some_and(|version| version == "13");
    if !asked || request.uri().path().contains("refused") {
        *response.status_mut() = http::StatusCode::FORBIDDEN;
        return Ok(response);
    }
    if let Some(key) = request.headers().get("sec-websocket-key").filter(|_| request.uri().path().contains("keyed")) {
        let accept = derive_accept_key(key.as_bytes()).parse().expect("a value");
        response.headers_mut().insert("sec-websocket-accept", accept);
    }
    response.headers_mut().insert("x-up", "1".parse().expect("a value"));
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let stream = TokioIo::new(upgrade.await.expect("a stream"));
        echo(WebSocketStream::from_raw_socket(stream, Role::Server, None).await).await;
    });
    Ok(response)
}

/// A client of HTTP/1.1: the connection, or the status of the refusal; and the answer's headers.
pub async fn connect_http1(address: SocketAddr, path: &str) -> (Result<Socket, u16>, HeaderMap) {
    let stream: Box<dyn Io> = Box::new(TcpStream::connect(address).await.expect("connected"));
    match client_async(format!("ws://h{path}"), stream).await {
        Ok((socket, answer)) => (Ok(socket), answer.headers().clone()),
        Err(Error::Http(answer)) => (Err(answer.status().as_u16()), answer.headers().clone()),
        Err(error) => panic!("{error}"),
    }
}

/// A client of HTTP/2, which sends a key only where it is told to.
pub async fn connect_http2(address: SocketAddr, path: &str, keyed: bool) -> (Result<Socket, u16>, HeaderMap) {
    connect_http2_for(address, path, keyed, "websocket").await
}

/// The same for another protocol.
pub async fn connect_http2_for(
    address: SocketAddr,
    path: &str,
    keyed: bool,
    protocol: &'static str,
) -> (Result<Socket, u16>, HeaderMap) {
    let stream = TcpStream::connect(address).await.expect("connected");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://h{path}"))
        .header("sec-websocket-version", "13")
        .extension(Protocol::from_static(protocol));
    if keyed {
        request = request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    }
    let mut response =
        sender.send_request(request.body(Empty::<Bytes>::new()).expect("a request")).await.expect("sent");
    let headers = response.headers().clone();
    if response.status() != 200 {
        return (Err(response.status().as_u16()), headers);
    }
    let stream: Box<dyn Io> = Box::new(TokioIo::new(hyper::upgrade::on(&mut response).await.expect("a stream")));
    (Ok(WebSocketStream::from_raw_socket(stream, Role::Client, None).await), headers)
}

/// Talks for a while, and takes leave.
pub async fn talk(mut socket: Socket) {
    for size in [0, 1, 125, 126, 65_535, 65_536, 300_000] {
        let message = Message::binary(vec![7; size]);
        socket.send(message.clone()).await.expect("sent");
        assert_eq!(socket.next().await.expect("a message").expect("a message"), message, "{size}");
    }
    for number in 0..200 {
        socket.feed(Message::text(format!("{number}"))).await.expect("sent");
    }
    socket.flush().await.expect("sent");
    for number in 0..200 {
        assert_eq!(socket.next().await.expect("a message").expect("a message"), Message::text(format!("{number}")));
    }
    socket.close(None).await.expect("sent");
    // What comes after that is the connection's affair.
    assert!(socket.next().await.expect("a message").expect("a message").is_close());
}
