//! The order in which go-yaml writes the keys of a mapping: letters after everything else, runs of digits by their number.

use std::cmp::Ordering;

/// Sorts keys. The order has cycles (`10` < `1a` < `2` < `10`), on which the standard sort may panic, so this is a merge
/// sort of its own, over keys that are sorted by bytes first to have one answer.
pub(crate) fn sort(mut keys: Vec<&String>) -> Vec<&String> {
    keys.sort_unstable();
    merge_sort(keys)
}

fn merge_sort(mut keys: Vec<&String>) -> Vec<&String> {
    if keys.len() < 2 {
        return keys;
    }
    let right = merge_sort(keys.split_off(keys.len() / 2));
    let left = merge_sort(keys);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if compare(b, a) == Ordering::Less { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len().cmp(&b.len()) };
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => return a[at].cmp(&b[at]),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A zero inside a number counts as a digit of it; a leading one adds nothing.
    let inside_number = (a[at] == '0' || b[at] == '0')
        && a[..at].iter().rev().take_while(|c| c.is_ascii_digit()).any(|digit| *digit != '0');
    let (a_number, a_end) = run(&a, at, inside_number);
    let (b_number, b_end) = run(&b, at, inside_number);
    a_number.cmp(&b_number).then(a_end.cmp(&b_end)).then(a[at].cmp(&b[at]))
}

/// The number that starts at `start`, and where it ends.
fn run(key: &[char], start: usize, inside_number: bool) -> (i64, usize) {
    let digits = key[start..].iter().map_while(|c| c.to_digit(10));
    let mut end = start;
    let mut number = i64::from(inside_number);
    for digit in digits {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        end += 1;
    }
    (number, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let keys: Vec<String> = ["b", "a10", "a2", "a-b", "A", "a", "10", "9"].map(String::from).into();
        let sorted: Vec<&str> = sort(keys.iter().collect()).into_iter().map(String::as_str).collect();
        assert_eq!(sorted, ["9", "10", "A", "a", "a-b", "a2", "a10", "b"]);
    }

    #[test]
    fn a_cycle_does_no_harm() {
        let keys: Vec<String> = (0..2000).map(|n| if n % 3 == 0 { format!("{n}a") } else { n.to_string() }).collect();
        assert_eq!(sort(keys.iter().collect()).len(), keys.len());
    }
}
