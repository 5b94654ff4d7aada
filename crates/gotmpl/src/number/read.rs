//! Reads Go's number literals: prefixes, underscores, hexadecimal floating point, complex numbers.

/// An unsigned integer, with a prefix that says the base if there is one.
pub(crate) fn unsigned(text: &[u8]) -> Option<u64> {
    let (base, digits) = match text {
        [] => return None,
        [b'0', b'b' | b'B', rest @ ..] if !rest.is_empty() => (2, rest),
        [b'0', b'o' | b'O', rest @ ..] if !rest.is_empty() => (8, rest),
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => (16, rest),
        [b'0', rest @ ..] => (8, rest),
        _ => (10, text),
    };
    if digits.contains(&b'_') && !underscores_separate_digits(text) {
        return None;
    }
    let mut number = 0u64;
    for &byte in digits.iter().filter(|byte| **byte != b'_') {
        let digit = char::from(byte).to_digit(base)?;
        number = number.checked_mul(u64::from(base))?.checked_add(u64::from(digit))?;
    }
    Some(number)
}

/// A signed integer, with a sign if there is one.
pub(crate) fn signed(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let size = unsigned(digits)?;
    if negative { 0i64.checked_sub_unsigned(size) } else { i64::try_from(size).ok() }
}

/// Why a floating-point number cannot be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum BadFloat {
    Syntax,
    Range,
}

/// A floating-point number, decimal or hexadecimal.
pub(crate) fn float(text: &[u8]) -> Result<f64, BadFloat> {
    if text.contains(&b'_') && !underscores_separate_digits(text) {
        return Err(BadFloat::Syntax);
    }
    let plain: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'_').collect();
    let unsigned = plain.strip_prefix(b"-").or(plain.strip_prefix(b"+")).unwrap_or(&plain);
    let number = match unsigned {
        [b'0', b'x' | b'X', rest @ ..] => {
            let size = hexadecimal(rest).ok_or(BadFloat::Syntax)?;
            if plain.starts_with(b"-") { -size } else { size }
        }
        // Rust reads words such as "infinity" too; of Go's literals each starts with a digit or a point.
        [b'0'..=b'9' | b'.', ..] => {
            let text = std::str::from_utf8(&plain).map_err(|_| BadFloat::Syntax)?;
            text.parse().map_err(|_| BadFloat::Syntax)?
        }
        _ => return Err(BadFloat::Syntax),
    };
    if f64::is_infinite(number) { Err(BadFloat::Range) } else { Ok(number) }
}

/// What follows `0x`: digits with a point, `p` and a binary exponent.
fn hexadecimal(text: &[u8]) -> Option<f64> {
    let split = text.iter().position(|byte| matches!(byte, b'p' | b'P'))?;
    let exponent = std::str::from_utf8(&text[split + 1..]).ok()?;
    let sound = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if sound.is_empty() || !sound.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut exponent = exponent.parse::<i32>().unwrap_or(if exponent.starts_with('-') { -100_000 } else { 100_000 });
    exponent = exponent.clamp(-100_000, 100_000);
    let (mut mantissa, mut seen, mut point) = (0u64, false, false);
    for &byte in &text[..split] {
        if byte == b'.' {
            if std::mem::replace(&mut point, true) {
                return None;
            }
            continue;
        }
        let digit = u64::from(char::from(byte).to_digit(16)?);
        seen = true;
        if mantissa >> 59 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent -= if point { 4 } else { 0 };
        } else {
            // Beyond what can matter but for rounding, where the lowest bit stands for all that follows.
            mantissa |= u64::from(digit != 0);
            exponent += if point { 0 } else { 4 };
        }
    }
    if !seen {
        return None;
    }
    let mut number = mantissa as f64;
    while exponent > 0 && number.is_finite() && number != 0.0 {
        let step = exponent.min(1000);
        number *= 2f64.powi(step);
        exponent -= step;
    }
    while exponent < 0 && number != 0.0 {
        let step = (-exponent).min(1000);
        number *= 2f64.powi(-step);
        exponent += step;
    }
    Some(number)
}

/// Whether each underscore stands between digits, a prefix counting as one.
fn underscores_separate_digits(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let (hex, mut last, digits) = match text {
        [b'0', prefix @ (b'b' | b'B' | b'o' | b'O' | b'x' | b'X'), rest @ ..] => {
            (matches!(prefix, b'x' | b'X'), b'0', rest)
        }
        _ => (false, b'^', text),
    };
    for &byte in digits {
        if byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit() {
            last = b'0';
        } else if byte == b'_' {
            if last != b'0' {
                return false;
            }
            last = b'_';
        } else {
            if last == b'_' {
                return false;
            }
            last = b'!';
        }
    }
    last != b'_'
}

/// A complex number such as `1+2i`, or Go's text for why it is none.
pub(crate) fn complex(text: &[u8]) -> Result<(f64, f64), String> {
    const MALFORMED: &str = "syntax error scanning complex number";
    let (real, rest) = token(text);
    if !matches!(rest.first(), Some(b'+' | b'-')) {
        return Err(MALFORMED.to_owned());
    }
    let (imaginary, after) = token(&rest[1..]);
    if after.first() != Some(&b'i') {
        return Err(MALFORMED.to_owned());
    }
    let imaginary = &rest[..=imaginary.len()];
    Ok((part(real)?, part(imaginary)?))
}

fn part(text: &[u8]) -> Result<f64, String> {
    float(text).map_err(|why| {
        let why = if why == BadFloat::Range { "value out of range" } else { "invalid syntax" };
        format!("strconv.ParseFloat: parsing \"{}\": {why}", String::from_utf8_lossy(text))
    })
}

/// Splits off what looks like a floating-point number.
fn token(text: &[u8]) -> (&[u8], &[u8]) {
    let mut at = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    // Taken for the start of Inf.
    at += usize::from(text.get(at) == Some(&b'i'));
    let hex = matches!(text[at..], [b'0', b'x' | b'X', ..]);
    at += if hex { 2 } else { 0 };
    let digits = |mut at: usize, hex: bool| {
        while text.get(at).is_some_and(|byte| *byte == b'_' || byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit())
        {
            at += 1;
        }
        at
    };
    at = digits(at, hex);
    if text.get(at) == Some(&b'.') {
        at = digits(at + 1, hex);
    }
    let exponent =
        text.get(at).is_some_and(|byte| matches!((hex, byte), (false, b'e' | b'E' | b'p') | (true, b'p' | b'P')));
    if exponent {
        at += 1;
        at += usize::from(matches!(text.get(at), Some(b'+' | b'-')));
        at = digits(at, false);
    }
    text.split_at(at)
}
