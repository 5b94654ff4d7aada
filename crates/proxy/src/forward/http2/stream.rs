//! One request and its response on a shared connection, driven by the request's own task.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream, SendStream};
use http_body::Frame;

use super::Http2Connection;
use super::pipe::Http2Pipe;
use crate::balance::Slot;
use crate::forward::outgoing::{Outgoing, OutgoingError};
use crate::forward::patience::Patience;
use crate::forward::reply;
use crate::forward::upstream::{ReceiveError, SendError};
use crate::http1::{BodyDecoder, ResponseHead};
use crate::tls::TlsFacts;
use crate::worker::Worker;

/// A request on a stream of its own. The stream is reset when this is dropped before its end.
pub(crate) struct Http2Stream {
    connection: Rc<Http2Connection>,
    worker: Rc<Worker>,
    outgoing: Option<Outgoing>,
    send: Option<SendStream<Bytes>>,
    response: Option<ResponseFuture>,
    body: Option<RecvStream>,
    /// Its place among the requests of its cluster, where those are counted.
    pub(in crate::forward) slot: Option<Slot>,
}

impl Http2Stream {
    pub(crate) fn new(connection: Rc<Http2Connection>, worker: Rc<Worker>) -> Self {
        connection.begin();
        Self { connection, worker, outgoing: None, send: None, response: None, body: None, slot: None }
    }

    /// Sends a request and waits for the response's head.
    pub(crate) async fn send(
        &mut self,
        outgoing: Outgoing,
        patience: &mut Patience,
    ) -> Result<ResponseHead, SendError> {
        let outgoing = self.outgoing.insert(outgoing);
        if outgoing.asks_http2_to_switch() {
            let knows = self.connection.knows_extended_connect();
            match patience.within(true, knows).await {
                Ok(true) => {}
                Ok(false) => return Err(SendError::Protocol),
                Err(limit) => return Err(SendError::Timeout(limit)),
            }
        }
        let stale = self.connection.used.replace(true);
        let Some((head, ends)) = outgoing.begin_http2() else { return Err(SendError::Protocol) };
        match self.connection.sender().send_request(head, ends) {
            Ok((response, send)) => (self.response, self.send) = (Some(response), Some(send)),
            Err(error) => return Err(failure(&error, stale)),
        }
        let response = poll_fn(|cx| {
            if let Poll::Ready(Err(OutgoingError::Client)) = self.poll_write(cx) {
                return Poll::Ready(Err(SendError::Client));
            }
            if let Some(response) = &mut self.response
                && let Poll::Ready(response) = Pin::new(response).poll(cx)
            {
                return Poll::Ready(response.map_err(|error| failure(&error, stale)));
            }
            let read = self.outgoing.as_ref().is_none_or(Outgoing::is_read);
            let moved = self.outgoing.as_ref().map_or(0, Outgoing::moved);
            patience.poll(read, moved, cx).map(|limit| Err(SendError::Timeout(limit)))
        })
        .await?;
        self.response = None;
        let (parts, body) = response.into_parts();
        self.body = Some(body);
        Ok(ResponseHead { status: parts.status, headers: parts.headers, keep_alive: true, body: BodyDecoder::empty() })
    }

    /// How its connection speaks TLS, if it does.
    pub(in crate::forward) fn tls(&self) -> Option<TlsFacts> {
        self.connection.tls.clone()
    }

    /// The request that it carries.
    pub(crate) fn request(&self) -> Option<&Outgoing> {
        self.outgoing.as_ref()
    }

    /// Takes the request back.
    pub(crate) fn take_request(&mut self) -> Option<Outgoing> {
        self.send = None;
        self.outgoing.take()
    }

    /// The request will not be sent again.
    pub(crate) fn forget_replay(&mut self) {
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.forget_replay();
        }
    }

    /// The stream as bytes, once both sides have agreed on another protocol.
    pub(crate) fn into_pipe(mut self: Box<Self>) -> Option<Http2Pipe> {
        let (send, receive) = (self.send.take()?, self.body.take()?);
        Some(Http2Pipe::new(send, receive, self))
    }

    /// Whether the response's body has been read to its end.
    pub(crate) fn body_is_done(&self) -> bool {
        self.body.as_ref().is_none_or(RecvStream::is_end_stream)
    }

    /// More of the response's body.
    pub(crate) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ReceiveError>>> {
        // A response may begin before the request has ended; the upstream may be waiting for the rest.
        let _ = self.poll_write(cx);
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        match ready!(body.poll_data(cx)) {
            Some(Ok(data)) => {
                // The client takes it before more is asked for.
                let _ = body.flow_control().release_capacity(data.len());
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error.into()))),
            None => {
                let trailers = ready!(body.poll_trailers(cx));
                self.body = None;
                Poll::Ready(
                    trailers.map_err(ReceiveError::from).transpose().map(|trailers| trailers.map(Frame::trailers)),
                )
            }
        }
    }

    /// Sends what there is to send. An upstream that takes no more may have answered already; it is left to say so.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), OutgoingError>> {
        let (Some(outgoing), Some(send)) = (&mut self.outgoing, &mut self.send) else { return Poll::Ready(Ok(())) };
        match ready!(outgoing.poll_send(send, cx)) {
            Err(OutgoingError::Client) => return Poll::Ready(Err(OutgoingError::Client)),
            Err(OutgoingError::Upstream) => outgoing.give_up(),
            Ok(()) => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Http2Stream {
    fn drop(&mut self) {
        self.connection.end(self.worker.now());
    }
}

/// Why there was no response. `stale`: the connection had been used before.
fn failure(error: &h2::Error, stale: bool) -> SendError {
    if error.is_go_away() && error.is_remote() && error.reason() == Some(Reason::NO_ERROR) {
        // The upstream says that it has not looked at this request (RFC 9113, 6.8).
        SendError::Unprocessed
    } else if error.is_reset() && error.is_remote() {
        let refused = error.reason() == Some(Reason::REFUSED_STREAM);
        SendError::Reset(if refused { reply::REMOTE_REFUSED } else { reply::REMOTE_RESET })
    } else if error.is_library() {
        SendError::Protocol
    } else {
        SendError::Closed { stale }
    }
}
