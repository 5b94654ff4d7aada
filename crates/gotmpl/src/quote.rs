//! Go's quoted strings and characters, written and read.

use crate::unicode::{self, REPLACEMENT};

/// The text in double quotes, escaped where it cannot be printed, or wherever it is not ASCII.
pub(crate) fn quote(text: &[u8], ascii: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    for (at, character, length) in unicode::characters(text) {
        if character == REPLACEMENT && length == 1 {
            out.extend_from_slice(format!("\\x{:02x}", text[at]).as_bytes());
        } else {
            escape(&mut out, character, '"', ascii);
        }
    }
    out.push(b'"');
    out
}

/// [`quote`] for messages.
pub(crate) fn quoted(text: &[u8]) -> String {
    String::from_utf8_lossy(&quote(text, false)).into_owned()
}

/// The character in single quotes.
pub(crate) fn quote_character(character: char, ascii: bool) -> Vec<u8> {
    let mut out = vec![b'\''];
    escape(&mut out, character, '\'', ascii);
    out.push(b'\'');
    out
}

fn escape(out: &mut Vec<u8>, character: char, quote: char, ascii: bool) {
    if character == quote || character == '\\' {
        out.push(b'\\');
        unicode::push(out, character);
        return;
    }
    if unicode::is_printable(character) && (!ascii || character.is_ascii()) {
        unicode::push(out, character);
        return;
    }
    let code = u32::from(character);
    let escaped = match character {
        '\x07' => "\\a".to_owned(),
        '\x08' => "\\b".to_owned(),
        '\x0c' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\x0b' => "\\v".to_owned(),
        _ if code < 0x20 || code == 0x7f => format!("\\x{code:02x}"),
        _ if code < 0x10000 => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    };
    out.extend_from_slice(escaped.as_bytes());
}

/// Whether the text can stand between backquotes on one line as it is.
pub(crate) fn can_backquote(text: &[u8]) -> bool {
    unicode::characters(text).all(|(_, character, length)| match character {
        '\u{feff}' | '`' | '\x7f' => false,
        REPLACEMENT => length > 1,
        _ => character >= ' ' || character == '\t',
    })
}

/// What a quoted string says, with either kind of quotes. None where it is malformed.
pub(crate) fn unquote(quoted: &[u8]) -> Option<Vec<u8>> {
    match quoted {
        [b'`', inner @ .., b'`'] if !inner.contains(&b'`') => {
            Some(inner.iter().copied().filter(|byte| *byte != b'\r').collect())
        }
        [b'"', rest @ ..] => {
            let mut rest = rest;
            let mut out = Vec::with_capacity(rest.len());
            while !rest.starts_with(b"\"") {
                if rest.first() == Some(&b'\n') {
                    return None;
                }
                let (unit, after) = unquote_unit(rest, b'"')?;
                match unit {
                    Unit::Byte(byte) => out.push(byte),
                    Unit::Character(character) => unicode::push(&mut out, character),
                }
                rest = after;
            }
            (rest.len() == 1).then_some(out)
        }
        _ => None,
    }
}

/// One character of a quoted string, or one byte that was written as such.
pub(crate) enum Unit {
    Byte(u8),
    Character(char),
}

/// Reads one character or escape, and gives what follows it.
pub(crate) fn unquote_unit(text: &[u8], quote: u8) -> Option<(Unit, &[u8])> {
    let (&first, rest) = text.split_first()?;
    if first == quote {
        return None;
    }
    if first >= 0x80 {
        let (character, length) = unicode::decode(text);
        return Some((Unit::Character(character), &text[length..]));
    }
    if first != b'\\' {
        return Some((Unit::Byte(first), rest));
    }
    let (&escape, rest) = rest.split_first()?;
    let byte = match escape {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'\'' | b'"' if escape == quote => escape,
        b'x' => {
            let (code, rest) = digits(rest, 2, 16)?;
            return Some((Unit::Byte(u8::try_from(code).ok()?), rest));
        }
        b'u' | b'U' => {
            let (code, rest) = digits(rest, if escape == b'u' { 4 } else { 8 }, 16)?;
            return Some((Unit::Character(char::from_u32(code)?), rest));
        }
        b'0'..=b'7' => {
            let (code, _) = digits(&text[1..], 3, 8)?;
            return Some((Unit::Byte(u8::try_from(code).ok()?), &text[4..]));
        }
        _ => return None,
    };
    Some((Unit::Byte(byte), rest))
}

fn digits(text: &[u8], count: usize, base: u32) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let mut code = 0u32;
    for &digit in digits {
        code = code.checked_mul(base)?.checked_add(char::from(digit).to_digit(base)?)?;
    }
    Some((code, rest))
}
