//! Few requests for an endpoint that is new, and more with time: most of its turns go to the next one at first.
//!
//! Envoy scales weights instead; over time the shares are the same.

use std::time::{Duration, Instant};

use serin_api::proxy::SlowStart;

/// The shortest time that counts (as in Envoy).
const SHORTEST: Duration = Duration::from_millis(1);
/// Turns that are passed on before somebody has to take one: enough for a thousand who are new beside one who is not.
const MOST_PASSED: usize = 10_000;

/// The endpoints of a destination, and since when each is in service.
#[derive(Debug)]
pub(super) struct WarmUp {
    slow_start: SlowStart,
    /// By candidate; `None`: it is in service for want of better ones only, and has its whole share.
    since: Vec<Option<Instant>>,
    /// The one that has been in service for the longest; `None`: one has its whole share.
    oldest: Option<Instant>,
    /// When the last of them has its whole share.
    over: Instant,
}

/// Their shares at one moment.
pub(super) struct Moment<'w> {
    warm_up: &'w WarmUp,
    now: Instant,
    /// The largest share of all.
    most: f64,
}

impl WarmUp {
    /// `None` where nobody starts slowly.
    pub(super) fn new(slow_start: SlowStart, since: Vec<Option<Instant>>) -> Option<Self> {
        let newest = since.iter().flatten().max()?;
        let over = newest.checked_add(slow_start.window.0)?;
        // None is less than any time.
        let oldest = since.iter().min().copied().flatten();
        Some(Self { slow_start, over, oldest, since })
    }

    /// The shares at `now`; `None` when all have their whole one.
    pub(super) fn at(&self, now: Instant) -> Option<Moment<'_>> {
        if now >= self.over {
            return None;
        }
        let most = self.oldest.map_or(1.0, |oldest| share(&self.slow_start, now.saturating_duration_since(oldest)));
        // Where everybody has next to nothing, all are alike.
        (most > 0.0).then_some(Moment { warm_up: self, now, most })
    }
}

impl Moment<'_> {
    /// Whose turn it is, by `turns`, when those who are new let others go first.
    pub(super) fn choose(
        moment: Option<&Self>,
        random: &mut fastrand::Rng,
        mut turns: impl FnMut(&mut fastrand::Rng) -> usize,
    ) -> usize {
        let mut chosen = turns(random);
        let Some(moment) = moment else { return chosen };
        for _ in 0..MOST_PASSED {
            if random.f64() * moment.most < moment.share(chosen) {
                break;
            }
            chosen = turns(random);
        }
        chosen
    }

    fn share(&self, candidate: usize) -> f64 {
        let since = self.warm_up.since.get(candidate).copied().flatten();
        since.map_or(1.0, |since| share(&self.warm_up.slow_start, self.now.saturating_duration_since(since)))
    }
}

/// The share of an endpoint that has been in service for so long: 0 to 1. Envoy's formula.
fn share(slow_start: &SlowStart, served: Duration) -> f64 {
    let SlowStart { window, aggression, least_percent } = slow_start;
    if served >= window.0 {
        return 1.0;
    }
    let time = served.max(SHORTEST).as_secs_f64() / window.0.as_secs_f64();
    time.powf(1.0 / aggression).max(least_percent / 100.0).min(1.0)
}

#[cfg(test)]
mod tests {
    use serin_api::GoDuration;

    use super::*;

    fn slow_start(aggression: f64, least_percent: f64) -> SlowStart {
        SlowStart { window: GoDuration(Duration::from_secs(100)), aggression, least_percent }
    }

    #[test]
    fn shares_grow_as_in_envoy() {
        for (aggression, least_percent, seconds, expected) in [
            (1.0, 0.0, 50, 0.5),
            (1.0, 10.0, 5, 0.1),
            (1.0, 10.0, 25, 0.25),
            (2.0, 0.0, 25, 0.5),
            (0.5, 0.0, 50, 0.25),
            (1.0, 0.0, 0, 0.00001),
            (1.0, 0.0, 100, 1.0),
            (1.0, 0.0, 200, 1.0),
            (1.0, 100.0, 0, 1.0),
        ] {
            let share = share(&slow_start(aggression, least_percent), Duration::from_secs(seconds));
            assert!((share - expected).abs() < 1e-9, "{share} in place of {expected}");
        }
    }

    /// How often each of those who have been in service for so many seconds is chosen in turn.
    fn chosen(slow_start: SlowStart, served: &[Option<u64>]) -> Vec<usize> {
        let begin = Instant::now();
        let now = begin + Duration::from_secs(1000);
        let since = served.iter().map(|served| served.map(|seconds| now - Duration::from_secs(seconds))).collect();
        let warm_up = WarmUp::new(slow_start, since);
        let moment = warm_up.as_ref().and_then(|warm_up| warm_up.at(now));
        let (mut random, mut turn) = (fastrand::Rng::with_seed(7), 0);
        let mut counts = vec![0; served.len()];
        for _ in 0..10_000 {
            counts[Moment::choose(moment.as_ref(), &mut random, |_| {
                turn += 1;
                turn % served.len()
            })] += 1;
        }
        counts
    }

    fn about(counts: &[usize], expected: &[usize]) {
        let near = counts.iter().zip(expected).all(|(count, expected)| count.abs_diff(*expected) < 250);
        assert!(near, "{counts:?} in place of {expected:?}");
    }

    #[test]
    fn those_who_are_new_get_their_share_of_a_turn() {
        about(&chosen(slow_start(1.0, 10.0), &[Some(500), Some(500), Some(0)]), &[4762, 4762, 476]);
        about(&chosen(slow_start(1.0, 10.0), &[Some(500), Some(50)]), &[6667, 3333]);
        about(&chosen(slow_start(2.0, 10.0), &[Some(500), Some(25)]), &[6667, 3333]);
        about(&chosen(slow_start(1.0, 10.0), &[Some(80), Some(20), None]), &[4000, 1000, 5000]);
    }

    #[test]
    fn where_all_are_new_or_none_is_all_are_alike() {
        about(&chosen(slow_start(1.0, 0.0), &[Some(0), Some(0)]), &[5000, 5000]);
        assert_eq!(chosen(slow_start(1.0, 10.0), &[Some(100), Some(500)]), [5000, 5000]);
        assert_eq!(chosen(slow_start(1.0, 10.0), &[None, None]), [5000, 5000]);
    }
}
