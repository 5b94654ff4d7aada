//! The name that is nearest to one that was written.

/// The one of `names` that takes the fewest changes of a letter to become `written`.
pub(super) fn nearest(written: &str, names: impl Iterator<Item = &'static str>) -> &'static str {
    let written = written.to_ascii_uppercase();
    names.min_by_key(|name| distance(&written, name)).unwrap_or_default()
}

/// How many letters have to be put in, taken out or exchanged.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (at, there) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *there);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        for (one, other, away) in [("", "", 0), ("ab", "ab", 0), ("ab", "", 2), ("kitten", "sitting", 3), ("a", "b", 1)]
        {
            assert_eq!(distance(one, other), away, "{one} {other}");
            assert_eq!(distance(other, one), away, "{other} {one}");
        }
        assert_eq!(nearest("resp0nse", ["REQ", "RESPONSE"].into_iter()), "RESPONSE");
    }
}
