//! The keys that wait for a controller: each at most once, and again later after a failure.

use crate::informer::ObjectKey;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Pause after a first failure; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_millis(10);
/// Longest pause between two tries.
const LAST_RETRY: Duration = Duration::from_secs(30);

/// A queue of object keys for one worker.
#[derive(Default)]
pub(crate) struct WorkQueue {
    waiting: Mutex<VecDeque<ObjectKey>>,
    failures: Mutex<BTreeMap<ObjectKey, u32>>,
    /// Keys that come by themselves, and when.
    later: Mutex<BTreeMap<ObjectKey, Instant>>,
    wake: Notify,
}

impl WorkQueue {
    /// Puts a key in, unless it waits already.
    pub(crate) fn add(&self, key: ObjectKey) {
        {
            let mut waiting = self.waiting.lock();
            if waiting.contains(&key) {
                return;
            }
            waiting.push_back(key);
        }
        self.wake.notify_one();
    }

    /// Puts a key in after a while, unless it comes before that anyway: whoever handles it then may ask again.
    pub(crate) fn add_after(self: &Arc<Self>, key: ObjectKey, delay: Duration) {
        let due = Instant::now() + delay;
        {
            let mut later = self.later.lock();
            if later.get(&key).is_some_and(|&sooner| sooner <= due) {
                return;
            }
            later.insert(key.clone(), due);
        }
        let queue = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep_until(due).await;
            let Some(queue) = queue.upgrade() else { return };
            let mut later = queue.later.lock();
            if later.get(&key) == Some(&due) {
                later.remove(&key);
                drop(later);
                queue.add(key);
            }
        });
    }

    /// The next key, as soon as there is one.
    pub(crate) async fn next(&self) -> ObjectKey {
        loop {
            let woken = self.wake.notified();
            if let Some(key) = self.waiting.lock().pop_front() {
                return key;
            }
            woken.await;
        }
    }

    /// The key's work went well.
    pub(crate) fn succeeded(&self, key: &ObjectKey) {
        self.failures.lock().remove(key);
    }

    /// The key's work failed: it comes again, later each time.
    pub(crate) fn failed(self: &Arc<Self>, key: ObjectKey) {
        let failures = {
            let mut failures = self.failures.lock();
            let count = failures.entry(key.clone()).or_insert(0);
            *count += 1;
            *count
        };
        self.add_after(key, retry_delay(failures));
    }
}

fn retry_delay(failures: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LAST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_limit() {
        assert_eq!(retry_delay(1), FIRST_RETRY);
        assert_eq!(retry_delay(3), FIRST_RETRY * 4);
        assert_eq!(retry_delay(100), LAST_RETRY);
    }

    #[tokio::test]
    async fn a_key_waits_only_once() {
        let queue = WorkQueue::default();
        let key = |name: &str| ObjectKey::new("ns", name);
        queue.add(key("b"));
        queue.add(key("a"));
        queue.add(key("b"));
        assert_eq!(queue.next().await, key("b"));
        assert_eq!(queue.next().await, key("a"));
        assert!(queue.waiting.lock().is_empty());
    }
}
