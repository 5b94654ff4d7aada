//! Maglev's table of places, each an endpoint's: as even as can be, and found in one step. When an endpoint goes, what was
//! its own moves, and a little of the others'.
//!
//! The table is Envoy's, filled in the order of the endpoints' keys with xxHash64, so that an Envoy beside a data plane of
//! ours chooses as that does.

use super::placement::Placed;
use twox_hash::XxHash64;

/// Places in a table; a prime number.
const PLACES: u64 = 65_537;
/// A place that nobody has yet.
const FREE: u32 = u32::MAX;

/// Places by number.
#[derive(Debug)]
pub(crate) struct Maglev {
    owners: Vec<u32>,
}

/// An endpoint while it takes its places.
struct Taker {
    owner: u32,
    /// The place that it asks for next, and how far the one after that is.
    next: u64,
    step: u64,
    weight: f64,
    /// What its weight has to come to over all rounds before it takes another place.
    due: f64,
}

impl Maglev {
    /// A table for `endpoints`.
    pub(crate) fn new(endpoints: &[Placed]) -> Self {
        let mut sorted: Vec<(usize, &Placed)> = endpoints.iter().enumerate().collect();
        sorted.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key));
        let total: u64 = endpoints.iter().map(|endpoint| u64::from(endpoint.weight)).sum();
        let share = |weight: u32| f64::from(weight) / total as f64;
        let most = endpoints.iter().map(|endpoint| share(endpoint.weight)).fold(0.0, f64::max);
        let mut takers: Vec<Taker> = sorted
            .into_iter()
            .map(|(owner, endpoint)| Taker {
                owner: owner as u32,
                next: XxHash64::oneshot(0, endpoint.key.as_bytes()) % PLACES,
                step: XxHash64::oneshot(1, endpoint.key.as_bytes()) % (PLACES - 1) + 1,
                weight: share(endpoint.weight),
                due: 0.0,
            })
            .collect();
        let mut owners = vec![FREE; if takers.is_empty() { 0 } else { PLACES as usize }];
        let mut left = owners.len();
        let mut round = 0.0;
        while left > 0 {
            round += 1.0;
            for taker in &mut takers {
                // The heaviest takes a place in each round, one of a third of its weight in every third.
                if left == 0 || round * taker.weight < taker.due {
                    continue;
                }
                taker.due += most;
                while owners[taker.next as usize] != FREE {
                    taker.next = (taker.next + taker.step) % PLACES;
                }
                owners[taker.next as usize] = taker.owner;
                taker.next = (taker.next + taker.step) % PLACES;
                left -= 1;
            }
        }
        Self { owners }
    }

    /// Whose `hash` is; and then who comes next where that one will not do.
    pub(crate) fn owners(&self, hash: u64) -> impl Iterator<Item = usize> {
        let places = self.owners.len() as u64;
        // Most bits change from one try to the next, so that not all that is one endpoint's goes to one other.
        (0..places).map(move |again| {
            let hash = if again == 0 { hash } else { hash ^ again.wrapping_neg() };
            self.owners[(hash % places) as usize] as usize
        })
    }
}
