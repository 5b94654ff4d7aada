//! Strings: as they are, quoted, in hexadecimal.

use super::Printer;
use crate::quote::{can_backquote, quote};
use crate::unicode;
use crate::value::Value;

impl Printer {
    /// A string, or what stands for the value as one.
    pub(super) fn string(&mut self, value: &Value, text: &[u8], verb: char) {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' | 'x' | 'X' | 'q' => self.text(text, verb),
            _ => self.bad_verb(value, verb),
        }
    }

    pub(super) fn text(&mut self, text: &[u8], verb: char) {
        match verb {
            'q' => self.quoted(text),
            'x' => self.bytes_in_hexadecimal(text, b"0123456789abcdef", "0x"),
            'X' => self.bytes_in_hexadecimal(text, b"0123456789ABCDEF", "0X"),
            _ => self.pad(self.flags.cut(text)),
        }
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = self.flags.cut(text);
        if self.flags.sharp && can_backquote(text) {
            self.pad(&[b"`", text, b"`"].concat());
        } else {
            self.pad(&quote(text, self.flags.plus));
        }
    }

    fn bytes_in_hexadecimal(&mut self, text: &[u8], digits: &[u8; 16], prefix: &str) {
        let flags = self.flags;
        let text = &text[..flags.precision.unwrap_or(text.len()).min(text.len())];
        let mut out = Vec::with_capacity(text.len() * 2);
        for (at, byte) in text.iter().enumerate() {
            if flags.space && at > 0 {
                out.push(b' ');
            }
            if flags.sharp && (flags.space || at == 0) {
                out.extend_from_slice(prefix.as_bytes());
            }
            out.push(digits[usize::from(byte >> 4)]);
            out.push(digits[usize::from(byte & 15)]);
        }
        self.pad(&out);
    }
}

impl super::Flags {
    /// The text up to as many characters as the precision says.
    fn cut<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.precision else { return text };
        let end = unicode::characters(text).nth(precision).map_or(text.len(), |(at, ..)| at);
        &text[..end]
    }
}
