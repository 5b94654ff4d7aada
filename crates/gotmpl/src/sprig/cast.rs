//! Numbers of whatever looks like one. What does not is zero.

use crate::Value;
use crate::number;

/// As an `int64`.
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(number, _) => *number,
        Value::Uint(number, _) => *number as i64,
        Value::Float(number, _) => truncated(*number),
        Value::Bool(value) => i64::from(*value),
        Value::Str(text) => number::signed(without_zero_decimals(text)).unwrap_or(0),
        _ => 0,
    }
}

/// As Go converts a float on common machines: what does not fit is the smallest integer.
fn truncated(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// Cuts off a point that only zeros follow.
fn without_zero_decimals(text: &[u8]) -> &[u8] {
    let digits = text.iter().rposition(|byte| *byte != b'0').map_or(0, |last| last + 1);
    match text[..digits] {
        [ref whole @ .., b'.'] if digits < text.len() => whole,
        _ => text,
    }
}

/// As a `float64`.
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(number, _) => *number as f64,
        Value::Uint(number, _) => *number as f64,
        Value::Float(number, _) => *number,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Str(text) => parse(text),
        _ => 0.0,
    }
}

fn parse(text: &[u8]) -> f64 {
    let (negative, word) = match text {
        [b'-', word @ ..] => (true, word),
        [b'+', word @ ..] => (false, word),
        _ => (false, text),
    };
    let size = match &word.to_ascii_lowercase()[..] {
        b"inf" | b"infinity" => f64::INFINITY,
        b"nan" if word.len() == text.len() => f64::NAN,
        _ => return number::float(text).unwrap_or(0.0),
    };
    if negative { -size } else { size }
}
