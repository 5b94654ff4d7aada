//! A waker for a future that is polled inside another one's task, again and again until it rests.
//!
//! The two halves of a hyper client wake each other while they are polled. Both are polled by one task right then, so
//! that waking the task would only run it once more for nothing. This waker passes on what comes from outside, and
//! notes what comes from within.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Wake, Waker};

use parking_lot::Mutex;

/// How often a future that wakes itself is polled again at once.
const ROUNDS: u32 = 8;

const RESTING: u8 = 0;
const POLLING: u8 = 1;
const WOKEN: u8 = 2;

/// The waker and whom it wakes.
#[derive(Debug)]
pub(crate) struct InlineWaker {
    shared: Arc<Shared>,
    waker: Waker,
}

#[derive(Debug)]
struct Shared {
    state: AtomicU8,
    task: Mutex<Waker>,
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.load(Ordering::Relaxed) == RESTING {
            self.task.lock().wake_by_ref();
        } else {
            self.state.store(WOKEN, Ordering::Relaxed);
        }
    }
}

impl InlineWaker {
    pub(crate) fn new() -> Self {
        let shared = Arc::new(Shared { state: AtomicU8::new(RESTING), task: Mutex::new(Waker::noop().clone()) });
        let waker = Waker::from(Arc::clone(&shared));
        Self { shared, waker }
    }

    /// Runs `poll` for the task of `outer`, again whenever it woke itself. `poll` says whether it is finished.
    pub(crate) fn run(&self, outer: &Context<'_>, mut poll: impl FnMut(&mut Context<'_>) -> bool) {
        {
            let mut task = self.shared.task.lock();
            if !task.will_wake(outer.waker()) {
                task.clone_from(outer.waker());
            }
        }
        let mut context = Context::from_waker(&self.waker);
        for round in 1..=ROUNDS {
            self.shared.state.store(POLLING, Ordering::Relaxed);
            if poll(&mut context) || self.shared.state.load(Ordering::Relaxed) != WOKEN {
                break;
            }
            // A future that never rests must not keep its task from resting.
            if round == ROUNDS {
                outer.waker().wake_by_ref();
                break;
            }
        }
        self.shared.state.store(RESTING, Ordering::Relaxed);
    }

    /// Runs `change`, which may wake the future; it is about to be polled anyway.
    pub(crate) fn quietly<T>(&self, change: impl FnOnce() -> T) -> T {
        self.shared.state.store(POLLING, Ordering::Relaxed);
        let result = change();
        self.shared.state.store(RESTING, Ordering::Relaxed);
        result
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn only_wakes_from_outside_reach_the_task() {
        let count = Arc::new(Count::default());
        let outer = Waker::from(Arc::clone(&count));
        let (inline, mut polls) = (InlineWaker::new(), 0);
        let mut kept = None;
        inline.run(&Context::from_waker(&outer), |context| {
            polls += 1;
            kept = Some(context.waker().clone());
            if polls < 3 {
                context.waker().wake_by_ref();
            }
            false
        });
        assert_eq!((polls, count.0.load(Ordering::Relaxed)), (3, 0));
        inline.quietly(|| kept.as_ref().unwrap().wake_by_ref());
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        kept.unwrap().wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_future_that_always_wakes_itself_gives_way() {
        let count = Arc::new(Count::default());
        let outer = Waker::from(Arc::clone(&count));
        let mut polls = 0;
        InlineWaker::new().run(&Context::from_waker(&outer), |context| {
            polls += 1;
            context.waker().wake_by_ref();
            false
        });
        assert_eq!((polls, count.0.load(Ordering::Relaxed)), (ROUNDS, 1));
    }
}
