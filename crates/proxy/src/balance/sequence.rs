//! Weights as a sequence of turns, spread evenly: `3, 1` becomes `0, 0, 1, 0` and not `0, 0, 0, 1`.

/// Turns that a sequence has at most. Finer weights are rounded.
const MAX_TURNS: u64 = 4096;

/// The order in which entries with these weights take their turns; each gets its share of the length. Entries of weight
/// 0 count as 1, since an endpoint always has a share. `None` when all weights are equal: then the order is the entries' own.
pub(crate) fn sequence(weights: &[u32]) -> Option<Vec<u32>> {
    let first = weights.first()?;
    if weights.iter().all(|weight| weight == first) {
        return None;
    }
    let divisor = weights.iter().fold(0, |a, b| gcd(a, u64::from((*b).max(1))));
    let mut shares: Vec<u64> = weights.iter().map(|weight| u64::from((*weight).max(1)) / divisor).collect();
    let total: u64 = shares.iter().sum();
    let room = MAX_TURNS.max(shares.len() as u64 * 2);
    if total > room {
        shares.iter_mut().for_each(|share| *share = (*share * room / total).max(1));
    }
    let total: u64 = shares.iter().sum();

    // Smooth weighted round robin: everybody gains its share each turn, and the richest pays the total.
    let mut credit = vec![0_i64; shares.len()];
    let mut turns = Vec::with_capacity(total as usize);
    for _ in 0..total {
        let mut best = 0;
        for (i, share) in shares.iter().enumerate() {
            credit[i] += *share as i64;
            if credit[i] > credit[best] {
                best = i;
            }
        }
        credit[best] -= total as i64;
        turns.push(best as u32);
    }
    Some(turns)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::sequence;

    #[test]
    fn shares_are_kept_and_spread() {
        assert_eq!(sequence(&[3, 1]), Some(vec![0, 0, 1, 0]));
        assert_eq!(sequence(&[30, 10]), Some(vec![0, 0, 1, 0]));
        assert_eq!(sequence(&[5, 5, 5]), None);
        assert_eq!(sequence(&[]), None);
    }

    #[test]
    fn large_weights_are_rounded_and_nobody_is_left_out() {
        let turns = sequence(&[1_000_000, 1, 999_999]).unwrap();
        let count = |n| turns.iter().filter(|turn| **turn == n).count();
        assert!(turns.len() <= 4200, "{}", turns.len());
        assert_eq!(count(1), 1);
        assert!(count(0).abs_diff(count(2)) <= 2);
    }
}
