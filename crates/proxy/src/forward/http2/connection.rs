//! A worker's HTTP/2 connections to one endpoint.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared};
use h2::Ping;
use h2::client::SendRequest;

use super::Http2Settings;
use crate::dial::Socket;
use crate::forward::Unconnected;
use crate::tls::TlsFacts;
use crate::worker::Worker;

/// Bytes of a response's body that may be under way on one stream, unless something else is asked for.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The same for all streams of a connection: those of slow clients must not hold up the others (Envoy's default).
const CONNECTION_WINDOW: u32 = 256 * 1024 * 1024;
/// Requests that a connection carries at once, unless something else is asked for or the upstream says less.
const CONCURRENT_STREAMS: u32 = 1024;

/// A connection that requests share. It closes when this is dropped and its last stream has ended.
pub(crate) struct Http2Connection {
    sender: SendRequest<Bytes>,
    active: Cell<usize>,
    /// How many more requests it takes.
    left: Cell<u32>,
    most: usize,
    open: Rc<Cell<bool>>,
    /// How it speaks TLS, if it does.
    pub(super) tls: Option<TlsFacts>,
    /// Whether a request was sent on it before.
    pub(super) used: Cell<bool>,
    /// The tick since which it has been idle.
    idle_since: Cell<u64>,
    /// When what the upstream can do is known.
    known: Shared<LocalBoxFuture<'static, ()>>,
}

impl Http2Connection {
    /// Begins to speak HTTP/2 on `socket`.
    pub(crate) async fn open(socket: Socket, settings: Http2Settings, worker: &Worker) -> Result<Rc<Self>, h2::Error> {
        let header_bytes = u32::try_from(worker.limits.header_bytes).unwrap_or(u32::MAX);
        let tls = socket.tls();
        let (sender, mut connection) = h2::client::Builder::new()
            .enable_push(false)
            .initial_window_size(settings.stream_window.unwrap_or(STREAM_WINDOW))
            .initial_connection_window_size(settings.connection_window.unwrap_or(CONNECTION_WINDOW))
            .max_header_list_size(header_bytes)
            .handshake(socket)
            .await?;
        let pings = connection.ping_pong();
        // An upstream says what it can do before anything else, so that it has when it answers.
        let known = async move {
            if let Some(mut pings) = pings {
                let _ = pings.ping(Ping::opaque()).await;
            }
        };
        let open = Rc::new(Cell::new(true));
        let alive = Rc::clone(&open);
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP/2 connection to an upstream broke off");
            }
            alive.set(false);
        });
        let most = settings.concurrent_streams.unwrap_or(CONCURRENT_STREAMS).max(1) as usize;
        Ok(Rc::new(Self {
            sender,
            active: Cell::new(0),
            left: Cell::new(settings.requests.unwrap_or(u32::MAX)),
            most,
            open,
            tls,
            used: Cell::new(false),
            idle_since: Cell::new(worker.now()),
            known: known.boxed_local().shared(),
        }))
    }

    /// Where the next request is sent.
    pub(super) fn sender(&self) -> SendRequest<Bytes> {
        self.sender.clone()
    }

    /// Whether the upstream knows extended CONNECT, once that is known.
    pub(super) async fn knows_extended_connect(&self) -> bool {
        if !self.sender.is_extended_connect_protocol_enabled() {
            self.known.clone().await;
        }
        self.sender.is_extended_connect_protocol_enabled()
    }

    pub(super) fn begin(&self) {
        self.active.set(self.active.get() + 1);
        self.left.set(self.left.get().saturating_sub(1));
    }

    pub(super) fn end(&self, now: u64) {
        self.active.set(self.active.get().saturating_sub(1));
        self.idle_since.set(now);
    }

    /// Whether the upstream takes new requests on it.
    fn is_open(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.left.get() > 0
            && self.open.get()
            && !matches!(self.sender.clone().poll_ready(&mut cx), std::task::Poll::Ready(Err(_)))
    }

    fn has_room(&self) -> bool {
        self.active.get() < self.most.min(self.sender.current_max_send_streams())
    }
}

/// A connection that is being made, for all requests that wait for it; an error is a reason for clients.
type Connecting = Shared<LocalBoxFuture<'static, Result<Rc<Http2Connection>, Unconnected>>>;

/// The connections to one endpoint.
#[derive(Default)]
pub(crate) struct Http2Pool {
    connections: RefCell<Vec<Rc<Http2Connection>>>,
    connecting: RefCell<Option<Connecting>>,
}

impl Http2Pool {
    /// A connection with room for one more request.
    pub(crate) fn take(&self) -> Option<Rc<Http2Connection>> {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|connection| connection.is_open());
        connections.iter().find(|connection| connection.has_room()).cloned()
    }

    /// A connection that is new; requests that ask while one is being made wait for that one.
    pub(crate) async fn connect(
        &self,
        make: impl Future<Output = Result<Rc<Http2Connection>, Unconnected>> + 'static,
    ) -> Result<(), Unconnected> {
        let connecting = self.connecting.borrow_mut().get_or_insert_with(|| make.boxed_local().shared()).clone();
        let made = connecting.clone().await;
        let mut current = self.connecting.borrow_mut();
        if current.as_ref().is_some_and(|current| current.ptr_eq(&connecting)) {
            *current = None;
            self.connections.borrow_mut().extend(made.as_ref().ok().cloned());
        }
        made.map(drop)
    }

    /// Drops all connections; each closes when its last stream has ended.
    pub(crate) fn clear(&self) {
        self.connections.borrow_mut().clear();
    }

    /// Drops connections that were idle for more than `longest` ticks, and those that take no more requests.
    pub(crate) fn sweep(&self, now: u64, longest: u64) {
        let stays = |connection: &Rc<Http2Connection>| {
            let busy = connection.active.get() > 0;
            connection.is_open() && (busy || now.saturating_sub(connection.idle_since.get()) <= longest)
        };
        self.connections.borrow_mut().retain(stays);
    }
}
