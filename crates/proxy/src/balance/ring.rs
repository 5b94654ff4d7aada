//! A ring of places, each an endpoint's: the same hash always comes to the same endpoint. When one goes, what was its own
//! moves, and a little of the others' where those get more places than before.
//!
//! The places are Envoy's (ketama with xxHash64 of `key_0`, `key_1`, …), so that an Envoy beside a data plane of ours
//! chooses as that does.

use std::fmt::Write;

use super::placement::Placed;
use twox_hash::XxHash64;

/// Places by hash.
#[derive(Debug)]
pub(crate) struct Ring {
    /// Ascending.
    hashes: Vec<u64>,
    /// Whose each place is.
    owners: Vec<u32>,
}

impl Ring {
    /// A ring for `endpoints`, of `minimum` to `maximum` places. Each has its share by weight; the endpoint that weighs
    /// least has a whole number of places, unless there are too few.
    pub(crate) fn new(endpoints: &[Placed], minimum: u64, maximum: u64) -> Self {
        let total: u64 = endpoints.iter().map(|endpoint| u64::from(endpoint.weight)).sum();
        let share = |weight: u32| f64::from(weight) / total as f64;
        let least = endpoints.iter().map(|endpoint| share(endpoint.weight)).fold(1.0, f64::min);
        let scale = ((least * minimum as f64).ceil() / least).min(maximum as f64);
        let mut places = Vec::with_capacity(scale.ceil() as usize);
        let (mut made, mut wanted) = (0.0, 0.0);
        let mut name = String::new();
        for (owner, endpoint) in endpoints.iter().enumerate() {
            // Shares need not be whole: the sums go on from one endpoint to the next.
            wanted += scale * share(endpoint.weight);
            let mut number = 0_u64;
            while made < wanted {
                name.clear();
                // Writing to memory does not fail.
                let _ = write!(name, "{}_{number}", endpoint.key);
                places.push((XxHash64::oneshot(0, name.as_bytes()), owner as u32));
                number += 1;
                made += 1.0;
            }
        }
        places.sort_unstable();
        Self {
            hashes: places.iter().map(|(hash, _)| *hash).collect(),
            owners: places.into_iter().map(|(_, owner)| owner).collect(),
        }
    }

    /// Whose `hash` is: the first place at it or after it, around the ring; and then whose the places after that are.
    pub(crate) fn owners(&self, hash: u64) -> impl Iterator<Item = usize> {
        let first = self.hashes.partition_point(|place| *place < hash);
        let (before, after) = self.owners.split_at(first);
        after.iter().chain(before).map(|owner| *owner as usize)
    }
}
