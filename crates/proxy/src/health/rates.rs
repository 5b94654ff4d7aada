//! Success rates of an interval, and which of them are too far from the others'.

use std::sync::atomic::{AtomicU64, Ordering};

/// What was asked of an endpoint in the current interval, and how much of it succeeded.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    total: AtomicU64,
    good: AtomicU64,
}

impl Rate {
    pub(crate) fn add(&self, good: bool) {
        self.total.fetch_add(1, Ordering::Relaxed);
        self.good.fetch_add(good.into(), Ordering::Relaxed);
    }

    /// Ends the interval: how much was asked, and how much of it succeeded, in percent. A response that is counted at
    /// this very moment may fall between two intervals.
    pub(crate) fn take(&self) -> (u64, f64) {
        let (total, good) = (self.total.swap(0, Ordering::Relaxed), self.good.swap(0, Ordering::Relaxed));
        (total, if total == 0 { 0.0 } else { 100.0 * good as f64 / total as f64 })
    }
}

/// Below which rate one is ejected: so many thousandths of the standard deviation under the mean.
pub(crate) fn threshold(rates: &[f64], thousandths: u32) -> f64 {
    let count = rates.len() as f64;
    let mean = rates.iter().sum::<f64>() / count;
    let variance = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / count;
    mean - variance.sqrt() * f64::from(thousandths) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_its_interval_alone() {
        let rate = Rate::default();
        assert_eq!(rate.take(), (0, 0.0));
        for good in [true, true, false, true] {
            rate.add(good);
        }
        assert_eq!(rate.take(), (4, 75.0));
        assert_eq!(rate.take(), (0, 0.0));
    }

    #[test]
    fn the_threshold_is_under_the_mean() {
        // Mean 90, standard deviation 20.
        let rates = [100.0, 100.0, 100.0, 100.0, 50.0];
        assert!((threshold(&rates, 1900) - 52.0).abs() < 1e-9);
        assert!((threshold(&rates, 0) - 90.0).abs() < 1e-9);
        assert!((threshold(&[80.0, 80.0], 1900) - 80.0).abs() < 1e-9);
    }
}
