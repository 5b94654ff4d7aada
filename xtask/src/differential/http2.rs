//! Requests over HTTP/2: with prior knowledge, or as TLS says.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite};

use super::message::Message;
use super::request::{Body, PATIENCE, Request, bytes};
use super::tls::{Identities, refused, server_name};
use super::upstream::{CASE, WANT};

/// Sends `request` to `address` as case `case`; the answer, in the terms of HTTP/1.1.
pub(crate) fn send(request: &Request, address: SocketAddr, case: &str, identities: &Identities) -> io::Result<Message> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exchange = async { tokio::time::timeout(PATIENCE, connect(request, address, case, identities)).await };
    runtime.block_on(exchange).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn connect(request: &Request, address: SocketAddr, case: &str, identities: &Identities) -> io::Result<Message> {
    let stream = tokio::net::TcpStream::connect(address).await?;
    let Some(sni) = &request.sni else { return exchange(request, stream, case).await };
    let connector = tokio_rustls::TlsConnector::from(identities.client(b"h2")?);
    let stream = connector.connect(server_name(sni)?, stream).await.map_err(refused)?;
    let agreed = identities.agreed(stream.get_ref().1);
    Ok(Message { agreed, ..exchange(request, stream, case).await? })
}

async fn exchange<S>(request: &Request, stream: S, case: &str) -> io::Result<Message>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = h2::client::handshake(stream).await.map_err(broken)?;
    let driver = tokio::spawn(connection);
    let mut sender = sender.ready().await.map_err(broken)?;
    let (head, bodiless) = (head(request, case)?, matches!(request.body, Body::None | Body::Upgrade));
    let (answer, mut body) = sender.send_request(head, bodiless).map_err(broken)?;
    match &request.body {
        Body::None | Body::Upgrade => {}
        Body::Length(length) => send_data(&mut body, &"b".repeat(*length), true)?,
        Body::Chunked(sizes, trailer) => {
            for size in sizes {
                send_data(&mut body, &"c".repeat(*size), false)?;
            }
            match trailer {
                true => {
                    let trailers =
                        HeaderMap::from_iter([(HeaderName::from_static("x-last"), HeaderValue::from_static("word"))]);
                    body.send_trailers(trailers).map_err(broken)?;
                }
                false => send_data(&mut body, "", true)?,
            }
        }
    }
    let (parts, mut body) = answer.await.map_err(broken)?.into_parts();
    let mut message = Message {
        start: format!("HTTP/2 {}", parts.status.as_u16()),
        headers: lines(&parts.headers),
        ..Message::default()
    };
    while let Some(data) = body.data().await {
        let data = data.map_err(broken)?;
        body.flow_control().release_capacity(data.len()).map_err(broken)?;
        message.body.extend_from_slice(&data);
    }
    message.trailers = body.trailers().await.map_err(broken)?.map(|trailers| lines(&trailers)).unwrap_or_default();
    driver.abort();
    Ok(message)
}

/// The request's head. What only HTTP/1.1 has is left out.
fn head(request: &Request, case: &str) -> io::Result<http::Request<()>> {
    let invalid = |error: http::Error| io::Error::new(io::ErrorKind::InvalidInput, error);
    let uri = http::Uri::builder()
        .scheme(if request.sni.is_some() { "https" } else { "http" })
        .authority(bytes(&request.host).as_slice())
        .path_and_query(bytes(&request.target).as_slice())
        .build()
        .map_err(invalid)?;
    let mut head = http::Request::builder().version(http::Version::HTTP_2).method(request.method.as_str()).uri(uri);
    for (name, value) in [(CASE, case), (WANT, request.want.as_str())] {
        head = head.header(name, value);
    }
    for (name, value) in &request.headers {
        if name != "te" || value == "trailers" {
            head = head.header(name.as_str(), bytes(value.trim()).as_slice());
        }
    }
    if let Body::Length(length) = request.body {
        head = head.header("content-length", length);
    }
    head.body(()).map_err(invalid)
}

fn send_data(body: &mut h2::SendStream<Bytes>, text: &str, last: bool) -> io::Result<()> {
    // What does not fit into the window waits in the library.
    body.send_data(Bytes::copy_from_slice(text.as_bytes()), last).map_err(broken)
}

/// Headers, as they are kept in a message.
pub(crate) fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().iter().copied().map(char::from).collect())
    };
    headers.iter().map(line).collect()
}

fn broken(error: h2::Error) -> io::Error {
    // What a stream was reset with is part of the outcome, whoever tells it in which words.
    io::Error::new(if error.is_io() { io::ErrorKind::ConnectionReset } else { io::ErrorKind::ConnectionAborted }, error)
}
