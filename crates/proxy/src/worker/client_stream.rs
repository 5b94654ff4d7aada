//! A client's socket, plain or with TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::{ConnectionState, Worker};
use crate::tls::{PeerCertificate, TlsFacts, TlsTable};

/// A client's socket. What TLS needs is kept apart, so that it costs a plain connection nothing.
pub(crate) enum ClientStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl ClientStream {
    /// Shakes hands with a client. One that asks for a name that is not served finds its connection closed without a
    /// word, as Envoy does it.
    pub(super) async fn accept(
        stream: TcpStream,
        table: &TlsTable,
        worker: &Worker,
        state: &ConnectionState,
    ) -> io::Result<Self> {
        let shaken = async {
            let greeted = LazyConfigAcceptor::new(Default::default(), stream).await?;
            let hello = greeted.client_hello();
            let chain = table.find(hello.server_name()).ok_or(io::ErrorKind::ConnectionRefused)?;
            let config = chain.config(&hello);
            let stream = greeted.into_stream(config).await?;
            state.secured_by(chain, TlsFacts::of_client(stream.get_ref().1));
            let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
            if let Some(certificate) = PeerCertificate::new(shown, chain) {
                state.shown(certificate);
            }
            Ok(Self::Tls(Box::new(stream)))
        };
        let result = shaken.await;
        if let Err(error) = &result {
            worker.counters.tls_handshake_failures.add(1);
            tracing::debug!(%error, "a TLS handshake failed");
        }
        result
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
