//! `$(NAME)` in commands, arguments and values, as Kubernetes expands it: `$$` stands for `$`, and a name that is not known is
//! left as it is written.

/// Expands `text`; `lookup` gives the value of a name.
pub fn expand<'a>(text: &str, lookup: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match lookup(name) {
                Some(value) => expanded.push_str(value),
                None => {
                    expanded.push_str("$(");
                    expanded.push_str(name);
                    expanded.push(')');
                }
            }
            rest = after;
        } else {
            expanded.push('$');
        }
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_kubernetes() {
        let expand = |text| {
            expand(text, |name| match name {
                "A" => Some("a"),
                "EMPTY" => Some(""),
                "NESTED" => Some("$(A)"),
                _ => None,
            })
        };
        for (text, wanted) in [
            ("$(A)-$(A)", "a-a"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$a"),
            ("$(B)", "$(B)"),
            ("x$(EMPTY)y", "xy"),
            ("$(NESTED)", "$(A)"),
            ("$", "$"),
            ("$A", "$A"),
            ("$(A", "$(A"),
            ("$$$$", "$$"),
            ("ä$(A)ö", "äaö"),
            ("", ""),
        ] {
            assert_eq!(expand(text), wanted, "{text}");
        }
    }
}
