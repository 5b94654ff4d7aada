//! Which endpoints are fit to serve, and when too few of them are that it would matter.
//!
//! Whoever judges endpoints (checks, or a look at their responses) sets a mark and has the destinations made anew, so that a
//! request never asks: it picks among those that are left.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

/// Below this share of healthy endpoints all of them get requests, in percent (Envoy's default).
pub(crate) const PANIC_PERCENT: f64 = 50.0;
/// How far the healthy ones may make up for the others before panic is asked about, in percent (Envoy's
/// `overprovisioning_factor`).
const OVERPROVISIONING: usize = 140;

/// Why an endpoint gets no requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mark {
    /// Its health checks fail.
    Unhealthy = 1,
    /// Its responses were worse than they may be.
    Ejected = 2,
}

/// An endpoint's health, shared by all who pick it.
#[derive(Debug)]
pub(crate) struct EndpointHealth {
    marks: AtomicU8,
    /// When it joined or, if that was later, when its health checks found it healthy.
    well_since: Mutex<Instant>,
}

impl Default for EndpointHealth {
    fn default() -> Self {
        Self { marks: AtomicU8::new(0), well_since: Mutex::new(Instant::now()) }
    }
}

impl EndpointHealth {
    /// Whether nothing speaks against sending requests there.
    pub(crate) fn is_good(&self) -> bool {
        self.marks.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn has(&self, mark: Mark) -> bool {
        self.marks.load(Ordering::Relaxed) & mark as u8 != 0
    }

    /// Has it join at `then`.
    #[cfg(test)]
    pub(crate) fn begin(&self, then: Instant) {
        *self.well_since.lock() = then;
    }

    /// Sets or takes away a mark; says whether that changed anything.
    pub(crate) fn set(&self, mark: Mark, marked: bool) -> bool {
        let before = match marked {
            true => self.marks.fetch_or(mark as u8, Ordering::Relaxed),
            false => self.marks.fetch_and(!(mark as u8), Ordering::Relaxed),
        };
        let changed = (before & mark as u8 != 0) != marked;
        if changed && !marked && mark == Mark::Unhealthy {
            *self.well_since.lock() = Instant::now();
        }
        changed
    }

    /// When it joined or, if that was later, when its health checks found it healthy; `None` while something speaks
    /// against it. The end of an ejection is no new beginning, as in Envoy.
    pub(crate) fn well_since(&self) -> Option<Instant> {
        self.is_good().then(|| *self.well_since.lock())
    }
}

/// Those of `all` that get requests: the healthy ones or, when they are fewer than `panic_percent`, all. 0: never all.
pub(crate) fn in_service<T>(mut all: Vec<T>, is_healthy: impl Fn(&T) -> bool, panic_percent: f64) -> Vec<T> {
    let healthy = all.iter().filter(|one| is_healthy(one)).count();
    // Few as they may be beside the threshold: as long as they can make up for the others, there is no panic.
    let panics =
        healthy * OVERPROVISIONING < all.len() * 100 && (healthy as f64) * 100.0 < panic_percent * all.len() as f64;
    if !panics {
        all.retain(is_healthy);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_and_go_apart() {
        let health = EndpointHealth::default();
        assert!(health.is_good());
        assert!(health.set(Mark::Unhealthy, true) && !health.set(Mark::Unhealthy, true));
        assert!(health.set(Mark::Ejected, true));
        assert!(health.has(Mark::Unhealthy) && health.has(Mark::Ejected) && !health.is_good());
        assert!(health.set(Mark::Unhealthy, false) && !health.is_good());
        assert!(health.set(Mark::Ejected, false) && !health.set(Mark::Ejected, false) && health.is_good());
    }

    fn serving(healthy: usize, of: usize, panic_percent: f64) -> usize {
        in_service((0..of).collect(), |one| *one < healthy, panic_percent).len()
    }

    #[test]
    fn too_few_healthy_ones_are_no_reason_to_spare_the_others() {
        for (healthy, of, panic_percent, expected) in [
            (4, 4, PANIC_PERCENT, 4),
            (3, 4, PANIC_PERCENT, 3),
            // Exactly half is enough.
            (2, 4, PANIC_PERCENT, 2),
            (1, 4, PANIC_PERCENT, 4),
            (0, 4, PANIC_PERCENT, 4),
            (0, 0, PANIC_PERCENT, 0),
            // Never in panic.
            (1, 4, 0.0, 1),
            (0, 4, 0.0, 0),
            // 72 of 100 make up for all, whatever the threshold says; 71 do not.
            (72, 100, 100.0, 72),
            (71, 100, 100.0, 100),
        ] {
            assert_eq!(serving(healthy, of, panic_percent), expected, "{healthy} of {of} at {panic_percent}");
        }
    }
}
