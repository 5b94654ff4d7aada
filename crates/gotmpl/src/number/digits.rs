//! The digits of floating-point numbers, from which every way of printing them is made.

use crate::value::FloatKind;

/// A positive number as `0.ddd × 10^point`. Zero has no digits.
#[derive(Debug, Default)]
pub(crate) struct Digits {
    /// Decimal digits in ASCII, the first of them not zero.
    pub(crate) digits: Vec<u8>,
    /// Where the decimal point stands, counted from before the first digit.
    pub(crate) point: i32,
}

impl Digits {
    /// From `d.ddde±x`, which is how Rust writes them.
    fn parse(scientific: &str) -> Self {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
        let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        if digits.iter().all(|digit| *digit == b'0') {
            return Self::default();
        }
        Self { digits, point: exponent.parse::<i32>().unwrap_or_default() + 1 }
    }

    /// Cuts zeros off the end.
    fn trimmed(mut self) -> Self {
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        self
    }
}

/// As few digits as tell the number from its neighbours.
pub(crate) fn shortest(number: f64, kind: FloatKind) -> Digits {
    let number = number.abs();
    match kind {
        FloatKind::Float64 => Digits::parse(&format!("{number:e}")),
        FloatKind::Float32 => Digits::parse(&format!("{:e}", number as f32)),
    }
    .trimmed()
}

/// Where to round.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Round {
    /// After so many significant digits.
    Significant(usize),
    /// After so many digits behind the point.
    Behind(usize),
}

/// No number has more digits than this: what follows is zeros.
const MOST_DIGITS: usize = 1100;

/// The number's exact digits, rounded half to even.
pub(crate) fn exact(number: f64, round: Round) -> Digits {
    let number = number.abs();
    match round {
        Round::Significant(count) => Digits::parse(&format!("{number:.*e}", count.clamp(1, MOST_DIGITS) - 1)).trimmed(),
        Round::Behind(count) => {
            let text = format!("{number:.*}", count.min(MOST_DIGITS));
            let whole = text.find('.').unwrap_or(text.len());
            let all: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
            let Some(zeros) = all.iter().position(|digit| *digit != b'0') else { return Digits::default() };
            let point = i32::try_from(whole).unwrap_or(i32::MAX) - i32::try_from(zeros).unwrap_or(0);
            Digits { digits: all[zeros..].to_vec(), point }.trimmed()
        }
    }
}

/// Mantissa and exponent of base two, without the sign.
fn parts(number: f64, kind: FloatKind) -> (u64, i32) {
    let (bits, mantissa_bits, bias) = match kind {
        FloatKind::Float64 => (number.abs().to_bits(), 52, 1023),
        FloatKind::Float32 => (u64::from((number.abs() as f32).to_bits()), 23, 127),
    };
    let mantissa = bits & ((1 << mantissa_bits) - 1);
    let exponent = (bits >> mantissa_bits) as i32;
    if exponent == 0 { (mantissa, 1 - bias) } else { (mantissa | 1 << mantissa_bits, exponent - bias) }
}

/// As `%b` prints it: the mantissa and a power of two.
pub(crate) fn binary(number: f64, kind: FloatKind) -> String {
    let (mantissa, exponent) = parts(number, kind);
    let exponent = exponent - if kind == FloatKind::Float64 { 52 } else { 23 };
    format!("{mantissa}p{exponent:+}")
}

/// As `%x` prints it: `0x1.8p+01`, with so many digits behind the point or as many as it has.
pub(crate) fn hexadecimal(number: f64, kind: FloatKind, precision: Option<usize>) -> String {
    let (mantissa, mut exponent) = parts(number, kind);
    let mut mantissa = mantissa << if kind == FloatKind::Float64 { 60 - 52 } else { 60 - 23 };
    if mantissa == 0 {
        exponent = 0;
    }
    while mantissa != 0 && mantissa >> 60 == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let shift = precision * 4;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut fraction = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        None => fraction.truncate(fraction.trim_end_matches('0').len()),
        Some(precision) if precision < 15 => fraction.truncate(precision),
        Some(precision) => fraction.extend(std::iter::repeat_n('0', precision - 15)),
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("0x{}{point}{fraction}p{sign}{:02}", mantissa >> 60, exponent.abs())
}
