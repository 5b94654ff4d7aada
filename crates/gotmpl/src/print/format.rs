//! Format strings: flags, widths, precisions, argument numbers, and what is wrong with them.

use super::{Flags, Printer};
use crate::unicode;
use crate::value::Value;

/// Larger widths and precisions are not taken.
const MOST: i64 = 1_000_000;

/// A format as it is read.
struct Reader<'f> {
    format: &'f [u8],
    at: usize,
    args: &'f [Value],
    /// The argument that is next.
    next: usize,
    /// Arguments were chosen by number, so nobody knows which were left out.
    reordered: bool,
    /// The last number that was given is that of an argument.
    good: bool,
}

impl Printer {
    pub(super) fn printf(&mut self, format: &[u8], args: &[Value]) {
        let mut reader = Reader { format, at: 0, args, next: 0, reordered: false, good: true };
        loop {
            let rest = &format[reader.at..];
            let plain = rest.iter().position(|byte| *byte == b'%').unwrap_or(rest.len());
            self.out.extend_from_slice(&rest[..plain]);
            reader.at += plain + 1;
            self.failed |= self.out.len() > super::MAX_BYTES;
            if reader.at > format.len() || self.failed {
                break;
            }
            if !self.directive(&mut reader) {
                break;
            }
        }
        if !reader.reordered && reader.next < args.len() {
            self.extra(&args[reader.next..]);
        }
    }

    /// What follows a `%`. False at the end of the format.
    fn directive(&mut self, reader: &mut Reader<'_>) -> bool {
        self.flags = Flags::default();
        reader.good = true;
        while let Some(byte) = reader.peek() {
            match byte {
                b'#' => self.flags.sharp = true,
                b'0' => self.flags.zero = true,
                b'+' => self.flags.plus = true,
                b'-' => self.flags.minus = true,
                b' ' => self.flags.space = true,
                _ => break,
            }
            reader.at += 1;
        }
        let mut numbered = reader.argument_number();
        numbered = self.width(reader, numbered);
        numbered = self.precision(reader, numbered);
        if !numbered {
            reader.argument_number();
        }
        let (verb, length) = unicode::decode(&reader.format[reader.at..]);
        if length == 0 {
            self.write("%!(NOVERB)");
            return false;
        }
        reader.at += length;
        let problem = if verb == '%' {
            self.write("%");
            return true;
        } else if !reader.good {
            "(BADINDEX)"
        } else if reader.next >= reader.args.len() {
            "(MISSING)"
        } else {
            if matches!(verb, 'v' | 'w') {
                self.flags.sharp_v = std::mem::take(&mut self.flags.sharp);
                self.flags.plus_v = std::mem::take(&mut self.flags.plus);
            }
            self.arg(&reader.args[reader.next], verb);
            reader.next += 1;
            return true;
        };
        self.write("%!");
        unicode::push(&mut self.out, verb);
        self.write(problem);
        true
    }

    /// The width, in the format or an argument. Tells whether an argument number was given that nothing used yet.
    fn width(&mut self, reader: &mut Reader<'_>, numbered: bool) -> bool {
        if reader.peek() == Some(b'*') {
            reader.at += 1;
            match reader.int_argument() {
                Some(width) => {
                    self.flags.width = usize::try_from(width.abs()).ok();
                    if width < 0 {
                        self.flags.minus = true;
                        self.flags.zero = false;
                    }
                }
                None => self.write("%!(BADWIDTH)"),
            }
            return false;
        }
        self.flags.width = reader.number(reader.format.len());
        if numbered && self.flags.width.is_some() {
            reader.good = false;
        }
        numbered
    }

    fn precision(&mut self, reader: &mut Reader<'_>, numbered: bool) -> bool {
        // A point at the very end is the verb.
        if reader.peek() != Some(b'.') || reader.at + 1 >= reader.format.len() {
            return numbered;
        }
        reader.at += 1;
        if numbered {
            reader.good = false;
        }
        let numbered = reader.argument_number();
        if reader.peek() == Some(b'*') {
            reader.at += 1;
            self.flags.precision = reader.int_argument().and_then(|precision| usize::try_from(precision).ok());
            if self.flags.precision.is_none() {
                self.write("%!(BADPREC)");
            }
            return false;
        }
        self.flags.precision = Some(reader.number(reader.format.len()).unwrap_or(0));
        numbered
    }

    /// Arguments that no verb was there for.
    fn extra(&mut self, args: &[Value]) {
        self.flags = Flags::default();
        self.write("%!(EXTRA ");
        for (at, arg) in args.iter().enumerate() {
            if at > 0 {
                self.write(", ");
            }
            if matches!(arg, Value::Nil) {
                self.write("<nil>");
            } else {
                self.write(&arg.type_name());
                self.write("=");
                self.arg(arg, 'v');
            }
        }
        self.write(")");
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// A decimal number before `end`. One that is too large ends all reading up to there.
    fn number(&mut self, end: usize) -> Option<usize> {
        let mut number = None;
        while let Some(digit @ b'0'..=b'9') = self.format.get(self.at).copied().filter(|_| self.at < end) {
            let value: i64 = number.unwrap_or(0);
            if value > MOST {
                self.at = end;
                return None;
            }
            number = Some(value * 10 + i64::from(digit - b'0'));
            self.at += 1;
        }
        number.and_then(|number| usize::try_from(number).ok())
    }

    /// `[n]`, if it stands here: the number of the argument that is next. Tells whether it is a good one.
    fn argument_number(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = &self.format[self.at..];
        let close = rest.iter().position(|byte| *byte == b']').filter(|_| rest.len() >= 3);
        let Some(close) = close else {
            self.at += 1;
            self.good = false;
            return false;
        };
        let end = self.at + close;
        self.at += 1;
        let number = self.number(end).filter(|_| self.at == end);
        self.at = end + 1;
        match number {
            Some(number) if (1..=self.args.len()).contains(&number) => {
                self.next = number - 1;
                true
            }
            _ => {
                self.good = false;
                number.is_some()
            }
        }
    }

    /// The next argument, if it is an integer that can be a width.
    fn int_argument(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        let number = match arg {
            Value::Int(number, _) => *number,
            Value::Uint(number, _) => i64::try_from(*number).ok()?,
            _ => return None,
        };
        (-MOST..=MOST).contains(&number).then_some(number)
    }
}
