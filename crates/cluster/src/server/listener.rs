//! Connections: TCP on loopback, TLS, HTTP/1.1 and HTTP/2, with limits on how long a client may dawdle.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{Server, answer};

/// Time for the TLS handshake, and for the headers of a request.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(15);
/// An HTTP/2 connection that does not answer a ping is closed.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_ANSWER: Duration = Duration::from_secs(20);
/// Connections at a time.
const MOST_CONNECTIONS: usize = 512;
/// Time for requests under way when the server stops.
const DRAIN: Duration = Duration::from_secs(2);

/// A bound socket that is not served yet.
pub struct Listener {
    socket: TcpListener,
    tls: TlsAcceptor,
}

impl Listener {
    /// Binds 127.0.0.1.
    ///
    /// # Errors
    /// The operating system's, such as a port in use.
    pub async fn bind(port: u16, config: rustls::ServerConfig) -> std::io::Result<Listener> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        Ok(Listener { socket, tls: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The operating system's.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// Serves until `server.stopping` is cancelled, then lets requests under way end.
pub async fn serve(listener: Listener, server: Arc<Server>) {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(tokio::sync::Semaphore::new(MOST_CONNECTIONS));
    let kill = CancellationToken::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.socket.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: wait for some to be freed.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = server.stopping.cancelled() => break,
        };
        let Ok(slot) = slots.clone().try_acquire_owned() else { continue };
        let (tls, server, watcher, kill) = (listener.tls.clone(), server.clone(), graceful.watcher(), kill.clone());
        tokio::spawn(async move {
            let _slot = slot;
            tokio::select! {
                () = connection(stream, tls, server, watcher) => {}
                () = kill.cancelled() => {}
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    kill.cancel();
}

async fn connection(
    stream: TcpStream,
    tls: TlsAcceptor,
    server: Arc<Server>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else { return };
    // The verifier has checked the certificate; that there is one is all there is to know.
    let authenticated = stream.get_ref().1.peer_certificates().is_some();
    let service = service_fn(move |request: http::Request<Incoming>| {
        let server = server.clone();
        async move { Ok::<_, std::convert::Infallible>(answer(server, authenticated, request.map(Body::new)).await) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS).max_headers(100);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_ANSWER)
        .max_header_list_size(64 << 10)
        .max_concurrent_streams(250);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection.into_owned()).await {
        tracing::debug!(error, "connection closed");
    }
}
