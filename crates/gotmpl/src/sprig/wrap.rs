//! `wrap`, `wrapWith` and `swapcase`.

use super::strings::{lower, upper};
use super::{CallError, Called, INT, MOST, STR, function, int, text};
use crate::Function;
use crate::unicode;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("wrap", &[INT, STR], STR, |args| Ok(wrapped(text(args, 1), int(args, 0), b"\n", false)?.into())),
        function("wrapWith", &[INT, STR, STR], STR, |args| {
            Ok(wrapped(text(args, 2), int(args, 0), text(args, 1), true)?.into())
        }),
        function("swapcase", &[STR], STR, swapcase),
    ]
}

/// Text in lines of at most so many bytes where spaces allow it. Long words are cut where that is asked for.
fn wrapped(text: &[u8], width: i64, line_end: &[u8], cut: bool) -> Result<Vec<u8>, CallError> {
    let width = usize::try_from(width).unwrap_or(0).max(1);
    let line_end = if line_end.is_empty() { b"\n" } else { line_end };
    let mut out = Vec::new();
    let mut rest = text;
    while rest.len() > width {
        if out.len() as i64 > MOST {
            return Err(format!("result is longer than {MOST} bytes").into());
        }
        if let Some(trimmed) = rest.strip_prefix(b" ") {
            rest = trimmed;
            continue;
        }
        let last_space = rest[..=width].iter().rposition(|byte| *byte == b' ');
        let next_space = || rest[width..].iter().position(|byte| *byte == b' ').map(|at| width + at);
        let (end, skip) = match last_space {
            Some(at) => (at, 1),
            None if cut => (width, 0),
            None => match next_space() {
                Some(at) => (at, 1),
                None => break,
            },
        };
        out.extend_from_slice(&rest[..end]);
        out.extend_from_slice(line_end);
        rest = &rest[end + skip..];
    }
    out.extend_from_slice(rest);
    Ok(out)
}

/// Upper case made lower, and the other way round.
fn swapcase(args: &[crate::Value]) -> Called {
    let mut out = Vec::new();
    for (_, character, _) in unicode::characters(text(args, 0)) {
        unicode::push(&mut out, if character.is_uppercase() { lower(character) } else { upper(character) });
    }
    Ok(out.into())
}
