//! `abbrev`, `abbrevboth` and `initials`. Go's library counts bytes here, and so does this.

use super::{Called, int, text};
use crate::Value;

pub(super) fn abbrev(args: &[Value]) -> Called {
    let width = int(args, 0);
    let text = text(args, 1);
    Ok(if width < 4 { text.to_vec() } else { shortened(text, 0, size(width)) }.into())
}

pub(super) fn abbrevboth(args: &[Value]) -> Called {
    let (left, right) = (int(args, 0), int(args, 1));
    let text = text(args, 2);
    Ok(if right < 4 || left > 0 && right < 7 { text.to_vec() } else { shortened(text, size(left), size(right)) }.into())
}

fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// As much of the text from the offset on as the width has room for, with dots where something is missing.
fn shortened(text: &[u8], offset: usize, width: usize) -> Vec<u8> {
    const DOTS: &[u8] = b"...";
    if text.len() <= width {
        return text.to_vec();
    }
    let shown = width - DOTS.len();
    let mut offset = offset.min(text.len());
    if text.len() - offset < shown {
        offset = text.len() - shown;
    }
    if offset <= 4 {
        return [&text[..shown], DOTS].concat();
    }
    if offset + shown < text.len() {
        // Too little room for what is left gives nothing.
        let rest = if shown < 4 { Vec::new() } else { shortened(&text[offset..], 0, shown) };
        return [DOTS, &rest].concat();
    }
    [DOTS, &text[text.len() - shown..]].concat()
}

/// The first byte of each word.
pub(super) fn initials(args: &[Value]) -> Called {
    let mut out = Vec::new();
    let mut after_gap = true;
    for &byte in text(args, 0) {
        let gap = is_space(byte);
        if !gap && after_gap {
            crate::unicode::push(&mut out, char::from(byte));
        }
        after_gap = gap;
    }
    Ok(out.into())
}

/// Text without its spaces, byte for byte.
pub(super) fn nospace(args: &[Value]) -> Called {
    let text = text(args, 0);
    if !text.iter().any(|byte| is_space(*byte)) {
        return Ok(text.to_vec().into());
    }
    let mut out = Vec::new();
    for byte in text.iter().filter(|byte| !is_space(**byte)) {
        crate::unicode::push(&mut out, char::from(*byte));
    }
    Ok(out.into())
}

/// Whether a byte, taken for a character, is a space.
fn is_space(byte: u8) -> bool {
    char::from(byte).is_whitespace()
}
