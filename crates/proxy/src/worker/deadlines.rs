//! Coarse time: a tick of 100 ms, and deadlines that cost a slot in a list and not a timer of their own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use slab::Slab;

/// The length of a tick.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// Ticks that make up at least `time`.
pub(crate) fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::MAX / 2)
}

/// A worker's deadlines.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    now: Cell<u64>,
    waiting: RefCell<Slab<(u64, Option<Waker>)>>,
}

impl Deadlines {
    /// The number of the current tick.
    pub(crate) fn now(&self) -> u64 {
        self.now.get()
    }

    /// Goes on to the tick `now` and wakes whoever's deadline has come.
    pub(crate) fn advance(&self, now: u64) {
        self.now.set(now);
        let mut due = Vec::new();
        for (_, (at, waker)) in self.waiting.borrow_mut().iter_mut() {
            if *at <= now
                && let Some(waker) = waker.take()
            {
                due.push(waker);
            }
        }
        due.into_iter().for_each(Waker::wake);
    }

    /// A deadline `time` from now, at least that and at most a tick more.
    pub(crate) fn after(self: &Rc<Self>, time: Duration) -> Deadline {
        let at = self.now().saturating_add(ticks(time)).saturating_add(1);
        let key = self.waiting.borrow_mut().insert((at, None));
        Deadline { deadlines: Rc::clone(self), key, at }
    }
}

/// A moment to come.
#[derive(Debug)]
pub(crate) struct Deadline {
    deadlines: Rc<Deadlines>,
    key: usize,
    at: u64,
}

impl Deadline {
    /// Whether it comes before `other`.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        self.at < other.at
    }

    /// Whether it has passed. If not, the task is woken when it does.
    pub(crate) fn poll_passed(&self, context: &Context<'_>) -> bool {
        if self.deadlines.now() >= self.at {
            return true;
        }
        if let Some((_, waker)) = self.deadlines.waiting.borrow_mut().get_mut(self.key)
            && waker.as_ref().is_none_or(|waker| !waker.will_wake(context.waker()))
        {
            *waker = Some(context.waker().clone());
        }
        false
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.deadlines.waiting.borrow_mut().try_remove(self.key);
    }
}
