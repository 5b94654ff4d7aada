//! Paths as routes and upstreams get to see them, byte for byte as Envoy makes them.
//!
//! First `%2F` and `%5C` are looked after, then the path is normalised, then slashes in a row become one. The query is
//! never touched. A path that needs none of it is looked at once and not copied.

use serin_api::proxy::{EscapedSlashes, PathSettings};

/// What becomes of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolvedPath {
    /// It is as it should be.
    Same,
    /// The request goes on with this one.
    Other(String),
    /// The client is sent to this one.
    Redirect(String),
    /// The request is refused.
    Refused,
}

/// What becomes of `path`, which has no query.
#[must_use]
pub fn resolve_path(settings: PathSettings, path: &str) -> ResolvedPath {
    // `*` and the like are not paths.
    if !path.starts_with('/') || is_plain(settings, path) {
        return ResolvedPath::Same;
    }
    let mut current = path.to_owned();
    let mut redirect = false;
    if settings.escaped_slashes != EscapedSlashes::Keep
        && let Some(undone) = undo_slashes(&current)
    {
        match settings.escaped_slashes {
            EscapedSlashes::Reject => return ResolvedPath::Refused,
            EscapedSlashes::Redirect => redirect = true,
            EscapedSlashes::Undo | EscapedSlashes::Keep => {}
        }
        current = undone;
    }
    if settings.normalize {
        match normalize(&without_parameters(&current)) {
            Some(normal) => current = normal,
            None => return ResolvedPath::Refused,
        }
    }
    if settings.merge_slashes && current.contains("//") {
        current = merge_slashes(&current);
    }
    match current == path {
        true => ResolvedPath::Same,
        false if redirect => ResolvedPath::Redirect(current),
        false => ResolvedPath::Other(current),
    }
}

/// Whether there is nothing in the path that any step could change.
fn is_plain(settings: PathSettings, path: &str) -> bool {
    let mut before = 0;
    path.bytes().all(|byte| {
        let plain = match byte {
            b'%' => !settings.normalize && settings.escaped_slashes == EscapedSlashes::Keep,
            b'.' => !settings.normalize || before != b'/',
            b'/' => !settings.merge_slashes || before != b'/',
            _ => !settings.normalize || !(byte == b'\\' || is_escaped(byte)),
        };
        before = byte;
        plain
    })
}

/// Undoes `%2F` and `%5C`; `None` where there are none.
fn undo_slashes(path: &str) -> Option<String> {
    let mut undone = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        undone.push_str(before);
        let slash = match escape.as_bytes() {
            [_, b'2', b'F' | b'f', ..] => Some('/'),
            [_, b'5', b'C' | b'c', ..] => Some('\\'),
            _ => None,
        };
        undone.push(slash.unwrap_or('%'));
        rest = &escape[if slash.is_some() { 3 } else { 1 }..];
    }
    undone.push_str(rest);
    (undone.len() < path.len()).then_some(undone)
}

/// Takes `;…` off segments that are `.` or `..` but for it, lest an upstream that does so itself climbs out.
fn without_parameters(path: &str) -> String {
    let bare = |segment: &str| match segment.split_once(';') {
        Some((dots @ ("." | ".."), _)) => dots.to_owned(),
        _ => segment.to_owned(),
    };
    if !path.contains("/.") || !path.contains(';') {
        return path.to_owned();
    }
    path.split('/').map(bare).collect::<Vec<_>>().join("/")
}

/// Bytes that a path has only as escapes.
fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | 0..=b' ' | 0x7f..)
}

/// Bytes whose escapes mean the same as they themselves.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Resolves `.` and `..`, turns backslashes, undoes needless escapes and makes those that are needed; `None` for a path
/// with an escaped null.
fn normalize(path: &str) -> Option<String> {
    let input = path.as_bytes();
    let mut output = Vec::with_capacity(input.len());
    // Where the last `%` went that begins no escape: what is undone after it must not complete one.
    let mut stray = None;
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        if let Some(after) = dot(input, at) {
            match (output.last() == Some(&b'/')).then(|| dots(input, after)).flatten() {
                Some((Dots::One, end)) => at = end,
                Some((Dots::Two, end)) => {
                    climb(&mut output);
                    stray = stray.filter(|stray| *stray < output.len());
                    at = end;
                }
                None => {
                    output.push(b'.');
                    at = after;
                }
            }
            continue;
        }
        at += 1;
        match byte {
            b'\\' => output.push(b'/'),
            b'%' => match escape(input, at - 1) {
                Some(0) => return None,
                Some(meant) if is_unreserved(meant) => {
                    at += 2;
                    output.push(meant);
                    guard(&mut output, stray, input.get(at).copied());
                }
                Some(_) => {
                    output.extend_from_slice(&input[at - 1..at + 2]);
                    at += 2;
                }
                None => {
                    stray = Some(output.len());
                    output.push(b'%');
                }
            },
            _ if is_escaped(byte) => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                output.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            _ => output.push(byte),
        }
    }
    String::from_utf8(output).ok()
}

/// How many dots a segment is made of.
#[derive(Clone, Copy)]
enum Dots {
    One,
    Two,
}

/// The place after a dot, escaped or not, at `at`.
fn dot(input: &[u8], at: usize) -> Option<usize> {
    match input.get(at..)? {
        [b'.', ..] => Some(at + 1),
        [b'%', b'2', b'E' | b'e', ..] => Some(at + 3),
        _ => None,
    }
}

/// Whether a segment that began with a dot is only dots, and the place after it and its slash.
fn dots(input: &[u8], after: usize) -> Option<(Dots, usize)> {
    let end = |at: usize| match input.get(at) {
        None => Some(at),
        Some(b'/' | b'\\') => Some(at + 1),
        Some(_) => None,
    };
    if let Some(end) = end(after) {
        return Some((Dots::One, end));
    }
    end(dot(input, after)?).map(|end| (Dots::Two, end))
}

/// Takes the last segment off, but not the slash that the path begins with.
fn climb(output: &mut Vec<u8>) {
    if output.len() > 1 {
        output.pop();
        let slash = output.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
        output.truncate(slash + 1);
    }
}

/// The byte that an escape at `at` stands for.
fn escape(input: &[u8], at: usize) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (high, low) = (digit(input.get(at + 1)?)?, digit(input.get(at + 2)?)?);
    u8::try_from(high * 16 + low).ok()
}

/// Where a byte that was just undone completes an escape with a stray `%` before it, that `%` is escaped itself.
fn guard(output: &mut Vec<u8>, stray: Option<usize>, next: Option<u8>) {
    let Some(stray) = stray else { return };
    let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    let completes = match output.len() - stray {
        2 => hex(output.last().copied()) && hex(next),
        3 => hex(output.get(stray + 1).copied()) && hex(output.last().copied()),
        _ => false,
    };
    if completes {
        output.splice(stray + 1..stray + 1, *b"25");
    }
}

/// One slash for many; as in Envoy, a path that is nothing but slashes keeps two.
fn merge_slashes(path: &str) -> String {
    let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
    let end = if path.ends_with('/') { "/" } else { "" };
    format!("/{}{end}", words.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, escaped_slashes: EscapedSlashes, normalize: bool, merge_slashes: bool) -> String {
        match resolve_path(PathSettings { escaped_slashes, normalize, merge_slashes }, path) {
            ResolvedPath::Same => path.to_owned(),
            ResolvedPath::Other(other) => other,
            ResolvedPath::Redirect(to) => format!("307 {to}"),
            ResolvedPath::Refused => "400".to_owned(),
        }
    }

    /// What a real Envoy 1.40 made of them.
    #[test]
    fn paths_come_out_as_from_envoy() {
        for (path, normal) in [
            ("/a/../b/%41%7e%2e/./x%2Fy", "/b/A~./x%2Fy"),
            ("/a.js", "/a.js"),
            ("/%2e%2E/", "/"),
            ("/../..", "/"),
            ("/a/.", "/a/"),
            ("/a/b/..", "/a/"),
            ("/a//../b", "/a/b"),
            ("/a/..//b", "//b"),
            ("/abc/%/../../%41", "/A"),
            ("/abc/%/../../%41%42%43%441%31", "/ABCD11"),
            ("/a\\..\\b", "/b"),
            ("/a/...", "/a/..."),
            ("/a/..b", "/a/..b"),
            ("/a../b", "/a../b"),
            ("/a/%252e%252e/b", "/a/%252e%252e/b"),
            ("/%c3%a9", "/%c3%a9"),
            ("/a\"<>^`{|}b", "/a%22%3C%3E%5E%60%7B%7C%7Db"),
            ("/a%", "/a%"),
            ("/a%zz", "/a%zz"),
            ("/a%%41", "/a%A"),
            ("/a%00b", "400"),
            ("/a/..;x/b", "/b"),
            ("/a/.;/b", "/a/b"),
            ("/a/b/..;x\\c", "/a/"),
            ("/a/%2e%2e;x/b", "/a/..;x/b"),
            ("/a/..x;/b", "/a/..x;/b"),
            ("*", "*"),
        ] {
            assert_eq!(of(path, EscapedSlashes::Keep, true, false), normal, "{path}");
        }
        for (path, merged) in
            [("//", "//"), ("//a", "/a"), ("/a//b//", "/a/b/"), ("/a/..//b", "/b"), ("/a///..;x/b", "/a/b")]
        {
            assert_eq!(of(path, EscapedSlashes::Keep, true, true), merged, "{path}");
        }
        assert_eq!(of("/a/../%41//b", EscapedSlashes::Keep, false, true), "/a/../%41/b");
    }

    #[test]
    fn escaped_slashes_are_kept_refused_undone_or_sent_back() {
        for (action, made) in [
            (EscapedSlashes::Keep, "/a%2f..%5Cb"),
            (EscapedSlashes::Reject, "400"),
            (EscapedSlashes::Undo, "/b"),
            (EscapedSlashes::Redirect, "307 /b"),
        ] {
            assert_eq!(of("/a%2f..%5Cb", action, true, false), made, "{action:?}");
            assert_eq!(of("/a%20b", action, true, false), "/a%20b", "{action:?}");
        }
        assert_eq!(of("/a%2F..%5cb", EscapedSlashes::Undo, false, false), "/a/..\\b");
    }

    #[test]
    fn nothing_is_done_where_nothing_is_asked_for() {
        for path in ["/a/../b", "/%41", "//", "/a\\b", "/%00", "/%2f"] {
            assert_eq!(of(path, EscapedSlashes::Keep, false, false), path);
        }
    }

    #[test]
    fn what_was_normalised_once_stays() {
        for path in ["/%%34%31", "/%%341", "/%4%31", "/a%%2e/b", "/%%32e%%32e/"] {
            let once = of(path, EscapedSlashes::Keep, true, false);
            assert_eq!(of(&once, EscapedSlashes::Keep, true, false), once, "{path}");
        }
    }
}
