//! Strings.

use super::abbreviate::{abbrev, abbrevboth, initials, nospace};
use super::lists::string_slice;
use super::{ANY, CallError, Called, INT, MOST, STR, function, int, text, to_text, variadic};
use crate::unicode;
use crate::{Function, Map, Type, Value};

pub(super) fn functions() -> Vec<Function> {
    const BOOL: Type = Type::Bool;
    let parts = || Type::map(STR);
    vec![
        function("abbrev", &[INT, STR], STR, abbrev),
        function("abbrevboth", &[INT, INT, STR], STR, abbrevboth),
        function("initials", &[STR], STR, initials),
        function("nospace", &[STR], STR, nospace),
        function("trunc", &[INT, STR], STR, trunc),
        function("substr", &[INT, INT, STR], STR, substr),
        function("trim", &[STR], STR, |args| Ok(trim(text(args, 0), char::is_whitespace).into())),
        function("trimAll", &[STR, STR], STR, trim_all),
        function("trimall", &[STR, STR], STR, trim_all),
        function("trimSuffix", &[STR, STR], STR, |args| {
            Ok(text(args, 1).strip_suffix(text(args, 0)).unwrap_or(text(args, 1)).to_vec().into())
        }),
        function("trimPrefix", &[STR, STR], STR, |args| {
            Ok(text(args, 1).strip_prefix(text(args, 0)).unwrap_or(text(args, 1)).to_vec().into())
        }),
        function("upper", &[STR], STR, |args| Ok(mapped(text(args, 0), |_, letter| upper(letter)).into())),
        function("lower", &[STR], STR, |args| Ok(mapped(text(args, 0), |_, letter| lower(letter)).into())),
        function("title", &[STR], STR, |args| Ok(mapped(text(args, 0), title).into())),
        function("untitle", &[STR], STR, |args| Ok(mapped(text(args, 0), untitle).into())),
        function("repeat", &[INT, STR], STR, |args| Ok(repeated(text(args, 1), int(args, 0))?.into())),
        function("contains", &[STR, STR], BOOL, |args| Ok(find(text(args, 1), text(args, 0)).is_some().into())),
        function("hasPrefix", &[STR, STR], BOOL, |args| Ok(text(args, 1).starts_with(text(args, 0)).into())),
        function("hasSuffix", &[STR, STR], BOOL, |args| Ok(text(args, 1).ends_with(text(args, 0)).into())),
        variadic("quote", &[], ANY, STR, |args| each(args, |value| Ok(crate::quote::quote(&to_text(value)?, false)))),
        variadic("squote", &[], ANY, STR, |args| {
            each(args, |value| Ok([b"'", &*crate::sprint(std::slice::from_ref(value))?, b"'"].concat()))
        }),
        variadic("cat", &[], ANY, STR, |args| each(args, |value| Ok(crate::sprint(std::slice::from_ref(value))?))),
        function("indent", &[INT, STR], STR, |args| Ok(indent(args)?.into())),
        function("nindent", &[INT, STR], STR, |args| Ok([b"\n", &*indent(args)?].concat().into())),
        function("replace", &[STR, STR, STR], STR, |args| {
            Ok(replace(text(args, 0), text(args, 1), text(args, 2))?.into())
        }),
        function("plural", &[STR, STR, INT], STR, |args| Ok(args[usize::from(int(args, 2) != 1)].clone())),
        function("toString", &[ANY], STR, |args| Ok(to_text(&args[0])?.into())),
        function("split", &[STR, STR], parts(), |args| Ok(numbered(split(text(args, 1), text(args, 0), -1)))),
        function("splitn", &[STR, INT, STR], parts(), |args| {
            Ok(numbered(split(text(args, 2), text(args, 0), int(args, 1))))
        }),
        function("splitList", &[STR, STR], Type::slice(STR), |args| {
            Ok(string_slice(split(text(args, 1), text(args, 0), -1).into_iter().map(Into::into).collect()))
        }),
    ]
}

/// The values that are not nil, each written in some way, with spaces between them.
fn each(args: &[Value], write: fn(&Value) -> Result<Vec<u8>, CallError>) -> Called {
    let texts: Result<Vec<_>, _> = args.iter().filter(|arg| !matches!(arg, Value::Nil)).map(write).collect();
    Ok(texts?.join(&b' ').into())
}

fn trunc(args: &[Value]) -> Called {
    let (count, text) = (int(args, 0), text(args, 1));
    let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(match count {
        ..0 if size < text.len() => &text[text.len() - size..],
        0.. if size < text.len() => &text[..size],
        _ => text,
    }
    .to_vec()
    .into())
}

fn substr(args: &[Value]) -> Called {
    let (start, end, text) = (int(args, 0), int(args, 1), text(args, 2));
    let length = text.len() as i64;
    let out_of_range = |range: String| Err(format!("runtime error: slice bounds out of range {range}").into());
    let (low, high) = match (start, end) {
        (..0, ..0) => return out_of_range(format!("[:{end}]")),
        (..0, _) if end > length => return out_of_range(format!("[:{end}] with length {length}")),
        (..0, _) => (0, end),
        _ if end < 0 || end > length => (start, length),
        _ => (start, end),
    };
    if low > high {
        return out_of_range(format!("[{low}:{high}]"));
    }
    Ok(text[low as usize..high as usize].to_vec().into())
}

fn trim(text: &[u8], cut: impl Fn(char) -> bool) -> Vec<u8> {
    let kept = |(_, character, _): &(usize, char, usize)| !cut(*character);
    let Some((start, ..)) = unicode::characters(text).find(kept) else { return Vec::new() };
    let end = unicode::characters(text).filter(kept).last().map_or(start, |(at, _, length)| at + length);
    text[start..end].to_vec()
}

fn trim_all(args: &[Value]) -> Called {
    let cut = text(args, 0);
    Ok(trim(text(args, 1), |character| unicode::characters(cut).any(|(_, other, _)| other == character)).into())
}

/// Each character made another, of which the one before is known.
fn mapped(text: &[u8], each: impl Fn(char, char) -> char) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut before = ' ';
    for (_, character, _) in unicode::characters(text) {
        unicode::push(&mut out, each(before, character));
        before = character;
    }
    out
}

/// The one letter that is its upper case.
pub(super) fn upper(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    if upper.len() == 1 { upper.next().unwrap_or(letter) } else { letter }
}

/// The lower case of a letter.
pub(super) fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

fn title(before: char, letter: char) -> char {
    let word = unicode::is_alphanumeric(before);
    if word || !before.is_ascii() && !before.is_whitespace() { letter } else { upper(letter) }
}

fn untitle(before: char, letter: char) -> char {
    if before.is_whitespace() { lower(letter) } else { letter }
}

fn repeated(text: &[u8], count: i64) -> Result<Vec<u8>, CallError> {
    let times = usize::try_from(count).map_err(|_| CallError::new("strings: negative Repeat count"))?;
    match text.len().checked_mul(times) {
        Some(size) if size as i64 <= MOST => Ok(text.repeat(times)),
        _ => Err("strings: Repeat output length overflow".into()),
    }
}

fn indent(args: &[Value]) -> Result<Vec<u8>, CallError> {
    let pad = repeated(b" ", int(args, 0))?;
    let text = text(args, 1);
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if (lines.len() * pad.len()) as i64 > MOST {
        return Err("strings: Repeat output length overflow".into());
    }
    let mut out = Vec::with_capacity(text.len() + lines.len() * pad.len());
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(&pad);
        out.extend_from_slice(line);
    }
    Ok(out)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    if what.is_empty() {
        return Some(0);
    }
    text.windows(what.len()).position(|window| window == what)
}

fn replace(old: &[u8], new: &[u8], text: &[u8]) -> Result<Vec<u8>, CallError> {
    if old.is_empty() {
        let characters: Vec<&[u8]> = unicode::characters(text).map(|(at, _, length)| &text[at..at + length]).collect();
        let mut out = new.to_vec();
        for character in characters {
            out.extend_from_slice(character);
            out.extend_from_slice(new);
            if out.len() as i64 > MOST {
                return Err(format!("result is longer than {MOST} bytes").into());
            }
        }
        return Ok(out);
    }
    let parts = split(text, old, -1);
    if (parts.len() * new.len()) as i64 > MOST {
        return Err(format!("result is longer than {MOST} bytes").into());
    }
    Ok(parts.join(new))
}

/// At most so many parts, or all if the number is negative. Without a separator, the characters.
fn split<'t>(text: &'t [u8], by: &[u8], most: i64) -> Vec<&'t [u8]> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = text;
    while parts.len() + 1 < most {
        let (end, skip) = match by {
            [] => match unicode::decode(rest).1 {
                0 => return parts,
                length if length == rest.len() => break,
                length => (length, 0),
            },
            _ => match find(rest, by) {
                Some(at) => (at, by.len()),
                None => break,
            },
        };
        parts.push(&rest[..end]);
        rest = &rest[end + skip..];
    }
    if most > 0 && !(by.is_empty() && rest.is_empty()) {
        parts.push(rest);
    }
    parts
}

fn numbered(parts: Vec<&[u8]>) -> Value {
    let map = Map::of(STR);
    for (at, part) in parts.into_iter().enumerate() {
        map.set(format!("_{at}"), part.to_vec());
    }
    map.into()
}
