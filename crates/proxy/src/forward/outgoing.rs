//! A request on its way to an upstream: its head, then its body, at the pace at which the client sends it and the
//! upstream takes it.

mod whole;

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::SendStream;
use http::header::HOST;
use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::io::AsyncWrite;

use super::http2::Http2Request;
use super::shadow::Shadow;
use crate::http1::{RequestFraming, encode_chunk_line, encode_request_head, encode_trailers};

/// Bytes that wait for the upstream at most before no more are taken from the client.
const MOST_QUEUED: usize = 64 * 1024;
/// Pieces written at once.
const PIECES: usize = 16;

/// A request as bytes.
pub(crate) struct Outgoing {
    /// For HTTP/2 it counts as one byte.
    head: Vec<u8>,
    /// Where HTTP/2 is spoken.
    http2: Option<Box<Http2Request>>,
    /// How much of the head has gone out.
    written: usize,
    queue: VecDeque<Bytes>,
    queued: usize,
    /// Bytes of the body so far.
    received: u64,
    /// Gone once all of it has been read.
    body: Option<Incoming>,
    chunked: bool,
    bodiless: bool,
    repeatable: bool,
    /// Whether the upstream takes no more of it.
    given_up: bool,
    /// Bytes that came in or went out.
    moved: u64,
    /// What was read of the body, while it is little enough to be sent again.
    replay: Option<Replay>,
    /// Its copy for another destination, while it is being made.
    copy: Option<Box<Shadow>>,
}

/// A body's beginning, kept to be sent again.
struct Replay {
    pieces: Vec<Bytes>,
    /// Bytes that may still be kept.
    room: usize,
}

/// Why a request did not go out.
#[derive(Debug)]
pub(crate) enum OutgoingError {
    /// The client broke off.
    Client,
    /// The upstream takes no more.
    Upstream,
}

impl Outgoing {
    /// The request, in bytes. What is left of it is for whoever has a use for its memory. Up to `replay` bytes of its body
    /// are kept to be sent again. `http2`: the scheme to name, where HTTP/2 is to be spoken.
    pub(crate) fn new(
        request: Request<Incoming>,
        replay: usize,
        http2: Option<Scheme>,
    ) -> (Self, http::request::Parts) {
        let (mut parts, body) = request.into_parts();
        let framing = match body.size_hint().exact() {
            Some(0) if body.is_end_stream() => RequestFraming::Empty,
            Some(length) => RequestFraming::Length(length),
            None => RequestFraming::Chunked,
        };
        let http2 = http2.map(|scheme| Box::new(Http2Request::new(&mut parts, scheme)));
        let mut head;
        if http2.is_some() {
            head = vec![0];
        } else {
            let target = match parts.method {
                // What it names is its host (RFC 9112, 3.2.3).
                Method::CONNECT => parts.headers.get(HOST).and_then(|host| host.to_str().ok()),
                _ => parts.uri.path_and_query().map(|target| target.as_str()),
            };
            let target = target.unwrap_or("/");
            head = Vec::with_capacity(512);
            encode_request_head(&mut head, &parts.method, target, &parts.headers, framing);
        }
        let outgoing = Self {
            head,
            written: 0,
            queue: VecDeque::new(),
            queued: 0,
            received: 0,
            body: (framing != RequestFraming::Empty).then_some(body),
            chunked: framing == RequestFraming::Chunked && http2.is_none(),
            http2,
            bodiless: framing == RequestFraming::Empty,
            repeatable: framing == RequestFraming::Empty && parts.method.is_safe(),
            given_up: false,
            moved: 0,
            replay: (framing != RequestFraming::Empty && replay > 0)
                .then(|| Replay { pieces: Vec::new(), room: replay }),
            copy: None,
        };
        (outgoing, parts)
    }

    /// Whether it is one of HTTP/2.
    pub(crate) fn speaks_http2(&self) -> bool {
        self.http2.is_some()
    }

    /// Its head, with `value` for `name` where there is one.
    pub(crate) fn head_with(&self, name: &HeaderName, value: Option<&HeaderValue>) -> Vec<u8> {
        let mut head = self.head.clone();
        if let Some(value) = value {
            set_header(&mut head, name, value);
        }
        head
    }

    /// Gives `copy` the body as it is read, and sends it off at the end.
    pub(crate) fn copy_to(&mut self, mut copy: Box<Shadow>) {
        if self.body.is_some() {
            self.copy = Some(copy);
        } else if self.queue.iter().all(|piece| copy.keep(piece)) {
            copy.send();
        }
    }

    /// Sends `value` in place of what its head says of `name`, which it says once if at all. Nothing of it may have gone
    /// out.
    pub(crate) fn set_header(&mut self, name: &HeaderName, value: &HeaderValue) {
        if let Some(http2) = &mut self.http2 {
            return http2.set_header(name, value);
        }
        set_header(&mut self.head, name, value);
    }

    /// Whether all of it has gone out, or been given up.
    pub(crate) fn is_done(&self) -> bool {
        let sent = self.written == self.head.len() && self.queued == 0 && self.body.is_none();
        self.given_up || (sent && self.http2.as_ref().is_none_or(|http2| http2.ended))
    }

    /// Bytes of the body that have been read from the client.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Whether all of it that is wanted has been read from the client.
    pub(crate) fn is_read(&self) -> bool {
        self.given_up || self.body.is_none()
    }

    /// How many bytes of it came in or went out.
    pub(crate) fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether some of it has gone out.
    pub(crate) fn has_begun(&self) -> bool {
        self.written > 0
    }

    /// Whether nothing of it has gone out, or it does no harm twice (RFC 9110, 9.2.1) and has no body.
    pub(crate) fn may_be_sent_again(&self) -> bool {
        self.repeatable || self.written == 0
    }

    /// Whether it can be sent from its beginning.
    pub(crate) fn may_be_replayed(&self) -> bool {
        self.written == 0 || self.replay.is_some() || self.bodiless
    }

    /// The same request from its beginning.
    pub(crate) fn rewound(mut self) -> Self {
        if let (Some(replay), true) = (&self.replay, self.written > 0) {
            self.queue = replay.pieces.iter().cloned().collect();
            self.queued = self.queue.iter().map(Bytes::len).sum();
        }
        self.written = 0;
        self.given_up = false;
        if let Some(http2) = &mut self.http2 {
            http2.ended = false;
        }
        self
    }

    /// Keeps nothing to be sent again.
    pub(crate) fn forget_replay(&mut self) {
        self.replay = None;
    }

    /// Sends no more of it, unless it is rewound.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
    }

    /// Writes what there is. Pending as long as it waits for the client or the upstream.
    pub(crate) fn poll_write(
        &mut self,
        upstream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), OutgoingError>> {
        while !self.given_up {
            let starved = self.poll_fill(cx)?;
            while self.written < self.head.len() || self.queued > 0 {
                let n = ready!(self.poll_write_some(upstream, cx)).map_err(|_| OutgoingError::Upstream)?;
                if n == 0 {
                    return Poll::Ready(Err(OutgoingError::Upstream));
                }
                self.advance(n);
            }
            if self.body.is_some() && !starved {
                continue;
            }
            // TLS may hold some of it still.
            let flushed = Pin::new(&mut *upstream).poll_flush(cx).map_err(|_| OutgoingError::Upstream)?;
            return if self.body.is_none() { flushed.map(Ok) } else { Poll::Pending };
        }
        Poll::Ready(Ok(()))
    }

    /// Whether it asks for another protocol by HTTP/2.
    pub(crate) fn asks_http2_to_switch(&self) -> bool {
        self.http2.as_ref().is_some_and(|http2| http2.is_extended_connect())
    }

    /// The head for a stream of HTTP/2, and whether it is all there is. `None`: it is a request of HTTP/1.1.
    pub(crate) fn begin_http2(&mut self) -> Option<(Request<()>, bool)> {
        let http2 = self.http2.as_mut()?;
        self.written = self.head.len();
        http2.ended = self.bodiless;
        Some((http2.head(), self.bodiless && !http2.switches))
    }

    /// Sends what there is on a stream of HTTP/2. Pending as long as it waits for the client or the upstream.
    pub(crate) fn poll_send(
        &mut self,
        stream: &mut SendStream<Bytes>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), OutgoingError>> {
        while !self.given_up && self.http2.as_ref().is_some_and(|http2| !http2.ended) {
            let starved = self.poll_fill(cx)?;
            while let Some(first) = self.queue.front_mut() {
                stream.reserve_capacity(self.queued);
                // What is there already is not told of once more: the library wakes for what is added to it.
                let room = match stream.capacity() {
                    0 => match ready!(stream.poll_capacity(cx)) {
                        Some(Ok(room)) => room,
                        Some(Err(_)) | None => return Poll::Ready(Err(OutgoingError::Upstream)),
                    },
                    room => room,
                };
                let room = room.min(first.len());
                let piece = first.split_to(room);
                if first.is_empty() {
                    self.queue.pop_front();
                }
                self.queued -= room;
                self.moved += room as u64;
                let last = self.queue.is_empty() && self.body.is_none();
                let ends = last && self.http2.as_ref().is_some_and(|http2| http2.trailers.is_none() && !http2.switches);
                stream.send_data(piece, ends).map_err(|_| OutgoingError::Upstream)?;
                if let Some(http2) = &mut self.http2 {
                    http2.ended = ends;
                }
            }
            let Some(http2) = self.http2.as_mut().filter(|http2| self.body.is_none() && !http2.ended) else {
                if self.body.is_some() && starved {
                    return Poll::Pending;
                }
                continue;
            };
            let sent = match &http2.trailers {
                _ if http2.switches => Ok(()),
                Some(trailers) => stream.send_trailers(trailers.clone()),
                None => stream.send_data(Bytes::new(), true),
            };
            http2.ended = true;
            sent.map_err(|_| OutgoingError::Upstream)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes from the client what it has sent, up to the limit; true when it has to send more first.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Result<bool, OutgoingError> {
        while let Some(body) = &mut self.body
            && self.queued < MOST_QUEUED
        {
            let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else { return Ok(true) };
            match frame.transpose().map_err(|_| OutgoingError::Client)?.map(hyper::body::Frame::into_data) {
                Some(Ok(data)) => self.queue_data(data),
                Some(Err(frame)) => {
                    let Ok(trailers) = frame.into_trailers() else { continue };
                    if let Some(http2) = &mut self.http2 {
                        self.body = None;
                        http2.set_trailers(trailers);
                    } else if self.chunked {
                        self.body = None;
                        self.queue(encode_trailers(&trailers).into());
                    }
                }
                None => {
                    self.body = None;
                    if self.chunked {
                        self.queue(Bytes::from_static(b"0\r\n\r\n"));
                    }
                }
            }
        }
        if self.body.is_none()
            && let Some(copy) = self.copy.take()
        {
            copy.send();
        }
        Ok(false)
    }

    fn queue_data(&mut self, data: Bytes) {
        self.received += data.len() as u64;
        // An empty chunk would end the body.
        if data.is_empty() {
            return;
        }
        if self.chunked {
            self.queue(encode_chunk_line(data.len()).into());
            self.queue(data);
            self.queue(Bytes::from_static(b"\r\n"));
        } else {
            self.queue(data);
        }
    }

    fn queue(&mut self, bytes: Bytes) {
        self.queued += bytes.len();
        self.moved += bytes.len() as u64;
        if let Some(replay) = &mut self.replay {
            match replay.room.checked_sub(bytes.len()) {
                Some(room) => {
                    replay.room = room;
                    replay.pieces.push(bytes.clone());
                }
                None => self.replay = None,
            }
        }
        if let Some(copy) = &mut self.copy
            && !copy.keep(&bytes)
        {
            self.copy = None;
        }
        self.queue.push_back(bytes);
    }

    fn poll_write_some(
        &self,
        upstream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let head = &self.head[self.written..];
        if self.queue.is_empty() {
            return Pin::new(upstream).poll_write(cx, head);
        }
        let mut pieces = [IoSlice::new(&[]); PIECES];
        pieces[0] = IoSlice::new(head);
        for (piece, bytes) in pieces[1..].iter_mut().zip(&self.queue) {
            *piece = IoSlice::new(bytes);
        }
        let first = usize::from(head.is_empty());
        let end = (self.queue.len() + 1).min(PIECES);
        Pin::new(upstream).poll_write_vectored(cx, &pieces[first..end])
    }

    fn advance(&mut self, mut n: usize) {
        self.moved += n as u64;
        let of_head = n.min(self.head.len() - self.written);
        self.written += of_head;
        n -= of_head;
        self.queued -= n;
        while let Some(first) = self.queue.front_mut() {
            let taken = n.min(first.len());
            first.advance(taken);
            n -= taken;
            if !first.is_empty() {
                return;
            }
            self.queue.pop_front();
        }
    }
}

/// Makes a head say `value` of `name`, which it says once if at all.
fn set_header(head: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    let line = [b"\r\n", name.as_str().as_bytes(), b": "].concat();
    let found = head.windows(line.len()).position(|window| window == line).map(|start| start + line.len());
    // Else in front of the two line ends that are the head's last.
    let (start, length) = match found {
        Some(start) => (start, head[start..].iter().position(|byte| *byte == b'\r').unwrap_or_default()),
        None => (head.len().saturating_sub(4), 0),
    };
    let line = if found.is_none() { line } else { Vec::new() };
    head.splice(start..start + length, line.into_iter().chain(value.as_bytes().iter().copied()));
}
