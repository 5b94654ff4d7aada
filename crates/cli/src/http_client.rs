//! One plain HTTP request to a port of this machine: the admin port, or a listener of the gateway.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::failure::{Outcome, While};

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Sends a `GET` with these headers and reads the whole answer.
pub(crate) async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Outcome<Answer> {
    let failed = || format!("{address} does not answer");
    let stream = TcpStream::connect(address).await.or_fail(failed)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.or_fail(failed)?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path).header("host", address.to_string());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).or_fail(failed)?).await.or_fail(failed)?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.or_fail(failed)?.to_bytes();
    connection.abort();
    Ok(Answer { status, body })
}
