//! Query strings, read as Envoy reads them for matching: split at `&` and the first `=`, nothing decoded.

/// The first value of parameter `name`, if it is there; empty when it has no `=`.
pub(super) fn first_value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| match pair.split_once('=') {
        Some((key, value)) => (key == name).then_some(value),
        None => (pair == name).then_some(""),
    })
}

#[cfg(test)]
mod tests {
    use super::first_value;

    #[test]
    fn the_first_of_several_values_counts_and_nothing_is_decoded() {
        assert_eq!(first_value("a=1&b=2&a=3", "a"), Some("1"));
        assert_eq!(first_value("a=x=y", "a"), Some("x=y"));
        assert_eq!(first_value("a", "a"), Some(""));
        assert_eq!(first_value("a=%20", "a"), Some("%20"));
        assert_eq!(first_value("ab=1", "a"), None);
        assert_eq!(first_value("", "a"), None);
    }
}
