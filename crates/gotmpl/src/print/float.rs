//! Floating-point and complex numbers.

use super::Printer;
use crate::number::{self, Digits, Round};
use crate::value::{FloatKind, Value};

impl Printer {
    pub(super) fn float(&mut self, value: &Value, number: f64, kind: FloatKind, verb: char) {
        match verb {
            'v' => self.formatted(number, kind, 'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.formatted(number, kind, verb, None),
            'e' | 'E' | 'f' => self.formatted(number, kind, verb, Some(6)),
            'F' => self.formatted(number, kind, 'f', Some(6)),
            _ => self.bad_verb(value, verb),
        }
    }

    pub(super) fn complex(&mut self, value: &Value, real: f64, imaginary: f64, verb: char) {
        if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
            return self.bad_verb(value, verb);
        }
        self.write("(");
        self.float(value, real, FloatKind::Float64, verb);
        let plus = std::mem::replace(&mut self.flags.plus, true);
        self.float(value, imaginary, FloatKind::Float64, verb);
        self.flags.plus = plus;
        self.write("i)");
    }

    /// The number with its sign, filled up to the width.
    fn formatted(&mut self, number: f64, kind: FloatKind, verb: char, precision: Option<usize>) {
        let flags = self.flags;
        let precision = flags.precision.or(precision);
        let negative = number.is_sign_negative() && !number.is_nan();
        let sign = match negative {
            true => "-",
            false if flags.plus => "+",
            false if flags.space => " ",
            false => "",
        };
        if !number.is_finite() {
            // An infinity always shows its sign.
            let (sign, name) = match (number.is_nan(), sign) {
                (true, sign) => (sign, "NaN"),
                (false, "") => ("+", "Inf"),
                (false, sign) => (sign, "Inf"),
            };
            return self.pad_spaces(format!("{sign}{name}").as_bytes());
        }
        let mut text = format_float(number, kind, verb, precision);
        if flags.sharp && verb != 'b' {
            text = sharpened(&text, verb, precision);
        }
        let length = sign.len() + text.len();
        if flags.zero && !flags.minus && !sign.is_empty() && flags.width.is_some_and(|width| width > length) {
            // Zeros go between the sign and the number.
            self.write(sign);
            self.fill(flags.width.unwrap_or(0) - length);
            return self.write(&text);
        }
        self.pad(format!("{sign}{text}").as_bytes());
    }
}

/// A finite number without its sign, as Go's `strconv.FormatFloat` has it. No precision means as few digits as tell it from
/// its neighbours.
pub(crate) fn format_float(number: f64, kind: FloatKind, verb: char, precision: Option<usize>) -> String {
    match (verb, precision) {
        ('b', _) => number::binary(number, kind),
        ('x', _) => number::hexadecimal(number, kind, precision),
        ('X', _) => number::hexadecimal(number, kind, precision).to_uppercase(),
        ('e' | 'E', Some(precision)) => {
            scientific(&number::exact(number, Round::Significant(precision + 1)), precision, verb)
        }
        ('e' | 'E', None) => {
            let digits = number::shortest(number, kind);
            scientific(&digits, digits.digits.len().saturating_sub(1), verb)
        }
        ('f', Some(precision)) => fixed(&number::exact(number, Round::Behind(precision)), precision),
        ('f', None) => {
            let digits = number::shortest(number, kind);
            fixed(&digits, behind(&digits))
        }
        (_, None) => general(&number::shortest(number, kind), verb, None),
        (_, Some(precision)) => {
            let precision = precision.max(1);
            general(&number::exact(number, Round::Significant(precision)), verb, Some(precision))
        }
    }
}

/// How many digits stand behind the point.
fn behind(digits: &Digits) -> usize {
    usize::try_from(digits.digits.len() as i64 - i64::from(digits.point)).unwrap_or(0)
}

/// `%e`.
fn scientific(digits: &Digits, precision: usize, verb: char) -> String {
    let exponent = if digits.digits.is_empty() { 0 } else { digits.point - 1 };
    let digit = |at: usize| char::from(digits.digits.get(at).copied().unwrap_or(b'0'));
    let mut text = String::from(digit(0));
    if precision > 0 {
        text.push('.');
        text.extend((1..=precision).map(digit));
    }
    let e = if verb == 'e' || verb == 'g' { 'e' } else { 'E' };
    let sign = if exponent < 0 { '-' } else { '+' };
    text + &format!("{e}{sign}{:02}", exponent.abs())
}

/// `%f`.
fn fixed(digits: &Digits, precision: usize) -> String {
    let digit = |at: i64| {
        let digit = usize::try_from(at).ok().and_then(|at| digits.digits.get(at));
        char::from(digit.copied().unwrap_or(b'0'))
    };
    let point = i64::from(digits.point);
    let mut text: String = (0..point.max(1)).map(|at| if point > 0 { digit(at) } else { '0' }).collect();
    if precision > 0 {
        text.push('.');
        text.extend((0..precision as i64).map(|at| digit(point + at)));
    }
    text
}

/// `%g`: `%e` for exponents that are far from the precision, `%f` for others.
fn general(digits: &Digits, verb: char, precision: Option<usize>) -> String {
    let count = digits.digits.len();
    let limit = match precision {
        None => 6,
        // A precision that exceeds the digits counts as many as there are, if that includes all before the point.
        Some(precision) if precision > count && count as i64 >= i64::from(digits.point) => count,
        Some(precision) => precision,
    };
    let exponent = i64::from(digits.point) - 1;
    if exponent < -4 || exponent >= limit as i64 {
        return scientific(digits, count.min(precision.unwrap_or(count)).saturating_sub(1), verb);
    }
    fixed(digits, behind(digits))
}

/// Keeps the point and the zeros at the end.
fn sharpened(text: &str, verb: char, precision: Option<usize>) -> String {
    let exponent: &[char] = if matches!(verb, 'x' | 'X') { &['p', 'P'] } else { &['e', 'E', 'p', 'P'] };
    let (mantissa, tail) = text.split_at(text.find(exponent).unwrap_or(text.len()));
    let mut mantissa = mantissa.to_owned();
    let wanted = if matches!(verb, 'g' | 'G' | 'x') { precision.unwrap_or(6) } else { 0 };
    let significant = mantissa.chars().filter(|digit| *digit != '.').skip_while(|digit| *digit == '0').count();
    let mut missing = wanted.saturating_sub(significant);
    if !mantissa.contains('.') {
        if mantissa == "0" {
            missing = missing.saturating_sub(1);
        }
        mantissa.push('.');
    }
    mantissa.push_str(&"0".repeat(missing));
    mantissa + tail
}
