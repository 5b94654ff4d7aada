//! Numbers as Go prints them: `strconv.FormatFloat` with format `g`, and integers as `encoding/json` writes floats.

use serde_json::{Number, Value};

/// The shortest decimal digits that stand for a number, with the exponent of the first digit.
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i32,
}

impl Decimal {
    /// Splits what Rust's `{:e}` prints, which is the shortest form too: `-1.25e-7`.
    fn from_scientific(text: &str) -> Decimal {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let negative = mantissa.starts_with('-');
        let digits = mantissa.chars().filter(char::is_ascii_digit).collect();
        Decimal { negative, digits, exponent: exponent.parse().unwrap_or(0) }
    }

    /// Go's format `g` with the shortest precision: an exponent below -4 or above 5 is written out.
    fn general(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let (digits, exponent) = (&self.digits, self.exponent);
        if !(-4..6).contains(&exponent) {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            let exponent_sign = if exponent < 0 { '-' } else { '+' };
            return format!("{sign}{first}{point}{rest}e{exponent_sign}{:02}", exponent.abs());
        }
        if exponent < 0 {
            return format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1));
        }
        let whole = exponent.unsigned_abs() as usize + 1;
        if digits.len() <= whole {
            return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
        }
        format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
    }
}

/// The float's integer digits when `encoding/json` would write it without a fraction or an exponent.
fn integer_digits(float: f64) -> Option<String> {
    if float.fract() != 0.0 || float.abs() >= 1e21 {
        return None;
    }
    let decimal = Decimal::from_scientific(&format!("{float:e}"));
    let whole = decimal.exponent.unsigned_abs() as usize + 1;
    let zeros = "0".repeat(whole.saturating_sub(decimal.digits.len()));
    Some(format!("{}{}{zeros}", if decimal.negative { "-" } else { "" }, decimal.digits))
}

/// The JSON number for a float, an integer where Go's encoder would write one; `None` for infinities and NaN.
pub(crate) fn from_float(float: f64) -> Option<Value> {
    if float == 0.0 && float.is_sign_negative() {
        return Some(Value::from(-0.0));
    }
    if let Some(digits) = integer_digits(float) {
        if let Ok(integer) = digits.parse::<i64>() {
            return Some(Value::from(integer));
        }
        if let Ok(integer) = digits.parse::<u64>() {
            return Some(Value::from(integer));
        }
    }
    Number::from_f64(float).map(Value::Number)
}

/// The text go-yaml writes for a number that came through JSON.
pub(crate) fn to_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => {
            if float == 0.0 {
                return "0".to_owned();
            }
            match integer_digits(float) {
                Some(digits) if digits.parse::<i64>().is_ok() || digits.parse::<u64>().is_ok() => digits,
                _ => Decimal::from_scientific(&format!("{float:e}")).general(),
            }
        }
        _ => number.to_string(),
    }
}

/// The string that a float becomes as a key. sigs.k8s.io/yaml rounds to 32 bits there.
pub(crate) fn float_key(float: f64) -> String {
    let narrow = float as f32;
    if narrow.is_nan() {
        return ".nan".to_owned();
    }
    if narrow.is_infinite() {
        return if narrow > 0.0 { ".inf".to_owned() } else { "-.inf".to_owned() };
    }
    Decimal::from_scientific(&format!("{narrow:e}")).general()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_go() {
        let text = |float: f64| Decimal::from_scientific(&format!("{float:e}")).general();
        assert_eq!(text(1_234_567.5), "1.2345675e+06");
        assert_eq!(text(123_456.5), "123456.5");
        assert_eq!(text(0.0001), "0.0001");
        assert_eq!(text(-0.00001), "-1e-05");
        assert_eq!(text(1e100), "1e+100");
    }

    #[test]
    fn whole_floats_are_integers() {
        assert_eq!(from_float(1000.0), Some(Value::from(1000)));
        assert_eq!(from_float(12_345_678_901_234_567_000.0), Some(Value::from(12_345_678_901_234_567_000_u64)));
        assert_eq!(from_float(1e21), Some(Value::from(1e21)));
        assert_eq!(from_float(f64::NAN), None);
    }
}
