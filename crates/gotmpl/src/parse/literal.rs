//! Number literals. Each is kept as all the kinds that can represent it: which is wanted shows when it is used.

use super::{Kind, Number};
use crate::lex::Token;
use crate::number;
use crate::quote::{Unit, quoted, unquote_unit};

/// The number that a token says, or Go's text for why it says none.
pub(super) fn number(token: &Token<'_>) -> Result<Number, String> {
    let text = &*token.text;
    let mut number = match token.kind {
        Kind::CharConstant => character(text)?,
        Kind::Complex => simplified(number::complex(text)?),
        _ => match imaginary(text) {
            Some(imaginary) => simplified((0.0, imaginary)),
            None => real(text)?,
        },
    };
    number.text = String::from_utf8_lossy(text).into_owned();
    Ok(number)
}

fn character(text: &[u8]) -> Result<Number, String> {
    let (unit, tail) = unquote_unit(&text[1..], b'\'').ok_or("invalid syntax")?;
    if tail != b"'" {
        return Err(format!("malformed character constant: {}", String::from_utf8_lossy(text)));
    }
    let code = match unit {
        Unit::Byte(byte) => u32::from(byte),
        Unit::Character(character) => u32::from(character),
    };
    let (int, uint, float) = (Some(code.into()), Some(code.into()), Some(code.into()));
    Ok(Number { int, uint, float, ..Number::default() })
}

fn imaginary(text: &[u8]) -> Option<f64> {
    number::float(text.strip_suffix(b"i")?).ok()
}

/// A complex number, and the real one that it is if its imaginary part is zero.
fn simplified((real, imaginary): (f64, f64)) -> Number {
    let complex = Some((real, imaginary));
    if imaginary != 0.0 {
        return Number { complex, ..Number::default() };
    }
    Number { complex, float: Some(real), int: whole_signed(real), uint: whole_unsigned(real), ..Number::default() }
}

fn real(text: &[u8]) -> Result<Number, String> {
    let int = number::signed(text);
    // The sign of -0 does not make it less of an unsigned number.
    let uint = number::unsigned(text).or(if int == Some(0) { Some(0) } else { None });
    if int.is_some() || uint.is_some() {
        let float = int.map(|int| int as f64).or(uint.map(|uint| uint as f64));
        return Ok(Number { int, uint, float, ..Number::default() });
    }
    let Ok(float) = number::float(text) else { return Err(format!("illegal number syntax: {}", quoted(text))) };
    if !text.iter().any(|byte| b".eEpP".contains(byte)) {
        return Err(format!("integer overflow: {}", quoted(text)));
    }
    let (int, uint) = (whole_signed(float), whole_unsigned(float));
    Ok(Number { int, uint, float: Some(float), ..Number::default() })
}

fn whole_signed(float: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    ((-LIMIT..LIMIT).contains(&float) && float.fract() == 0.0).then_some(float as i64)
}

fn whole_unsigned(float: f64) -> Option<u64> {
    const LIMIT: f64 = 18_446_744_073_709_551_616.0;
    ((0.0..LIMIT).contains(&float) && float.fract() == 0.0).then_some(float as u64)
}
