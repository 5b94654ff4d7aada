//! gRPC through the gateway, with tonic's client and server: every kind of call, deadlines, errors, and the gateway's own
//! answers.

mod stage;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use futures::{Stream, StreamExt, stream};
use http::uri::PathAndQuery;
use serin_api::proxy::{Cluster, Http2, Transport};
use serin_proxy::DataPlane;
use stage::*;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};

/// Messages that are text.
#[derive(Clone, Copy, Default)]
struct Text;

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
struct Echo;

type Answers = std::pin::Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

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
async fn serve() -> SocketAddr {
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

/// A gateway in front of `upstream`: everything but `/nowhere` goes there.
fn gateway(upstream: SocketAddr) -> DataPlane {
    let plane = single_worker(upstream);
    let mut spec =
        (*spec_of(vec![route("/echo", to("up")), route("/closed", respond(403, "go 100% away"))], &["up"])).clone();
    let transport = Transport { http2: Some(Http2::default()), ..Transport::default() };
    spec.clusters.insert("up".into(), Arc::new(Cluster { transport, ..cluster("up") }));
    plane.apply(Arc::new(spec)).expect("applied");
    plane
}

async fn client(plane: &DataPlane) -> Grpc<Channel> {
    let uri = format!("http://{}", address(plane));
    let channel = Channel::from_shared(uri).expect("a URI").connect().await.expect("connected");
    Grpc::new(channel)
}

/// The client, ready for a call.
async fn ready(client: &Grpc<Channel>) -> Grpc<Channel> {
    let mut client = client.clone();
    client.ready().await.expect("ready");
    client
}

fn echo() -> PathAndQuery {
    PathAndQuery::from_static("/echo.Echo/Each")
}

fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), test).await.expect("in time") });
}

fn words(list: &[&str]) -> impl Stream<Item = String> + Send + use<> {
    stream::iter(list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
}

#[test]
fn every_kind_of_call_passes() {
    run(async {
        let plane = gateway(serve().await);
        let client = client(&plane).await;
        let one = ready(&client).await.unary(Request::new("a".to_owned()), echo(), Text).await.expect("an answer");
        assert_eq!(one.into_inner(), "<a>");
        let all = ready(&client)
            .await
            .streaming(Request::new(words(&["a", "b", "many"])), echo(), Text)
            .await
            .expect("answers");
        let all: Vec<_> = all.into_inner().map(|answer| answer.expect("an answer").len()).collect().await;
        assert_eq!(all, [3, 3, 100_000]);
        // Each answer comes before the next question is asked.
        let (ask, asked) = futures::channel::mpsc::unbounded();
        let answers = ready(&client).await.streaming(Request::new(asked), echo(), Text).await.expect("answers");
        let mut answers = answers.into_inner();
        for word in ["a", "b", "c"] {
            ask.unbounded_send(word.to_owned()).expect("asked");
            assert_eq!(answers.message().await.expect("an answer"), Some(format!("<{word}>")));
        }
        drop(ask);
        assert_eq!(answers.message().await.expect("the end"), None);
        assert_eq!(answers.trailers().await.expect("trailers").map(|all| all.len() > 100), Some(false));
    });
}

#[test]
fn errors_and_deadlines_are_the_services_own() {
    run(async {
        let plane = gateway(serve().await);
        let client = client(&plane).await;
        // In headers alone, in trailers, and after an answer.
        let mut refused = Request::new("a".to_owned());
        refused.metadata_mut().insert("x-refuse", "1".parse().expect("a value"));
        let status = ready(&client).await.unary::<_, String, _>(refused, echo(), Text).await.expect_err("an error");
        assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "not you"));
        let status = ready(&client).await.unary::<_, String, _>(Request::new("fail".to_owned()), echo(), Text).await;
        let status = status.expect_err("an error");
        assert_eq!((status.code(), status.message()), (Code::DataLoss, "lost 100%"));
        let answers =
            ready(&client).await.streaming(Request::new(words(&["a", "fail"])), echo(), Text).await.expect("answers");
        let mut answers = answers.into_inner();
        assert_eq!(answers.message().await.expect("an answer").as_deref(), Some("<a>"));
        assert_eq!(answers.message().await.expect_err("an error").code(), Code::DataLoss);
        // The deadline reaches the service, and ends the call for the client.
        let mut timed = Request::new("deadline".to_owned());
        timed.set_timeout(Duration::from_secs(7));
        let told: String = ready(&client).await.unary(timed, echo(), Text).await.expect("an answer").into_inner();
        assert_eq!(told, "7000000u");
        // A client that gives up takes nothing down.
        let mut hanging = ready(&client).await;
        let call = hanging.unary::<_, String, _>(Request::new("hang".to_owned()), echo(), Text);
        assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
        assert_eq!(
            ready(&client)
                .await
                .unary(Request::new("b".to_owned()), echo(), Text)
                .await
                .expect("an answer")
                .into_inner(),
            "<b>"
        );
    });
}

#[test]
fn what_the_gateway_says_itself_is_a_status_of_grpc() {
    run(async {
        let plane = gateway(([127, 0, 0, 1], 1).into());
        let client = client(&plane).await;
        let unreachable =
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
        for (path, code, message) in [
            ("/nowhere/x", Code::Unimplemented, ""),
            ("/closed/x", Code::PermissionDenied, "go 100% away"),
            ("/echo/x", Code::Unavailable, unreachable),
        ] {
            let status = ready(&client)
                .await
                .unary::<_, String, _>(Request::new("a".to_owned()), PathAndQuery::from_static(path), Text)
                .await;
            let status = status.expect_err("an error");
            assert_eq!((status.code(), status.message()), (code, message), "{path}");
        }
        // Whoever does not speak gRPC gets HTTP.
        assert_eq!(stage::status(&get(address(&plane), "/closed/x")), 403);
    });
}
