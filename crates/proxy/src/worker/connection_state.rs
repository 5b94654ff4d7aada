//! What a worker keeps about a connection from a client: whose it is, what it waits for, and whether it should end.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use http::HeaderValue;

use super::{LocalListener, LocalTable, ticks};
use crate::forward::Tunnel;
use crate::tls::{Chain, PeerCertificate, TlsFacts};

/// How long an old connection without a request may wait for its last one.
const DRAIN: Duration = Duration::from_secs(5);

/// The number of the next connection.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// A connection's state. The connection's own task and the worker's sweep share it.
pub(crate) struct ConnectionState {
    pub(crate) listener: Rc<LocalListener>,
    pub(crate) peer: IpAddr,
    pub(crate) peer_port: u16,
    /// The peer's address as `x-forwarded-for` has it.
    pub(crate) forwarded_for: HeaderValue,
    /// Its number, which no other has.
    pub(crate) number: u64,
    /// The address that the client connected to.
    local: Option<SocketAddr>,
    /// How it speaks TLS; empty where it does not.
    chain: OnceCell<Arc<Chain>>,
    tls: OnceCell<Box<TlsFacts>>,
    /// The certificate that the client has shown; empty where it has shown none.
    certificate: OnceCell<Box<PeerCertificate>>,
    in_flight: Cell<u32>,
    /// How many requests there were.
    requests: Cell<u32>,
    /// The tick at which it was accepted.
    opened_at: u64,
    /// Whether the next response is the last.
    leaving: Cell<bool>,
    /// The tick until which one that is leaving may wait for its last request.
    leaves_at: Cell<u64>,
    /// The tick at which a request's headers began to arrive.
    header_since: Cell<Option<u64>>,
    /// The tick of the last byte in either direction.
    active_at: Cell<u64>,
    ending: Cell<Ending>,
    multiplexed: Cell<bool>,
    refused: Cell<bool>,
    receives_body: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// Set when a response switched protocols: what the connection is joined to.
    pub(crate) tunnel: RefCell<Option<Tunnel>>,
    /// How many requests went on in another protocol: those have limits of their own.
    tunnels: Cell<u32>,
}

/// Whether a connection should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// No.
    Stay,
    /// When what is in flight is done.
    Graceful,
    /// At once.
    Now,
}

/// The limits that a sweep holds connections to, in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SweepLimits {
    pub(crate) header: u64,
    pub(crate) idle: u64,
    pub(crate) stall: u64,
    pub(crate) age: u64,
}

impl ConnectionState {
    pub(crate) fn new(listener: Rc<LocalListener>, peer: SocketAddr, local: Option<SocketAddr>, now: u64) -> Self {
        let (peer, peer_port) = (peer.ip().to_canonical(), peer.port());
        let forwarded_for =
            HeaderValue::try_from(peer.to_string()).unwrap_or_else(|_| HeaderValue::from_static("unknown"));
        Self {
            listener,
            peer,
            peer_port,
            forwarded_for,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            local,
            chain: OnceCell::new(),
            tls: OnceCell::new(),
            certificate: OnceCell::new(),
            in_flight: Cell::new(0),
            requests: Cell::new(0),
            opened_at: now,
            leaving: Cell::new(false),
            leaves_at: Cell::new(u64::MAX),
            // A connection that says nothing at all is held to the same limit.
            header_since: Cell::new(Some(now)),
            active_at: Cell::new(now),
            ending: Cell::new(Ending::Stay),
            multiplexed: Cell::new(false),
            refused: Cell::new(false),
            receives_body: Cell::new(false),
            waker: RefCell::new(None),
            tunnel: RefCell::new(None),
            tunnels: Cell::new(0),
        }
    }

    /// What the connection's listener serves right now.
    pub(crate) fn table(&self) -> Rc<LocalTable> {
        self.listener.table()
    }

    /// The connection speaks TLS by this chain.
    pub(super) fn secured_by(&self, chain: &Arc<Chain>, tls: TlsFacts) {
        let _ = self.chain.set(Arc::clone(chain));
        let _ = self.tls.set(Box::new(tls));
    }

    /// What is known of its TLS, if it speaks it.
    pub(crate) fn tls(&self) -> Option<&TlsFacts> {
        self.tls.get().map(|tls| &**tls)
    }

    /// Who connected.
    pub(crate) fn peer_address(&self) -> SocketAddr {
        SocketAddr::new(self.peer, self.peer_port)
    }

    /// The address that the client connected to.
    pub(crate) fn local(&self) -> Option<SocketAddr> {
        self.local.map(|local| SocketAddr::new(local.ip().to_canonical(), local.port()))
    }

    /// How the connection speaks TLS, if it does.
    pub(crate) fn chain(&self) -> Option<&Chain> {
        self.chain.get().map(|chain| &**chain)
    }

    /// The client has shown this certificate.
    pub(super) fn shown(&self, certificate: PeerCertificate) {
        let _ = self.certificate.set(Box::new(certificate));
    }

    /// The certificate that the client has shown, if it has.
    pub(crate) fn certificate(&self) -> Option<&PeerCertificate> {
        self.certificate.get().map(|certificate| &**certificate)
    }

    /// `http` or `https`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.chain.get().is_some() { "https" } else { "http" }
    }

    pub(crate) fn begin_request(&self) {
        self.header_since.set(None);
        self.in_flight.set(self.in_flight.get() + 1);
        self.requests.set(self.requests.get().saturating_add(1));
    }

    /// Whether the response to the request that has just begun is the last one here, by the number of requests or by
    /// age. A client of HTTP/2 is told at once.
    pub(crate) fn is_last(&self) -> bool {
        let max_requests = self.listener.table().codecs.max_requests;
        let last = self.leaving.get() || max_requests.is_some_and(|most| self.requests.get() >= most);
        if last && self.multiplexed.get() {
            self.end(Ending::Graceful);
        }
        last
    }

    /// How long a request may stand still, where the listener says so.
    pub(crate) fn stream_idle(&self) -> Option<Duration> {
        self.listener.table().codecs.stream_idle
    }

    /// How long all of a request may take to arrive, where the listener says so.
    pub(crate) fn request_time(&self) -> Option<Duration> {
        self.listener.table().codecs.request_time
    }

    /// How long a request may take from beginning to end, where the listener says so.
    pub(crate) fn max_stream(&self) -> Option<Duration> {
        self.listener.table().codecs.max_stream
    }

    pub(crate) fn end_request(&self, now: u64) {
        self.in_flight.set(self.in_flight.get().saturating_sub(1));
        self.active_at.set(now);
    }

    /// A request goes on in another protocol.
    pub(crate) fn begin_tunnel(&self) {
        self.tunnels.set(self.tunnels.get() + 1);
    }

    pub(crate) fn end_tunnel(&self) {
        self.tunnels.set(self.tunnels.get().saturating_sub(1));
    }

    /// Bytes came in. Between requests they begin the next one's headers.
    pub(crate) fn received(&self, now: u64) {
        self.active_at.set(now);
        if self.in_flight.get() == 0 && self.header_since.get().is_none() {
            self.header_since.set(Some(now));
        }
    }

    /// The first request's headers are no longer awaited: HTTP/2 frames are not headers.
    pub(crate) fn multiplexes(&self) {
        self.multiplexed.set(true);
        self.header_since.set(None);
    }

    /// A request was refused. True when the connection has to end with the answer: what follows on it may be part of
    /// that request. Streams of HTTP/2 cannot be mistaken for one another.
    pub(crate) fn refuse(&self) -> bool {
        let ends = !self.multiplexed.get();
        self.refused.set(ends);
        ends
    }

    /// Whether the newest request has a body, some of which may come after its answer.
    pub(crate) fn receives_body(&self, body: bool) {
        self.receives_body.set(body);
    }

    /// Whether the client may still send, though it was answered.
    pub(crate) fn may_be_sent_more(&self) -> bool {
        self.refused.get() || self.receives_body.get()
    }

    pub(crate) fn sent(&self, now: u64) {
        self.active_at.set(now);
    }

    pub(crate) fn ending(&self) -> Ending {
        self.ending.get()
    }

    /// Asks the connection to end; an earlier, stronger request stands.
    pub(crate) fn end(&self, ending: Ending) {
        if ending > self.ending.get() {
            self.ending.set(ending);
            if let Some(waker) = self.waker.borrow().as_ref() {
                waker.wake_by_ref();
            }
        }
    }

    /// Remembers the connection's task, for [`end`](Self::end) to wake.
    pub(crate) fn register(&self, context: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        if waker.as_ref().is_none_or(|waker| !waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
    }

    /// The listener takes nothing new: the connection ends with the response to what is in flight, or with its next one
    /// where the listener gives it time to wait for that.
    pub(crate) fn drain(&self, now: u64) {
        match self.listener.table().codecs.drain {
            Some(time) if !time.is_zero() && !self.multiplexed.get() && self.in_flight.get() == 0 => {
                self.leaving.set(true);
                self.leaves_at.set(now.saturating_add(ticks(time)));
            }
            _ => self.end(Ending::Graceful),
        }
    }

    /// A connection that is too old, or is leaving, ends with its next response, or soon where there is none.
    fn look_at_age(&self, now: u64, limits: SweepLimits) {
        if now.saturating_sub(self.opened_at) > limits.age && !self.leaving.replace(true) {
            let drain = self.listener.table().codecs.drain.unwrap_or(DRAIN);
            self.leaves_at.set(if self.multiplexed.get() { now } else { now.saturating_add(ticks(drain)) });
        }
        if now >= self.leaves_at.get() {
            self.end(Ending::Graceful);
        }
    }

    /// Ends the connection if it is over a limit.
    pub(crate) fn sweep(&self, now: u64) {
        let limits = self.listener.table().codecs.sweep;
        self.look_at_age(now, limits);
        let quiet = now.saturating_sub(self.active_at.get());
        let over = match (self.in_flight.get(), self.header_since.get()) {
            (0, Some(since)) => now.saturating_sub(since) > limits.header,
            (0, _) => quiet > limits.idle,
            _ => quiet > limits.stall && self.tunnels.get() == 0,
        };
        if over {
            self.end(Ending::Now);
        }
    }
}
