//! Whether a regular expression can be served: its syntax, and its size once compiled.

/// The most memory, in bytes, that one compiled expression may take. A data plane must allow at least as much.
pub const PATTERN_SIZE_LIMIT: usize = 1 << 20;

/// Checks an expression; the error says what is wrong with it.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    groups(pattern).map(|_| ())
}

/// How many groups an expression has; the error says what is wrong with it.
pub(crate) fn groups(pattern: &str) -> Result<usize, String> {
    match regex::RegexBuilder::new(pattern).size_limit(PATTERN_SIZE_LIMIT).build() {
        Ok(regex) => Ok(regex.captures_len().saturating_sub(1)),
        Err(regex::Error::CompiledTooBig(limit)) => {
            Err(format!("it takes more than {limit} bytes once compiled; use fewer or smaller repetitions"))
        }
        // The parser's message draws the expression over several lines, its last line says what is wrong.
        Err(error) => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            Err(last.strip_prefix("error: ").unwrap_or(last).to_owned())
        }
    }
}

/// The text that everything an expression matches begins with, as far as it can be told without understanding the
/// expression: up to the first character that means something else than itself.
pub(crate) fn literal_prefix(pattern: &str) -> &str {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    if pattern.contains('|') {
        return "";
    }
    let end = pattern.find(|c: char| r"\.+*?()[]{}^$".contains(c)).unwrap_or(pattern.len());
    let head = &pattern[..end];
    // The last character is optional when a repetition follows it.
    match pattern[end..].chars().next() {
        Some('*' | '?' | '{') => head.char_indices().next_back().map_or("", |(at, _)| &head[..at]),
        _ => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_and_size_are_checked() {
        assert_eq!(check("/a(b|c)+"), Ok(()));
        assert_eq!(check("/a(b"), Err("unclosed group".to_owned()));
        assert!(check("(?:a{1000}){1000}").is_err_and(|error| error.contains("bytes once compiled")));
    }

    #[test]
    fn the_literal_prefix_is_never_too_long() {
        for (pattern, prefix) in [
            ("/admin/(.*", "/admin/"),
            ("^/admin/.*", "/admin/"),
            ("/admins?/[", "/admin"),
            ("/a|/b(", ""),
            ("/ü{2", "/"),
            ("(", ""),
            ("/plain", "/plain"),
        ] {
            assert_eq!(literal_prefix(pattern), prefix, "{pattern}");
        }
    }
}
