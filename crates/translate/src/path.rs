//! Whether a path, a redirect or a rewrite is one that a URL can have.

/// Sequences that no path may contain, because a client, a proxy or an upstream may read them as something else.
const FORBIDDEN: [&str; 6] = ["//", "/./", "/../", "%2f", "%2F", "#"];

/// Checks a path that a route matches; the error says what is wrong with it. An empty one passes, as in Gloo.
pub(crate) fn check(path: &str) -> Result<(), String> {
    for sequence in FORBIDDEN {
        if path.contains(sequence) {
            return Err(format!("path [{path}] cannot contain [{sequence}]"));
        }
    }
    for end in ["/..", "/."] {
        if path.ends_with(end) {
            return Err(format!("path [{path}] cannot end with [{end}]"));
        }
    }
    if let Some(character) = foreign_character(path) {
        return Err(format!("path [{path}] contains {character:?}, which a path cannot have: percent-encode it"));
    }
    Ok(())
}

/// Checks a path that a redirect or a rewrite leads to. It may carry a query.
pub(crate) fn check_target(path: &str) -> Result<(), String> {
    match path.split_once('?') {
        None => check(path),
        Some((path, query)) => {
            check(path)?;
            match foreign_character(&query.replace('?', "")) {
                _ if query.contains('#') => Err(format!("the query [{query}] cannot contain [#]")),
                Some(character) => Err(format!("the query [{query}] contains {character:?}: percent-encode it")),
                None => Ok(()),
            }
        }
    }
}

/// The first character that is none of RFC 3986's path characters: unreserved, percent-encoded, sub-delims, `:`, `@`
/// and the slash.
fn foreign_character(path: &str) -> Option<char> {
    let bytes = path.as_bytes();
    path.char_indices().find_map(|(at, character)| {
        let fine = match character {
            '%' => bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
            _ => character.is_ascii_alphanumeric() || "/:@._~!$&'()*+,;=-".contains(character),
        };
        (!fine).then_some(character)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_checked_as_gloo_does() {
        for path in ["", "/", "/a.b", "/a/..b", "/a%20b", "/a/.b/", "/%41", "/a:b@c;d=e,f", "/.."[..1].as_ref()] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
        for path in [
            "//", "/a//b", "/./a", "/a/../b", "/a%2fb", "/a%2Fb", "/a#b", "/a/..", "/a/.", "/a b", "/a?b", "/ä",
            "/a%zz", "/a%4", "/a\"b", "/a\\b", "/a{b}", "/a|b", "/a\u{0}",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_redirect_may_carry_a_query() {
        assert_eq!(check_target("/a?b=c&d"), Ok(()));
        assert!(check_target("/a//?b").is_err());
        assert!(check_target("/a?b#c").is_err());
    }
}
