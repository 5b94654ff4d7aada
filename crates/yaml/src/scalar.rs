//! Which scalar is what: the one place that decides whether a piece of text is a string, a number, a boolean or null.
//!
//! The rules are go-yaml v2's, which sigs.k8s.io/yaml uses: YAML 1.1 with numbers as Go's `strconv` takes them
//! (`0777`, `0o777`, `0x1ff`, `0b111`, `1_000`), without base 60.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What a scalar stands for. A date is text to JSON; it is told apart because it has to be quoted when a string looks like one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Timestamp,
    Text,
}

impl Scalar {
    /// The name messages use, as YAML's tags have it.
    fn tag(self) -> &'static str {
        match self {
            Scalar::Null => "!!null",
            Scalar::Bool(_) => "!!bool",
            Scalar::Int(_) | Scalar::Uint(_) => "!!int",
            Scalar::Float(_) => "!!float",
            Scalar::Timestamp => "!!timestamp",
            Scalar::Text => "!!str",
        }
    }
}

/// What plain text without a tag stands for.
pub(crate) fn resolve(text: &str) -> Scalar {
    let Some(first) = text.bytes().next() else { return Scalar::Null };
    match first {
        b'~' | b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => word(text),
        b'.' => special_float(text).or_else(|| grouped_fraction(text)).unwrap_or(Scalar::Text),
        b'0'..=b'9' => {
            if timestamp(text) {
                return Scalar::Timestamp;
            }
            number(text)
        }
        b'+' | b'-' => special_float(text).unwrap_or_else(|| number(text)),
        _ => Scalar::Text,
    }
}

/// What text stands for that carries one of YAML's own tags (`int` for `!!int`), or the reason why it cannot.
pub(crate) fn resolve_tagged(tag: &str, text: &str) -> Result<Scalar, String> {
    if !matches!(tag, "bool" | "int" | "float" | "null" | "timestamp") {
        return Ok(Scalar::Text);
    }
    match (tag, resolve(text)) {
        ("float", Scalar::Int(integer)) => Ok(Scalar::Float(integer as f64)),
        (_, scalar) if scalar.tag().trim_start_matches('!') == tag => Ok(scalar),
        (_, scalar) => Err(format!("cannot read {} `{text}` as !!{tag}", scalar.tag())),
    }
}

/// The text that `!!binary` stands for. Bytes that are not UTF-8 are replaced, as on their way through JSON.
pub(crate) fn binary(text: &str) -> Result<String, String> {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    let compact: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    match GeneralPurpose::new(&alphabet::STANDARD, config).decode(compact) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(_) => Err("a !!binary value contains invalid base64 data".to_owned()),
    }
}

fn word(text: &str) -> Scalar {
    match text {
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        _ => Scalar::Text,
    }
}

fn special_float(text: &str) -> Option<Scalar> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(Scalar::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Scalar::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Scalar::Float(f64::NEG_INFINITY)),
        _ => None,
    }
}

fn number(text: &str) -> Scalar {
    let plain = text.replace('_', "");
    integer(&plain).or_else(|| float(&plain)).or_else(|| signed_binary(&plain)).unwrap_or(Scalar::Text)
}

/// An integer with Go's prefixes; a leading `0` alone means octal.
fn integer(text: &str) -> Option<Scalar> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Scalar::Int);
    }
    // Go's unsigned parser takes no sign, so `+` ends at the signed range.
    match i64::try_from(magnitude) {
        Ok(integer) => Some(Scalar::Int(integer)),
        Err(_) if text.starts_with('+') => None,
        Err(_) => Some(Scalar::Uint(magnitude)),
    }
}

/// A float that begins with its point. Go takes underscores between its digits only.
fn grouped_fraction(text: &str) -> Option<Scalar> {
    let bytes = text.as_bytes();
    let between_digits = |at: usize| {
        let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    };
    if text.match_indices('_').all(|(at, _)| between_digits(at)) { float(&text.replace('_', "")) } else { None }
}

/// A decimal float; one too large for 64 bits stays text.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let well_formed = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_ok = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    if !well_formed || !exponent_ok {
        return None;
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite()).map(Scalar::Float)
}

/// go-yaml reads a sign after `0b` as well.
fn signed_binary(text: &str) -> Option<Scalar> {
    i64::from_str_radix(text.strip_prefix("0b")?, 2).ok().map(Scalar::Int)
}

/// Whether go-yaml takes text for a date: `2001-12-14`, `2001-12-14 21:59:43.1`, `2001-12-14T21:59:43Z`, `…t…-05:00`.
fn timestamp(text: &str) -> bool {
    let mut rest = Cursor(text);
    let Some(year) = rest.digits(4, 4) else { return false };
    if !rest.take('-') {
        return false;
    }
    let Some(month) = rest.digits(1, 2).filter(|month| (1..=12).contains(month)) else { return false };
    if !rest.take('-') {
        return false;
    }
    let Some(1..) = rest.digits(1, 2).filter(|day| *day <= days(year, month)) else { return false };
    if rest.0.is_empty() {
        return true;
    }
    if rest.take('T') || rest.take('t') {
        return rest.clock() && rest.zone() && rest.0.is_empty();
    }
    rest.take(' ') && {
        rest.0 = rest.0.trim_start_matches(' ');
        rest.clock() && rest.0.is_empty()
    }
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is left of a date that is being read.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn take(&mut self, expected: char) -> bool {
        match self.0.strip_prefix(expected) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// As many digits as there are, up to `most`; `None` when there are fewer than `least`.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return None;
        }
        let (number, rest) = self.0.split_at(count);
        self.0 = rest;
        number.parse().ok()
    }

    /// `15:04:05` with an optional fraction.
    fn clock(&mut self) -> bool {
        let Some(0..=23) = self.digits(1, 2) else { return false };
        let Some(0..=59) = self.take(':').then(|| self.digits(1, 2)).flatten() else { return false };
        let Some(0..=59) = self.take(':').then(|| self.digits(1, 2)).flatten() else { return false };
        let fraction = self.0.strip_prefix(['.', ',']).unwrap_or("");
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if length > 0 {
            self.0 = &fraction[length..];
        }
        true
    }

    /// `Z`, or an offset such as `+02:00`.
    fn zone(&mut self) -> bool {
        if self.take('Z') {
            return true;
        }
        (self.take('+') || self.take('-'))
            && matches!(self.digits(2, 2), Some(0..=24))
            && self.take(':')
            && matches!(self.digits(2, 2), Some(0..=60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_in_all_its_spellings() {
        for text in ["0777", "0o777", "0O777", "0_777", "0x1ff", "0b111111111", "511"] {
            assert_eq!(resolve(text), Scalar::Int(511), "{text}");
        }
        assert_eq!(resolve("0888"), Scalar::Float(888.0));
        assert_eq!(resolve("0o8"), Scalar::Text);
    }

    #[test]
    fn dates_are_told_from_text() {
        for text in ["2001-1-1", "2001-12-14 21:59:43.10", "2001-12-14t21:59:43-05:00", "2000-02-29"] {
            assert_eq!(resolve(text), Scalar::Timestamp, "{text}");
        }
        for text in ["2001-13-01", "1900-02-29", "2001-12-14 21:59:43 -5", "20011-1-1", "2001-1-1x"] {
            assert_eq!(resolve(text), Scalar::Text, "{text}");
        }
    }

    #[test]
    fn base_60_is_text() {
        assert_eq!(resolve("190:20:30"), Scalar::Text);
    }
}
