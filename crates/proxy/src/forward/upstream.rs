//! A connection to an upstream, driven by the task of whichever request uses it: no task of its own, no channel.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Frame;
use tokio_util::io::poll_read_buf;

use super::gate::Held;
use super::outgoing::{Outgoing, OutgoingError};
use super::patience::{Patience, TimeLimit};
use crate::dial::Socket;
use crate::http1::{BodyDecoder, Decoded, HeadParser, ResponseError, ResponseHead};
use crate::tls::TlsFacts;

/// Bytes read at once, at least; a usual response fits.
const LEAST_READ: usize = 8 * 1024;
/// Bytes read at once, at most: a body that fills what was offered is read in larger pieces.
const MOST_READ: usize = 64 * 1024;

/// A connection to an upstream.
pub(crate) struct UpstreamConnection {
    stream: Socket,
    /// Bytes read ahead.
    input: BytesMut,
    /// How much to read next time, and at most.
    read_size: usize,
    most_read: usize,
    /// The request that it carries.
    outgoing: Option<Outgoing>,
    /// The response's body that it carries.
    body: BodyDecoder,
    /// Whether both sides keep it open after the response.
    keep_alive: bool,
    /// What it takes up, where that is limited.
    pub(super) held: Option<Box<Held>>,
    /// How many requests it has served.
    pub(crate) served: u32,
    /// Whether it has served a request before.
    pub(crate) reused: bool,
    /// The tick since which it has been idle.
    pub(crate) idle_since: u64,
    /// When it was made, as its pool counts.
    pub(super) era: u32,
}

/// Why a request got no response.
pub(crate) enum SendError {
    /// The connection ended before there was a response. `stale`: it was used before, and not a byte of one came, so that
    /// the upstream may never have seen the request.
    Closed { stale: bool },
    /// The upstream said that it did not look at the request.
    Unprocessed,
    /// The upstream reset the request's stream; the reason for clients.
    Reset(&'static str),
    /// What came back is not HTTP.
    Protocol,
    /// The client broke off.
    Client,
    /// It took too long.
    Timeout(TimeLimit),
}

/// Why a response broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    /// The connection failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The stream or its connection failed.
    #[error("{0}")]
    Http2(#[from] h2::Error),
    /// What came is not a body.
    #[error("{0}")]
    Response(#[from] ResponseError),
}

impl UpstreamConnection {
    /// A connection that has just been made. `buffer`: bytes that it may read ahead; `era`: see [`Pool::era`].
    ///
    /// [`Pool::era`]: super::pool::Pool::era
    pub(crate) fn new(stream: Socket, buffer: Option<u32>, era: u32) -> Box<Self> {
        let most_read = buffer.map_or(MOST_READ, |bytes| MOST_READ.min(bytes as usize));
        Box::new(Self {
            stream,
            input: BytesMut::new(),
            read_size: LEAST_READ.min(most_read),
            most_read,
            era,
            outgoing: None,
            body: BodyDecoder::empty(),
            keep_alive: true,
            held: None,
            served: 0,
            reused: false,
            idle_since: 0,
        })
    }

    /// How it speaks TLS, if it does.
    pub(super) fn tls(&self) -> Option<TlsFacts> {
        self.stream.tls()
    }

    /// Whether the upstream has left it open, and said nothing that was not asked.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.stream.is_quiet()
    }

    /// Whether the exchange is over and another may follow.
    pub(crate) fn is_reusable(&self) -> bool {
        self.keep_alive
            && self.body.is_done()
            && self.input.is_empty()
            && self.outgoing.as_ref().is_none_or(Outgoing::is_done)
    }

    /// Sends a request and waits for the response's head. `to_head`: its method is HEAD. `headers` lend their memory. When
    /// there is none, [`take_request`](Self::take_request) gives the request back.
    pub(crate) async fn send(
        &mut self,
        outgoing: Outgoing,
        to_head: bool,
        mut headers: HeaderMap,
        patience: &mut Patience,
    ) -> Result<ResponseHead, SendError> {
        self.outgoing = Some(outgoing);
        let mut parser = HeadParser::default();
        let sent = poll_fn(|cx| {
            if let Poll::Ready(Err(OutgoingError::Client)) = self.poll_write(cx) {
                return Poll::Ready(Err(SendError::Client));
            }
            while let Poll::Ready(read) = self.poll_read(cx) {
                if !matches!(read, Ok(1..)) {
                    let stale = self.reused && self.input.is_empty();
                    return Poll::Ready(Err(SendError::Closed { stale }));
                }
                loop {
                    match parser.parse(&mut self.input, to_head, &mut headers) {
                        // "100 Continue" and its like go no further (RFC 9110, 15.2).
                        Ok(Some(head)) if head.status.is_informational() && head.status != 101 => {
                            headers = head.headers;
                        }
                        Ok(Some(head)) => return Poll::Ready(Ok(head)),
                        Ok(None) => break,
                        Err(_) => return Poll::Ready(Err(SendError::Protocol)),
                    }
                }
            }
            let read = self.outgoing.as_ref().is_none_or(Outgoing::is_read);
            let moved = self.outgoing.as_ref().map_or(0, Outgoing::moved) + self.input.len() as u64;
            patience.poll(read, moved, cx).map(|limit| Err(SendError::Timeout(limit)))
        })
        .await;
        if let Ok(head) = &sent {
            self.keep_alive = head.keep_alive;
        }
        sent
    }

    /// The request that it carries.
    pub(crate) fn request(&self) -> Option<&Outgoing> {
        self.outgoing.as_ref()
    }

    /// Takes the request back. The connection serves again only if all of it had gone out.
    pub(crate) fn take_request(&mut self) -> Option<Outgoing> {
        self.keep_alive &= self.outgoing.as_ref().is_none_or(Outgoing::is_done);
        self.outgoing.take()
    }

    /// The request will not be sent again: what was kept of it may go.
    pub(crate) fn forget_replay(&mut self) {
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.forget_replay();
        }
    }

    /// Gets the response's body ready to be read: whole, if it is here already.
    pub(crate) fn begin_body(&mut self, mut body: BodyDecoder) -> Option<Bytes> {
        let whole = match body.remaining() {
            Some(0) => Some(Bytes::new()),
            Some(left) if left <= self.input.len() as u64 => match body.decode(&mut self.input) {
                Ok(Decoded::Data(data)) => Some(data),
                _ => None,
            },
            _ => None,
        };
        self.body = body;
        whole
    }

    /// How many bytes of the response's body are to come, where that is known.
    pub(crate) fn body_remaining(&self) -> Option<u64> {
        self.body.remaining()
    }

    /// Whether the response's body has been read to its end.
    pub(crate) fn body_is_done(&self) -> bool {
        self.body.is_done()
    }

    /// More of the response's body.
    pub(crate) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ReceiveError>>> {
        // A response may begin before the request has ended; the upstream may be waiting for the rest.
        let _ = self.poll_write(cx);
        loop {
            match self.body.decode(&mut self.input) {
                Ok(Decoded::Data(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(Decoded::Trailers(trailers)) => return Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                Ok(Decoded::End) => return Poll::Ready(None),
                Ok(Decoded::More) => {}
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
            match ready!(self.poll_read(cx)) {
                Ok(0) => {
                    self.keep_alive = false;
                    if let Err(error) = self.body.finish() {
                        return Poll::Ready(Some(Err(error.into())));
                    }
                }
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
        }
    }

    /// The socket and what was read beyond the response, once the upstream has switched protocols.
    pub(crate) fn into_socket(self) -> (Socket, Bytes) {
        (self.stream, self.input.freeze())
    }

    /// Sends what there is to send. An upstream that takes no more may have answered already; it is left to say so.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), OutgoingError>> {
        let Some(outgoing) = &mut self.outgoing else { return Poll::Ready(Ok(())) };
        let result = ready!(outgoing.poll_write(&mut self.stream, cx));
        match result {
            Ok(()) => {}
            Err(OutgoingError::Client) => return Poll::Ready(Err(OutgoingError::Client)),
            Err(OutgoingError::Upstream) => {
                self.keep_alive = false;
                outgoing.give_up();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once; 0 at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.reserve(self.read_size);
        let n = ready!(poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input))?;
        self.read_size = if n >= self.read_size { n * 2 } else { LEAST_READ }.min(self.most_read);
        Poll::Ready(Ok(n))
    }
}
