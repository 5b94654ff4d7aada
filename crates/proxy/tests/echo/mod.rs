//! A gRPC service whose only method answers each message as it comes, and conversations with it through a gateway.
#![allow(dead_code, unreachable_pub)]

pub mod calls;

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::{Buf, BufMut, Bytes};
use futures::{Stream, StreamExt};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Response, Status, Streaming};

/// Messages that are text.
#[derive(Clone, Copy, Default)]
pub struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, item: String, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(item.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes: Bytes = from.copy_to_bytes(from.remaining());
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// A service whose only method answers each message as it comes, `fail` with an error, `hang` never.
#[derive(Clone)]
pub struct Echo;

pub type Answers = std::pin::Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

impl tonic::server::StreamingService<String> for Echo {
    type Response = String;
    type ResponseStream = Answers;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Answers>, Status>> + Send>>;

    fn call(&mut self, request: Request<Streaming<String>>) -> Self::Future {
        Box::pin(async move {
            if request.metadata().contains_key("x-refuse") {
                return Err(Status::permission_denied("not you"));
            }
            let deadline =
                request.metadata().get("grpc-timeout").and_then(|value| value.to_str().ok()).map(str::to_owned);
            let answers = request.into_inner().then(move |message| {
                let deadline = deadline.clone();
                async move {
                    match message?.as_str() {
                        "fail" => Err(Status::data_loss("lost 100%")),
                        "hang" => std::future::pending().await,
                        "deadline" => Ok(deadline.unwrap_or_default()),
                        "many" => Ok("m".repeat(100_000)),
                        text => Ok(format!("<{text}>")),
                    }
                }
            });
            Ok(Response::new(Box::pin(answers) as Answers))
        })
    }
}

/// The service, on a port of its own.
pub async fn serve() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = hyper::service::service_fn(|request| async {
                let mut grpc = tonic::server::Grpc::new(Text);
                Ok::<_, Infallible>(grpc.streaming(Echo, request).await)
            });
            let executor = hyper_util::rt::TokioExecutor::new();
            let connection = hyper::server::conn::http2::Builder::new(executor);
            tokio::spawn(connection.serve_connection(hyper_util::rt::TokioIo::new(stream), service));
        }
    });
    address
}
