//! Integers, in every base and as characters.

use super::Printer;
use crate::quote::quote_character;
use crate::unicode::{self, REPLACEMENT};
use crate::value::Value;

impl Printer {
    /// An integer, of which the size and the sign are given.
    pub(super) fn integer(&mut self, value: &Value, size: u64, negative: bool, verb: char, signed: bool) {
        // What Go sees when it takes a negative number for a character.
        let code = if negative { size.wrapping_neg() } else { size };
        match verb {
            'v' if self.flags.sharp_v && !signed => self.hexadecimal(size, true),
            'v' | 'd' => self.based(size, negative, &format!("{size}"), ""),
            'b' => self.based(size, negative, &format!("{size:b}"), "0b"),
            'o' => self.octal(size, negative, ""),
            'O' => self.octal(size, negative, "0o"),
            'x' => self.based(size, negative, &format!("{size:x}"), "0x"),
            'X' => self.based(size, negative, &format!("{size:X}"), "0X"),
            'c' => self.pad(character(code).encode_utf8(&mut [0; 4]).as_bytes()),
            'q' => self.pad(&quote_character(character(code), self.flags.plus)),
            'U' => self.code_point(code),
            _ => self.bad_verb(value, verb),
        }
    }

    pub(super) fn hexadecimal(&mut self, number: u64, prefix: bool) {
        let sharp = std::mem::replace(&mut self.flags.sharp, prefix);
        self.based(number, false, &format!("{number:x}"), "0x");
        self.flags.sharp = sharp;
    }

    fn octal(&mut self, size: u64, negative: bool, always: &str) {
        let digits = format!("{size:o}");
        self.digits(size, negative, &digits, |digits, sharp| {
            let zero = if sharp && !digits.starts_with('0') { "0" } else { "" };
            format!("{always}{zero}")
        });
    }

    fn based(&mut self, size: u64, negative: bool, digits: &str, prefix: &str) {
        let prefix = if prefix.is_empty() { None } else { Some(prefix) };
        self.digits(size, negative, digits, |_, sharp| prefix.filter(|_| sharp).unwrap_or_default().to_owned());
    }

    /// Digits, with zeros in front up to the precision, or up to the width where zeros are asked for.
    fn digits(&mut self, size: u64, negative: bool, digits: &str, prefix: impl Fn(&str, bool) -> String) {
        let flags = self.flags;
        let sign = if negative {
            "-"
        } else if flags.plus {
            "+"
        } else if flags.space {
            " "
        } else {
            ""
        };
        let precision = match (flags.precision, flags.width) {
            (Some(0), _) if size == 0 => return self.pad_spaces(b""),
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero && !flags.minus => width.saturating_sub(sign.len()),
            _ => 0,
        };
        let zeros = "0".repeat(precision.saturating_sub(digits.len()));
        let digits = format!("{zeros}{digits}");
        let prefix = prefix(&digits, flags.sharp);
        self.pad_spaces(format!("{sign}{prefix}{digits}").as_bytes());
    }

    /// `U+0041`, and with a sharp the character too.
    fn code_point(&mut self, code: u64) {
        let width = self.flags.precision.unwrap_or(4).max(4);
        let mut text = format!("U+{code:0width$X}", width = width.min(1000)).into_bytes();
        if width > 1000 {
            let zeros = "0".repeat(width - 1000);
            text.splice(2..2, zeros.into_bytes());
        }
        let character = u32::try_from(code).ok().and_then(char::from_u32);
        if let Some(character) = character.filter(|character| self.flags.sharp && unicode::is_printable(*character)) {
            text.extend_from_slice(b" '");
            unicode::push(&mut text, character);
            text.push(b'\'');
        }
        self.pad_spaces(&text);
    }
}

fn character(code: u64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(REPLACEMENT)
}
