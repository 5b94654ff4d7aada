//! Conversations with the service, through whatever gateway is at an address.

use std::net::SocketAddr;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Code, Request};

use super::Text;

/// Where the service is.
pub const PREFIX: &str = "/echo";

async fn client(gateway: SocketAddr) -> Grpc<Channel> {
    let uri = format!("http://{gateway}");
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

/// Runs `test`, which may not take long.
pub fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), test).await.expect("in time") });
}

fn words(list: &[&str]) -> impl Stream<Item = String> + Send + use<> {
    stream::iter(list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
}

/// Unary calls, streams in both directions, and both at once.
pub async fn every_kind_of_call_passes(gateway: SocketAddr) {
    let client = client(gateway).await;
    let one = ready(&client).await.unary(Request::new("a".to_owned()), echo(), Text).await.expect("an answer");
    assert_eq!(one.into_inner(), "<a>");
    let all =
        ready(&client).await.streaming(Request::new(words(&["a", "b", "many"])), echo(), Text).await.expect("answers");
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
}

/// Errors in headers alone, in trailers and after an answer; deadlines; a client that gives up.
pub async fn errors_and_deadlines_are_the_services_own(gateway: SocketAddr) {
    let client = client(gateway).await;
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
        ready(&client).await.unary(Request::new("b".to_owned()), echo(), Text).await.expect("an answer").into_inner(),
        "<b>"
    );
}

/// The error that a call of `path` comes to.
pub async fn refused(gateway: SocketAddr, path: &'static str) -> (Code, String) {
    let client = client(gateway).await;
    let path = PathAndQuery::from_static(path);
    let status = ready(&client).await.unary::<_, String, _>(Request::new("a".to_owned()), path, Text).await;
    let status = status.expect_err("an error");
    (status.code(), status.message().to_owned())
}
