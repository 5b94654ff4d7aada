//! How long a request's upstream may take: each try by itself, and all of them together.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use super::exchange::Exchange;
use crate::policy::CompiledPolicy;
use crate::worker::{Deadline, Worker};

/// The time limits of one request.
pub(crate) struct Patience {
    worker: Rc<Worker>,
    limit: Duration,
    /// Made when the client has sent all of the request.
    deadline: Option<Deadline>,
    per_try: Option<Duration>,
    this_try: Option<Pin<Box<Sleep>>>,
    idle: Option<Duration>,
    /// Of the few requests that have them, the limits that count from the request's beginning.
    bounds: Option<Box<Bounds>>,
    /// How much had moved when it last did, and when that is too long ago.
    moved: Option<(u64, Deadline)>,
}

/// Limits that count from the request's beginning.
struct Bounds {
    /// For all of it and of its response.
    whole: Option<Deadline>,
    /// For the client to send it.
    sending: Option<Deadline>,
}

/// Whose time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeLimit {
    /// The whole request's.
    Route,
    /// This try's.
    Try,
    /// The whole exchange's. `read`: as below.
    Exchange { read: bool },
    /// The client's, to send the request.
    Sending,
    /// Nothing moved for too long. `read`: the client had sent all of the request.
    Idle { read: bool },
}

impl Patience {
    /// `stream_idle`: how long the request may stand still, where its route says nothing.
    pub(crate) fn new(worker: &Rc<Worker>, policy: Option<&CompiledPolicy>, stream_idle: Option<Duration>) -> Self {
        let idle = policy.and_then(CompiledPolicy::idle_timeout).or(stream_idle);
        let limit = policy.and_then(CompiledPolicy::timeout).unwrap_or(worker.limits.route_time);
        Self {
            worker: Rc::clone(worker),
            limit: if limit.is_zero() { Duration::MAX } else { limit },
            deadline: None,
            per_try: policy.and_then(|policy| policy.retries()?.per_try),
            this_try: None,
            idle: idle.filter(|idle| !idle.is_zero()),
            bounds: None,
            moved: None,
        }
    }

    /// The same with the limits that count from the beginning of `exchange`.
    pub(crate) fn bounded(self, exchange: &Exchange) -> Self {
        let after = |left: Duration| self.worker.deadlines.after(left);
        let whole = exchange.time_left().map(after);
        let sending = exchange.connection.request_time().map(|time| after(time.saturating_sub(exchange.age())));
        let bounds = (whole.is_some() || sending.is_some()).then(|| Box::new(Bounds { whole, sending }));
        Self { bounds, ..self }
    }

    /// The time limit of a copy of a request, whose route has `timeout`: a copy always has an end.
    pub(crate) fn of_copy(worker: &Rc<Worker>, timeout: Option<Duration>) -> Self {
        let limit = timeout.unwrap_or(worker.limits.route_time);
        let limit = if limit.is_zero() { worker.limits.stall_time } else { limit };
        Self { limit, ..Self::new(worker, None, None) }
    }

    /// A new try begins.
    pub(crate) fn begin_try(&mut self) {
        self.this_try = None;
    }

    /// Which limit has passed, if one has; else the task is woken when one does. `read`: the client has sent all of the
    /// request. Time counts from there. `moved` grows with every byte of it that moves.
    pub(crate) fn poll(&mut self, read: bool, moved: u64, cx: &mut Context<'_>) -> Poll<TimeLimit> {
        if let Some(limit) = self.poll_bounds(read, cx) {
            return Poll::Ready(limit);
        }
        if let Some(idle) = self.idle {
            if self.moved.as_ref().is_none_or(|(before, _)| *before != moved) {
                self.moved = Some((moved, self.worker.deadlines.after(idle)));
            }
            if self.moved.as_ref().is_some_and(|(_, deadline)| deadline.poll_passed(cx)) {
                return Poll::Ready(TimeLimit::Idle { read });
            }
        }
        if read {
            if self.is_over(cx) {
                return Poll::Ready(TimeLimit::Route);
            }
            if let Some(per_try) = self.per_try {
                let this_try = self.this_try.get_or_insert_with(|| Box::pin(sleep(per_try)));
                return this_try.as_mut().poll(cx).map(|()| TimeLimit::Try);
            }
        }
        Poll::Pending
    }

    /// Waits for `work`, but no longer than the limits allow.
    pub(crate) async fn within<T>(&mut self, read: bool, work: impl Future<Output = T>) -> Result<T, TimeLimit> {
        let mut work = pin!(work);
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => self.poll(read, 0, cx).map(Err),
        })
        .await
    }

    /// Waits for `time` between two tries, but no longer than the whole request may take.
    pub(crate) async fn rest(&mut self, time: Duration, read: bool) -> Result<(), TimeLimit> {
        let mut rest = pin!(sleep(time));
        poll_fn(|cx| match rest.as_mut().poll(cx) {
            Poll::Pending if read && self.is_over(cx) => Poll::Ready(Err(TimeLimit::Route)),
            Poll::Pending => self.poll_bounds(read, cx).map_or(Poll::Pending, |limit| Poll::Ready(Err(limit))),
            Poll::Ready(()) => Poll::Ready(Ok(())),
        })
        .await
    }

    /// Which of the limits has passed that count from the beginning; else the task is woken when one does.
    fn poll_bounds(&self, read: bool, cx: &Context<'_>) -> Option<TimeLimit> {
        let Bounds { whole, sending } = self.bounds.as_deref()?;
        let passed = |deadline: &Option<Deadline>| deadline.as_ref().is_some_and(|deadline| deadline.poll_passed(cx));
        if passed(whole) {
            return Some(TimeLimit::Exchange { read });
        }
        (!read && passed(sending)).then_some(TimeLimit::Sending)
    }

    /// Whether the limit for all of it has passed; else the task is woken when it does.
    pub(crate) fn is_over(&mut self, cx: &Context<'_>) -> bool {
        self.deadline.get_or_insert_with(|| self.worker.deadlines.after(self.limit)).poll_passed(cx)
    }

    /// The limit for the rest of the response.
    pub(crate) fn into_deadline(self) -> Option<Deadline> {
        self.deadline
    }
}
