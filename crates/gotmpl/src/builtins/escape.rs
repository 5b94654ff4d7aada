//! `html`, `js` and `urlquery`.

use crate::CallError;
use crate::exec::Operand;
use crate::print::print_to;
use crate::unicode;
use crate::value::{Str, Value};

/// The arguments as one text.
fn text(args: &[Operand]) -> Result<Str, CallError> {
    if let [Operand { value: Value::Str(text), .. }] = args {
        return Ok(text.clone());
    }
    let (mut out, mut after_string) = (Vec::new(), true);
    for arg in args {
        let string = matches!(arg.value, Value::Str(_) | Value::Nil);
        if !string && !after_string {
            out.push(b' ');
        }
        match &arg.value {
            Value::Nil => out.extend_from_slice(b"<no value>"),
            value => print_to(&mut out, value)?,
        }
        after_string = string;
    }
    Ok(out.into())
}

pub(super) fn html(args: &[Operand]) -> Result<Value, CallError> {
    let text = text(args)?;
    let mut out = Vec::with_capacity(text.len());
    for &byte in text.iter() {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            _ => out.push(byte),
        }
    }
    Ok(out.into())
}

pub(super) fn js(args: &[Operand]) -> Result<Value, CallError> {
    let text = text(args)?;
    let mut out = Vec::with_capacity(text.len());
    for (at, character, length) in unicode::characters(&text) {
        match character {
            '\\' => out.extend_from_slice(b"\\\\"),
            '\'' => out.extend_from_slice(b"\\'"),
            '"' => out.extend_from_slice(b"\\\""),
            '<' | '>' | '&' | '=' | '\0'..' ' => out.extend_from_slice(code(character).as_bytes()),
            _ if character.is_ascii() || unicode::is_printable(character) => {
                out.extend_from_slice(&text[at..at + length]);
            }
            _ => out.extend_from_slice(code(character).as_bytes()),
        }
    }
    Ok(out.into())
}

fn code(character: char) -> String {
    format!("\\u{:04X}", u32::from(character))
}

pub(super) fn urlquery(args: &[Operand]) -> Result<Value, CallError> {
    let text = text(args)?;
    let mut out = Vec::with_capacity(text.len());
    for &byte in text.iter() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    Ok(out.into())
}
