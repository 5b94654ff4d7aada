//! The endpoint that is a hash's own: the same for every worker and every replica.

use super::maglev::Maglev;
use super::ring::Ring;

/// An endpoint that gets places.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// What its places follow from.
    pub(crate) key: String,
    pub(crate) weight: u32,
}

/// Whose each hash is.
#[derive(Debug)]
pub(crate) enum Placement {
    Ring(Ring),
    Maglev(Maglev),
}

impl Placement {
    /// The endpoint whose `hash` is or, for the `nth` try that another has to make, the one that is `nth` in the order
    /// in which they stand in for it. There are `endpoints` of them.
    pub(crate) fn owner(&self, hash: u64, nth: usize, endpoints: usize) -> Option<usize> {
        match self {
            Self::Ring(ring) => distinct(ring.owners(hash), nth, endpoints),
            Self::Maglev(maglev) => distinct(maglev.owners(hash), nth, endpoints),
        }
    }
}

/// The `nth` of `owners` without those that came before, beginning anew after the last of all `endpoints`.
fn distinct(mut owners: impl Iterator<Item = usize>, nth: usize, endpoints: usize) -> Option<usize> {
    let first = owners.next()?;
    let nth = nth % endpoints.max(1);
    if nth == 0 {
        return Some(first);
    }
    let mut seen = vec![first];
    while seen.len() <= nth {
        // One that has no place at all stands in for nobody.
        let Some(next) = owners.find(|owner| !seen.contains(owner)) else { return Some(first) };
        seen.push(next);
    }
    seen.last().copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn placed(names: &[u8]) -> Vec<Placed> {
        names.iter().map(|name| Placed { key: format!("10.0.0.{name}:8080"), weight: 1 }).collect()
    }

    fn ring(endpoints: &[Placed]) -> Placement {
        Placement::Ring(Ring::new(endpoints, 1024, 8 * 1024 * 1024))
    }

    fn maglev(endpoints: &[Placed]) -> Placement {
        Placement::Maglev(Maglev::new(endpoints))
    }

    /// Hashes that are spread as those of requests are.
    fn hashes() -> impl Iterator<Item = u64> {
        (0..10_000_u64).map(|n| twox_hash::XxHash64::oneshot(7, &n.to_le_bytes()))
    }

    /// The key of the endpoint whose each hash is.
    fn owners<'e>(placement: &Placement, endpoints: &'e [Placed]) -> Vec<&'e str> {
        let owner = |hash| placement.owner(hash, 0, endpoints.len()).expect("an endpoint");
        hashes().map(|hash| endpoints[owner(hash)].key.as_str()).collect()
    }

    fn shares(owners: &[&str]) -> BTreeMap<String, usize> {
        let mut shares = BTreeMap::new();
        owners.iter().for_each(|owner| *shares.entry((*owner).to_owned()).or_default() += 1);
        shares
    }

    #[test]
    fn shares_follow_the_weights() {
        let weights = [1, 2, 5];
        let endpoints: Vec<_> =
            (1..=3).zip(weights).map(|(n, weight)| Placed { weight, ..placed(&[n]).remove(0) }).collect();
        for (placement, off) in [(ring(&endpoints), 0.06), (maglev(&endpoints), 0.02)] {
            let shares = shares(&owners(&placement, &endpoints));
            for (share, weight) in shares.values().zip(weights) {
                let (share, due) = (*share as f64 / 10_000.0, f64::from(weight) / 8.0);
                assert!((share - due).abs() < off, "{share} in place of {due}: {shares:?}");
            }
        }
    }

    #[test]
    fn when_an_endpoint_goes_little_else_moves() {
        let before = placed(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        let mut after = before.clone();
        let gone = after.remove(3).key;
        // A ring, whose size stays about the same, gives those who stay some more places.
        for (place, most) in [(ring as fn(&[Placed]) -> Placement, 0.09), (maglev, 0.03)] {
            let (then, now) = (owners(&place(&before), &before), owners(&place(&after), &after));
            let moved = then.iter().zip(&now).filter(|(then, now)| then != now && **then != gone).count();
            assert!((moved as f64) < most * 10_000.0, "{moved} of 10000 moved that need not have");
            // What was its own is spread over all the others.
            let pairs = then.iter().zip(&now);
            let heirs: Vec<&str> = pairs.filter(|(then, _)| **then == gone).map(|(_, now)| *now).collect();
            assert!((700..1300).contains(&heirs.len()), "{}", heirs.len());
            let shares = shares(&heirs);
            assert!(shares.len() == 9 && shares.values().all(|share| *share > 30), "{shares:?}");
        }
    }

    #[test]
    fn a_ring_of_whole_shares_moves_nothing_but_what_was_its_own() {
        // The same places for each endpoint before and after.
        let before = placed(&[1, 2, 3, 4, 5]);
        let after = placed(&[1, 2, 4, 5]);
        let (ring_before, ring_after) = (Ring::new(&before, 500, 500), Ring::new(&after, 400, 400));
        let then = owners(&Placement::Ring(ring_before), &before);
        let now = owners(&Placement::Ring(ring_after), &after);
        assert!(then.iter().zip(&now).all(|(then, now)| then == now || *then == before[2].key));
    }

    #[test]
    fn others_stand_in_one_after_the_other() {
        let endpoints = placed(&[1, 2, 3, 4]);
        for placement in [ring(&endpoints), maglev(&endpoints)] {
            let mut tried: Vec<usize> = (0..4).filter_map(|nth| placement.owner(42, nth, 4)).collect();
            assert_eq!(placement.owner(42, 4, 4), tried.first().copied());
            tried.sort_unstable();
            assert_eq!(tried, [0, 1, 2, 3]);
        }
        assert_eq!(ring(&[]).owner(1, 0, 0), None);
        assert_eq!(maglev(&[]).owner(1, 0, 0), None);
    }

    #[test]
    fn a_ring_holds_no_more_than_it_may() {
        let endpoints = placed(&[1, 2, 3, 4, 5, 6, 7]);
        for (minimum, maximum, places) in [(1, 8_388_608, 7), (10, 10, 10), (1024, 4096, 1029), (3, 3, 3)] {
            let made = Ring::new(&endpoints, minimum, maximum).owners(0).count();
            assert!(made.abs_diff(places) <= 1, "{made} in place of {places}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Replicas that were told of the same endpoints in another order agree.
        #[test]
        fn the_order_of_the_endpoints_does_not_matter(
            names in proptest::collection::btree_set(1_u8..=255, 1..12),
            hashes in proptest::collection::vec(any::<u64>(), 50),
        ) {
            let names: Vec<u8> = names.into_iter().collect();
            let forwards = placed(&names);
            let backwards: Vec<_> = forwards.iter().rev().cloned().collect();
            for place in [ring as fn(&[Placed]) -> Placement, maglev] {
                let (one, other) = (place(&forwards), place(&backwards));
                for hash in &hashes {
                    let (a, b) = (one.owner(*hash, 0, names.len()), other.owner(*hash, 0, names.len()));
                    prop_assert_eq!(&forwards[a.unwrap()].key, &backwards[b.unwrap()].key);
                }
            }
        }
    }
}
