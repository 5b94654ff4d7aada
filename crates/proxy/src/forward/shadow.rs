//! The copy of a request for another destination. It is sent when all of the request has been read from the client, by a
//! task of its own that nobody waits for, and its answer is thrown away. What it may hold is bounded, in bytes and in
//! number; a copy beyond that is dropped.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use super::carrier::Carrier;
use super::connecting::connect;
use super::exchange::Exchange;
use super::outgoing::Outgoing;
use super::patience::Patience;
use super::upstream::SendError;
use crate::balance::Aim;
use crate::http1::ResponseHead;
use crate::worker::{LocalDestination, Worker};

/// A copy that is being made, or on its way. It is counted when it is dropped.
pub(crate) struct Shadow {
    worker: Rc<Worker>,
    destination: Rc<LocalDestination>,
    patience: Patience,
    to_head: bool,
    head: Vec<u8>,
    /// The body so far.
    pieces: Vec<Bytes>,
    /// Bytes that may still be kept.
    room: usize,
    sent: bool,
}

/// Begins the copy of a request, if the route asks for one. `parts` is what is left of the request beside `outgoing`.
pub(super) fn begin(exchange: &Exchange, outgoing: &mut Outgoing, parts: &Parts) {
    let worker = &exchange.worker;
    let Some(policy) = exchange.policy.as_ref() else { return };
    let Some(shadow) = policy.shadow() else { return };
    if parts.method == Method::CONNECT || !shadow.draw(&mut worker.random.borrow_mut()) {
        return;
    }
    let destination = worker.destination(shadow.destination());
    // A copy is made of a request's bytes, which HTTP/1.1 and HTTP/2 do not have in common.
    let destination = destination.filter(|destination| !destination.speaks_http2() && !outgoing.speaks_http2());
    let Some(destination) = destination.filter(|_| worker.shadows.get() < worker.limits.shadows_per_worker) else {
        worker.counters.shadows_dropped.add(1);
        return;
    };
    worker.shadows.set(worker.shadows.get() + 1);
    let mut copy = Shadow {
        worker: Rc::clone(worker),
        destination,
        patience: Patience::of_copy(worker, policy.timeout()),
        to_head: parts.method == Method::HEAD,
        head: Vec::new(),
        pieces: Vec::new(),
        room: worker.limits.shadow_bytes,
        sent: false,
    };
    let host = parts.headers.get(HOST).and_then(|host| shadow.host(host));
    copy.head = outgoing.head_with(&HOST, host.as_ref());
    outgoing.copy_to(Box::new(copy));
}

impl Shadow {
    /// Keeps a piece of the body. `false`: there is too much of it.
    pub(super) fn keep(&mut self, piece: &Bytes) -> bool {
        let left = self.room.checked_sub(piece.len());
        self.room = left.unwrap_or(0);
        self.pieces.push(piece.clone());
        left.is_some()
    }

    /// Sends the copy: the request is whole.
    pub(super) fn send(mut self: Box<Self>) {
        let outgoing = Outgoing::whole(std::mem::take(&mut self.head), std::mem::take(&mut self.pieces));
        tokio::task::spawn_local(self.run(outgoing));
    }

    async fn run(mut self: Box<Self>, mut outgoing: Outgoing) {
        let worker = Rc::clone(&self.worker);
        let destination = Rc::clone(&self.destination);
        let picked = destination.pick(Aim::default(), &mut worker.random.borrow_mut());
        let Some((candidate, pool)) = picked else { return };
        let _active = candidate.state.begin();
        let mut pooled = pool.take().map(Carrier::Http1);
        loop {
            let mut upstream = match pooled.take() {
                Some(connection) => connection,
                None => match connect(&worker, pool, &mut self.patience, true).await {
                    Ok(connection) => connection,
                    Err(_) => return,
                },
            };
            self.sent = true;
            match upstream.send(outgoing, self.to_head, HeaderMap::new(), &mut self.patience).await {
                Ok(head) => {
                    if self.read(head, &mut upstream).await {
                        pool.put(upstream, &worker);
                    }
                    return;
                }
                // An idle connection that the upstream closed at that moment: once more, on one of its own.
                Err(SendError::Closed { stale: true }) => match upstream.take_request() {
                    Some(request) => outgoing = request.rewound(),
                    None => return,
                },
                Err(_) => return,
            }
        }
    }

    /// Reads the answer and throws it away. `false`: it did not come to its end.
    async fn read(&mut self, head: ResponseHead, upstream: &mut Carrier) -> bool {
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return false;
        }
        if upstream.begin_body(head.body).is_some() {
            return true;
        }
        poll_fn(|cx| {
            loop {
                match upstream.poll_body(cx) {
                    Poll::Ready(Some(Ok(_))) => {}
                    Poll::Ready(end) => return Poll::Ready(end.is_none()),
                    Poll::Pending if self.patience.is_over(cx) => return Poll::Ready(false),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }
}

impl Drop for Shadow {
    fn drop(&mut self) {
        let counters = &self.worker.counters;
        if self.sent { &counters.shadows_sent } else { &counters.shadows_dropped }.add(1);
        self.worker.shadows.set(self.worker.shadows.get() - 1);
    }
}
