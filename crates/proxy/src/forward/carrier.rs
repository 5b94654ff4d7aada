//! What carries a request to an upstream: a connection of HTTP/1.1 for itself, or a stream of one that it shares.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;

use super::http2::Http2Stream;
use super::outgoing::Outgoing;
use super::patience::Patience;
use super::upstream::{ReceiveError, SendError, UpstreamConnection};
use crate::balance::Slot;
use crate::http1::{BodyDecoder, ResponseHead};
use crate::tls::TlsFacts;

/// What carries a request to an upstream.
pub(crate) enum Carrier {
    Http1(Box<UpstreamConnection>),
    Http2(Box<Http2Stream>),
}

impl Carrier {
    /// The same, with the place that its request takes up, if places are counted.
    pub(super) fn holding(mut self, slot: Option<Slot>) -> Self {
        if let Self::Http2(stream) = &mut self {
            stream.slot = slot;
        }
        self
    }

    /// See [`UpstreamConnection::send`].
    pub(crate) async fn send(
        &mut self,
        outgoing: Outgoing,
        to_head: bool,
        headers: HeaderMap,
        patience: &mut Patience,
    ) -> Result<ResponseHead, SendError> {
        match self {
            Self::Http1(connection) => connection.send(outgoing, to_head, headers, patience).await,
            Self::Http2(stream) => stream.send(outgoing, patience).await,
        }
    }

    /// Whether it has served a request before, and may have been closed since without a word.
    pub(crate) fn reused(&self) -> bool {
        match self {
            Self::Http1(connection) => connection.reused,
            Self::Http2(_) => false,
        }
    }

    /// Whether it is a stream of HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    /// How it speaks TLS, if it does.
    pub(crate) fn tls(&self) -> Option<TlsFacts> {
        match self {
            Self::Http1(connection) => connection.tls(),
            Self::Http2(stream) => stream.tls(),
        }
    }

    /// The request that it carries.
    pub(crate) fn request(&self) -> Option<&Outgoing> {
        match self {
            Self::Http1(connection) => connection.request(),
            Self::Http2(stream) => stream.request(),
        }
    }

    /// Bytes of the request's body that have been read from the client.
    pub(crate) fn received(&self) -> u64 {
        self.request().map_or(0, Outgoing::received)
    }

    /// Takes the request back.
    pub(crate) fn take_request(&mut self) -> Option<Outgoing> {
        match self {
            Self::Http1(connection) => connection.take_request(),
            Self::Http2(stream) => stream.take_request(),
        }
    }

    /// The request will not be sent again: what was kept of it may go.
    pub(crate) fn forget_replay(&mut self) {
        match self {
            Self::Http1(connection) => connection.forget_replay(),
            Self::Http2(stream) => stream.forget_replay(),
        }
    }

    /// Gets the response's body ready to be read: whole, if it is here already.
    pub(crate) fn begin_body(&mut self, body: BodyDecoder) -> Option<Bytes> {
        match self {
            Self::Http1(connection) => connection.begin_body(body),
            Self::Http2(stream) => stream.body_is_done().then(Bytes::new),
        }
    }

    /// How many bytes of the response's body are to come, where that is known.
    pub(crate) fn body_remaining(&self) -> Option<u64> {
        match self {
            Self::Http1(connection) => connection.body_remaining(),
            Self::Http2(_) => None,
        }
    }

    /// Whether the response's body has been read to its end.
    pub(crate) fn body_is_done(&self) -> bool {
        match self {
            Self::Http1(connection) => connection.body_is_done(),
            Self::Http2(stream) => stream.body_is_done(),
        }
    }

    /// More of the response's body.
    pub(crate) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ReceiveError>>> {
        match self {
            Self::Http1(connection) => connection.poll_body(cx),
            Self::Http2(stream) => stream.poll_body(cx),
        }
    }
}
