//! How many retries an upstream may get at once, so that trying again never becomes most of what it has to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Retries that may run at once however few requests there are.
const LEAST: u32 = 3;
/// The share of the requests in flight that may be retries: one in this many.
const ONE_IN: u32 = 5;

/// The retries of one upstream that are under way, over all workers.
#[derive(Debug, Default)]
pub(crate) struct RetryBudget {
    under_way: AtomicU32,
}

/// One retry under way.
#[derive(Debug)]
pub(crate) struct RetryPermit(Arc<RetryBudget>);

impl RetryBudget {
    /// Leave for one more retry, when `active` requests are in flight, or fewer than `most` retries are. Two workers that ask at once may both get the
    /// last one.
    pub(crate) fn permit(self: &Arc<Self>, active: u32, most: Option<u32>) -> Option<RetryPermit> {
        let room = self.under_way.load(Ordering::Relaxed) < most.unwrap_or(LEAST.max(active / ONE_IN));
        room.then(|| {
            self.under_way.fetch_add(1, Ordering::Relaxed);
            RetryPermit(Arc::clone(self))
        })
    }
}

impl Drop for RetryPermit {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_requests_may_be_retries_and_three_always() {
        for (active, expected) in [(0, 3), (15, 3), (20, 4), (100, 20)] {
            let budget = Arc::new(RetryBudget::default());
            let permits: Vec<_> = std::iter::from_fn(|| budget.permit(active, None)).collect();
            assert_eq!(permits.len(), expected, "{active}");
            drop(permits);
            assert!(budget.permit(0, None).is_some());
        }
    }
    #[test]
    fn a_fixed_number_takes_the_place_of_the_share() {
        let budget = Arc::new(RetryBudget::default());
        assert!(budget.permit(100, Some(0)).is_none());
        let _first = budget.permit(0, Some(1)).unwrap();
        assert!(budget.permit(100, Some(1)).is_none());
    }
}
