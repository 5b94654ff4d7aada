//! The body of a response to a client: none, one chunk, or what an upstream sends, as it comes.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_LENGTH;
use http_body::{Frame, SizeHint};

use super::carrier::Carrier;
use super::exchange::Exchange;
use super::pool::Pool;
use super::upstream::ReceiveError;
use crate::access_log::Outcome;
use crate::health::Happened;
use crate::worker::Deadline;

/// A response's body. The exchange ends with it.
pub(crate) struct Body {
    kind: Kind,
    exchange: Option<Exchange>,
}

enum Kind {
    Full(Bytes),
    Upstream(UpstreamBody),
}

/// A body that comes from an upstream, and the connection that it comes on.
pub(crate) struct UpstreamBody {
    /// Gone once it has broken off.
    connection: Option<Carrier>,
    pool: Rc<Pool>,
    /// Until when it has to be over, and what it is then.
    deadline: Option<(Deadline, Outcome)>,
    /// How long it may stand still, and until when this time.
    idle: Option<(Duration, Deadline)>,
}

/// Why a response broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// The upstream's connection ended, or it sent what is not HTTP.
    #[error("the upstream broke off: {0}")]
    Upstream(#[from] ReceiveError),
    /// The route's time ran out.
    #[error("the response took longer than the route allows")]
    Timeout,
    /// Nothing came for too long.
    #[error("the response stood still for longer than the route allows")]
    Standstill,
}

impl Body {
    pub(crate) fn full(bytes: Bytes, exchange: Exchange) -> Self {
        Self { kind: Kind::Full(bytes), exchange: Some(exchange) }
    }

    /// No body, of a response whose exchange goes on.
    pub(crate) fn none() -> Self {
        Self { kind: Kind::Full(Bytes::new()), exchange: None }
    }

    /// The exchange that ends with this body.
    pub(crate) fn exchange(&mut self) -> Option<&mut Exchange> {
        self.exchange.as_mut()
    }

    pub(crate) fn upstream(
        connection: Carrier,
        pool: Rc<Pool>,
        deadline: Option<Deadline>,
        exchange: Exchange,
    ) -> Self {
        let idle = exchange.policy.as_ref().and_then(|policy| policy.idle_timeout());
        let idle = idle.or_else(|| exchange.connection.stream_idle()).filter(|idle| !idle.is_zero());
        let idle = idle.map(|idle| (idle, exchange.worker.deadlines.after(idle)));
        let deadline = deadline.map(|deadline| (deadline, Outcome::Timeout));
        let expiry = exchange.time_left().map(|left| (exchange.worker.deadlines.after(left), Outcome::Expired));
        let deadline = match (deadline, expiry) {
            (Some(route), Some(expiry)) => Some(if expiry.0.is_before(&route.0) { expiry } else { route }),
            (route, expiry) => route.or(expiry),
        };
        let body = UpstreamBody { connection: Some(connection), pool, deadline, idle };
        Self { kind: Kind::Upstream(body), exchange: Some(exchange) }
    }
}

/// A response of our own without its content, whose length is all that is told: the answer to HEAD.
pub(super) fn without_content(mut response: Response<Body>) -> Response<Body> {
    if let Kind::Full(bytes) = &mut response.body_mut().kind {
        let length = std::mem::take(bytes).len();
        if length > 0 {
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
    }
    response
}

/// Counts bytes that go to the client.
fn count(exchange: &mut Option<Exchange>, bytes: usize) {
    if let Some(record) = exchange.as_mut().and_then(Exchange::record) {
        record.sent += bytes as u64;
    }
}

/// Remembers why the response broke off.
fn end(exchange: &mut Option<Exchange>, outcome: Outcome) {
    if let Some(exchange) = exchange {
        exchange.outcome = outcome;
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let body = match &mut this.kind {
            Kind::Full(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                count(&mut this.exchange, bytes.len());
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            Kind::Upstream(body) => body,
        };
        let Some(connection) = &mut body.connection else { return Poll::Ready(None) };
        let frame = connection.poll_body(cx).map_err(BodyError::from);
        if frame.is_pending()
            && let Some((_, outcome)) = body.deadline.as_ref().filter(|(deadline, _)| deadline.poll_passed(cx))
        {
            body.connection = None;
            end(&mut this.exchange, *outcome);
            return Poll::Ready(Some(Err(BodyError::Timeout)));
        }
        if let (Some((time, until)), Some(exchange)) = (&mut body.idle, &mut this.exchange) {
            if frame.is_ready() {
                *until = exchange.worker.deadlines.after(*time);
            } else if until.poll_passed(cx) {
                body.connection = None;
                exchange.outcome = Outcome::Standstill;
                return Poll::Ready(Some(Err(BodyError::Standstill)));
            }
        }
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                count(&mut this.exchange, frame.data_ref().map_or(0, Bytes::len));
                if let Some(trailers) = frame.trailers_ref()
                    && let Some(record) = this.exchange.as_mut().and_then(Exchange::record)
                {
                    record.keep_trailers(trailers);
                }
            }
            Poll::Ready(Some(Err(_))) => {
                end(&mut this.exchange, Outcome::UpstreamClosed);
                if let Some(active) = this.exchange.as_ref().and_then(|exchange| exchange.active.as_ref()) {
                    active.note(Happened::Broken);
                }
            }
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Upstream(body) => body.connection.as_ref().is_none_or(|connection| connection.body_is_done()),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Upstream(body) => {
                let remaining = body.connection.as_ref().and_then(|connection| connection.body_remaining());
                remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
            }
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let (Kind::Upstream(body), Some(exchange)) = (&mut self.kind, &mut self.exchange)
            && let Some(connection) = body.connection.take()
        {
            if let Some(record) = exchange.record() {
                record.received = connection.received();
                if !connection.body_is_done() && exchange.outcome == Outcome::ViaUpstream {
                    exchange.outcome = Outcome::ClientLeft;
                }
            }
            body.pool.put(connection, &exchange.worker);
        }
    }
}
