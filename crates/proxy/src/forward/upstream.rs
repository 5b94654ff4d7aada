//! A connection to an upstream, driven by whichever request uses it.
//!
//! hyper's client splits a connection in two: a handle that takes requests and a future that moves bytes. The future
//! usually runs in a task of its own, which costs wake-ups and hand-overs for each request; here the request's own task
//! polls it. Whatever the handle waits for then changes only while the future is polled, so the handle is polled right
//! after it and needs no waker, and what the two do to each other wakes nobody ([`InlineWaker`]).

use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::inline_waker::InlineWaker;
use crate::worker::Deadline;

/// A client's request body on its way to an upstream. Says when all of it has been read.
pub(crate) struct RequestBody(Option<Streamed>);

struct Streamed {
    incoming: Incoming,
    ended: Rc<Cell<bool>>,
}

impl RequestBody {
    /// The body and, unless it is empty, a cell that becomes true at its end.
    pub(crate) fn new(incoming: Incoming) -> (Self, Option<Rc<Cell<bool>>>) {
        if incoming.is_end_stream() {
            return (Self::empty(), None);
        }
        let ended = Rc::new(Cell::new(false));
        (Self(Some(Streamed { incoming, ended: Rc::clone(&ended) })), Some(ended))
    }

    /// No body.
    pub(crate) fn empty() -> Self {
        Self(None)
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let frame = Pin::new(&mut body.incoming).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || body.incoming.is_end_stream() {
            body.ended.set(true);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|body| body.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |body| body.incoming.size_hint())
    }
}

/// Why a request got no response.
pub(crate) enum SendError {
    /// The connection was closed before the request went out; here it is again.
    NotSent(Box<Request<RequestBody>>),
    /// The connection ended, or what came back is not HTTP.
    Broken(hyper::Error),
    /// The deadline passed.
    Timeout,
}

type Driver = Connection<TokioIo<TcpStream>, RequestBody>;

/// A connection to an upstream.
pub(crate) struct UpstreamConnection {
    sender: SendRequest<RequestBody>,
    /// Gone once it has ended without an answer.
    driver: Option<Driver>,
    waker: InlineWaker,
    /// Whether the driver is done: the connection is closed, or switched protocols.
    ended: bool,
    /// Whether it has served a request before.
    pub(crate) reused: bool,
    /// The tick since which it has been idle.
    pub(crate) idle_since: u64,
}

impl UpstreamConnection {
    /// Connects to `address`.
    pub(crate) async fn connect(address: SocketAddr) -> std::io::Result<Box<Self>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) =
            Builder::new().max_headers(256).handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        Ok(Box::new(Self {
            sender,
            driver: Some(driver),
            waker: InlineWaker::new(),
            ended: false,
            reused: false,
            idle_since: 0,
        }))
    }

    /// Moves bytes.
    fn drive(&mut self, cx: &Context<'_>) {
        let (driver, ended) = (&mut self.driver, &mut self.ended);
        self.waker.run(cx, |cx| {
            *ended = *ended || poll_driver(driver, cx);
            *ended
        });
    }

    /// Asks `incoming`, the body of the response that comes on this connection, for more.
    pub(crate) fn poll_body(
        &mut self,
        incoming: &mut Incoming,
        cx: &Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut ask = || Pin::new(&mut *incoming).poll_frame(&mut Context::from_waker(Waker::noop()));
        let mut frame = self.waker.quietly(&mut ask);
        if frame.is_pending() {
            let (driver, ended) = (&mut self.driver, &mut self.ended);
            self.waker.run(cx, |cx| {
                *ended = *ended || poll_driver(driver, cx);
                frame = ask();
                frame.is_ready()
            });
        }
        frame
    }

    /// Whether it can take a request, as far as is known without asking the system again.
    pub(crate) fn is_ready(&mut self, cx: &Context<'_>) -> bool {
        self.drive(cx);
        !self.ended && self.sender.is_ready()
    }

    /// Sends a request and waits for the response's headers. `deadline` is made when the request's body has ended.
    pub(crate) async fn send(
        &mut self,
        request: Request<RequestBody>,
        body_ended: Option<&Cell<bool>>,
        deadline: &mut Option<Deadline>,
        make_deadline: impl Fn() -> Deadline,
    ) -> Result<Response<Incoming>, SendError> {
        let (sender, driver, ended) = (&mut self.sender, &mut self.driver, &mut self.ended);
        let mut response = pin!(self.waker.quietly(|| sender.try_send_request(request)));
        poll_fn(|cx| {
            let mut result = Poll::Pending;
            self.waker.run(cx, |cx| {
                *ended = *ended || poll_driver(driver, cx);
                result = response.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                result.is_ready() || *ended
            });
            if *ended && result.is_pending() {
                // It ended before it took the request, which comes back when the driver goes.
                *driver = None;
                result = response.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            if let Poll::Ready(result) = result {
                return Poll::Ready(result.map_err(|mut error| match error.take_message() {
                    Some(request) => SendError::NotSent(Box::new(request)),
                    None => SendError::Broken(error.into_error()),
                }));
            }
            if deadline.is_none() && body_ended.is_none_or(Cell::get) {
                *deadline = Some(make_deadline());
            }
            match deadline {
                Some(deadline) if deadline.poll_passed(cx) => Poll::Ready(Err(SendError::Timeout)),
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// The socket and what was read beyond the response, once the upstream has switched protocols.
    pub(crate) async fn into_socket(mut self: Box<Self>) -> Option<(TcpStream, Bytes)> {
        poll_fn(|cx| {
            self.drive(cx);
            if self.ended { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let parts = self.driver?.into_parts();
        Some((parts.io.into_inner(), parts.read_buf))
    }
}

/// Whether the driver has ended.
fn poll_driver(driver: &mut Option<Driver>, cx: &mut Context<'_>) -> bool {
    driver.as_mut().is_none_or(|driver| Pin::new(driver).poll(cx).is_ready())
}
