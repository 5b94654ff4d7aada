//! Numbers.

use super::cast::{to_float, to_int};
use super::{ANY, CallError, Called, INT, MOST_VALUES, STR, function, int, text, variadic};
use crate::{Function, Slice, Type, Value};

pub(super) fn functions() -> Vec<Function> {
    const INT64: Type = Type::INT64;
    const FLOAT: Type = Type::FLOAT64;
    let ints = || Type::slice(INT);
    vec![
        function("int", &[ANY], INT, |args| Ok(Value::int(to_int(&args[0])))),
        function("int64", &[ANY], INT64, |args| Ok(to_int(&args[0]).into())),
        function("float64", &[ANY], FLOAT, |args| Ok(to_float(&args[0]).into())),
        function("atoi", &[STR], INT, |args| Ok(Value::int(decimal(text(args, 0))))),
        function("toDecimal", &[ANY], INT64, |args| Ok(octal(&args[0])?.into())),
        function("add1", &[ANY], INT64, |args| Ok(to_int(&args[0]).wrapping_add(1).into())),
        variadic("add", &[], ANY, INT64, |args| Ok(args.iter().map(to_int).fold(0, i64::wrapping_add).into())),
        function("sub", &[ANY, ANY], INT64, |args| Ok(to_int(&args[0]).wrapping_sub(to_int(&args[1])).into())),
        function("div", &[ANY, ANY], INT64, |args| divide(args, i64::wrapping_div)),
        function("mod", &[ANY, ANY], INT64, |args| divide(args, i64::wrapping_rem)),
        variadic("mul", &[ANY], ANY, INT64, |args| Ok(args.iter().map(to_int).fold(1, i64::wrapping_mul).into())),
        variadic("max", &[ANY], ANY, INT64, |args| Ok(args.iter().map(to_int).max().unwrap_or(0).into())),
        variadic("biggest", &[ANY], ANY, INT64, |args| Ok(args.iter().map(to_int).max().unwrap_or(0).into())),
        variadic("min", &[ANY], ANY, INT64, |args| Ok(args.iter().map(to_int).min().unwrap_or(0).into())),
        variadic("maxf", &[ANY], ANY, FLOAT, |args| Ok(choose(args, f64::max))),
        variadic("minf", &[ANY], ANY, FLOAT, |args| Ok(choose(args, f64::min))),
        function("floor", &[ANY], FLOAT, |args| Ok(to_float(&args[0]).floor().into())),
        function("ceil", &[ANY], FLOAT, |args| Ok(to_float(&args[0]).ceil().into())),
        variadic("round", &[ANY, INT], FLOAT, FLOAT, |args| Ok(round(args).into())),
        function("until", &[INT], ints(), |args| {
            let count = int(args, 0);
            int_slice(&steps(0, count, if count < 0 { -1 } else { 1 })?)
        }),
        function("untilStep", &[INT, INT, INT], ints(), |args| {
            int_slice(&steps(int(args, 0), int(args, 1), int(args, 2))?)
        }),
        variadic("seq", &[], INT, STR, seq),
    ]
}

/// A decimal number, or 0 where it is none; the nearest that fits where it is too large.
fn decimal(text: &[u8]) -> i64 {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return 0;
    }
    let limit = if text.starts_with(b"-") { i64::MIN } else { i64::MAX };
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(limit)
}

/// What a value says in octal, or 0 where it says nothing.
fn octal(value: &Value) -> Result<i64, CallError> {
    let text = crate::sprint(std::slice::from_ref(value))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(i64::from_str_radix(&text, 8).unwrap_or(0))
}

fn divide(args: &[Value], operation: fn(i64, i64) -> i64) -> Called {
    match to_int(&args[1]) {
        0 => Err("runtime error: integer divide by zero".into()),
        divisor => Ok(operation(to_int(&args[0]), divisor).into()),
    }
}

/// The largest or smallest, and NaN if one is.
fn choose(args: &[Value], better: fn(f64, f64) -> f64) -> Value {
    let numbers = args.iter().map(to_float);
    let chosen = numbers.reduce(|a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { better(a, b) });
    chosen.unwrap_or(0.0).into()
}

fn round(args: &[Value]) -> f64 {
    let on = args.get(2).map_or(0.5, to_float);
    let places = i32::try_from(int(args, 1)).unwrap_or(i32::MAX);
    let power = if places >= 0 { 10f64.powi(places) } else { 1.0 / 10f64.powi(places.saturating_neg()) };
    let digit = power * to_float(&args[0]);
    let rounded = if digit.fract() >= on { digit.ceil() } else { digit.floor() };
    rounded / power
}

/// The numbers from `start` to before `stop`.
fn steps(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, CallError> {
    if step == 0 || (stop < start) != (step < 0) {
        return Ok(Vec::new());
    }
    let count = (i128::from(stop) - i128::from(start)).unsigned_abs().div_ceil(u128::from(step.unsigned_abs()));
    if count > MOST_VALUES as u128 {
        return Err(format!("more than {MOST_VALUES} numbers").into());
    }
    Ok((0..count as i64).map(|at| start + at * step).collect())
}

fn int_slice(numbers: &[i64]) -> Called {
    Ok(Slice::of(INT, numbers.iter().map(|number| Value::int(*number)).collect()).into())
}

/// Like the program: one argument is the end, two are start and end, three are start, step and end.
fn seq(args: &[Value]) -> Called {
    let (start, step, end) = match args.len() {
        1 => (1, None, int(args, 0)),
        2 => (int(args, 0), None, int(args, 1)),
        3 => (int(args, 0), Some(int(args, 1)), int(args, 2)),
        _ => return Ok("".into()),
    };
    let direction = if end < start { -1 } else { 1 };
    if direction < 0 && step.is_some_and(|step| step > 0) {
        return Ok("".into());
    }
    let numbers = steps(start, end.saturating_add(direction), step.unwrap_or(direction))?;
    Ok(numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" ").into())
}
