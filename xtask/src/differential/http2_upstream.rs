//! Upstreams that speak HTTP/2, and answer as the others do.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};

use super::http2::lines;
use super::message::Message;
use super::request::bytes;
use super::upstream::{self, Arrivals};

/// Headers of one connection of HTTP/1.1, which HTTP/2 does not have.
const NOT_HERE: [&str; 4] = ["connection", "keep-alive", "transfer-encoding", "x-hop"];

/// Starts the upstream `name`, which lives as long as the process; where it listens. `tls`: how it speaks TLS, if it does.
pub(crate) fn start(name: &str, arrivals: &Arrivals, tls: Option<Arc<ServerConfig>>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (name, arrivals) = (Arc::<str>::from(name), arrivals.clone());
    std::thread::spawn(move || runtime.block_on(accept(listener, name, arrivals, tls)));
    Ok(address)
}

async fn accept(
    listener: TcpListener,
    name: Arc<str>,
    arrivals: Arrivals,
    tls: Option<Arc<ServerConfig>>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let tls = tls.map(tokio_rustls::TlsAcceptor::from);
    loop {
        let (stream, _) = listener.accept().await?;
        let (name, arrivals, tls) = (Arc::clone(&name), arrivals.clone(), tls.clone());
        // Whoever breaks off is seen on the other side.
        tokio::spawn(async move {
            let Some(tls) = tls else { return drop(serve(stream, name, arrivals).await) };
            if let Ok(stream) = tls.accept(stream).await {
                let asked = stream.get_ref().1.server_name().unwrap_or_default();
                let name = format!("{name}, asked for {asked:?}").into();
                drop(serve(stream, name, arrivals).await);
            }
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    name: Arc<str>,
    arrivals: Arrivals,
) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(exchange) = connection.accept().await {
        let (request, respond) = exchange?;
        let (name, arrivals) = (Arc::clone(&name), arrivals.clone());
        tokio::spawn(async move { drop(answer(request, respond, &name, &arrivals).await) });
    }
    Ok(())
}

async fn answer(
    request: Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
    name: &str,
    arrivals: &Arrivals,
) -> io::Result<()> {
    let (parts, mut body) = request.into_parts();
    let uri = &parts.uri;
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let pseudo = [(":scheme", uri.scheme_str()), (":authority", uri.authority().map(|authority| authority.as_str()))];
    let pseudo = pseudo.map(|(name, value)| (name.to_owned(), value.unwrap_or_default().to_owned()));
    let mut message = Message {
        start: format!("{} {target} HTTP/2", parts.method),
        headers: pseudo.into_iter().chain(lines(&parts.headers)).collect(),
        ..Message::default()
    };
    while let Some(data) = body.data().await {
        let data = data.map_err(io::Error::other)?;
        body.flow_control().release_capacity(data.len()).map_err(io::Error::other)?;
        message.body.extend_from_slice(&data);
    }
    message.trailers =
        body.trailers().await.map_err(io::Error::other)?.map(|trailers| lines(&trailers)).unwrap_or_default();
    let before = arrivals.add(name, &message);
    if upstream::breaks(&message, before) {
        respond.send_reset(h2::Reason::INTERNAL_ERROR);
        return Ok(());
    }
    let text = upstream::answer(&message, name, before);
    let answer = Message::read_response(&mut text.as_slice(), message.start.starts_with("HEAD "))?;
    let mut head = Response::builder().status(answer.status().unwrap_or(500)).body(()).map_err(io::Error::other)?;
    *head.headers_mut() = map(&answer.headers)?;
    let (ends, trailers) = (answer.body.is_empty(), !answer.trailers.is_empty());
    let mut stream = respond.send_response(head, ends && !trailers).map_err(io::Error::other)?;
    if !ends {
        stream.send_data(answer.body.into(), !trailers).map_err(io::Error::other)?;
    }
    if trailers {
        stream.send_trailers(map(&answer.trailers)?).map_err(io::Error::other)?;
    }
    Ok(())
}

fn map(lines: &[(String, String)]) -> io::Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in lines.iter().filter(|(name, _)| !NOT_HERE.contains(&name.as_str())) {
        let name = HeaderName::try_from(name.as_str()).map_err(io::Error::other)?;
        map.append(name, HeaderValue::try_from(bytes(value)).map_err(io::Error::other)?);
    }
    Ok(map)
}
