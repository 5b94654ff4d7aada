//! Prints values as Go's package fmt does.

mod composite;
mod float;
mod format;
mod integer;
mod text;

use crate::unicode;
use crate::value::{Object, Shape, Value, is_pointer};
pub(crate) use float::format_float;

/// How deep collections may nest to be printed. Go has no limit and ends the process on a cycle.
const MAX_DEPTH: usize = 10_000;

/// How many bytes may be printed at once: collections that hold one another can unfold to any size.
const MAX_BYTES: usize = 1 << 24;

/// Why something was not printed to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "value is nested deeper than {MAX_DEPTH} levels or prints more than {MAX_BYTES} bytes")
    }
}

impl std::error::Error for TooLarge {}

impl From<TooLarge> for crate::CallError {
    fn from(error: TooLarge) -> Self {
        Self::new(error.to_string())
    }
}

/// Go's `fmt.Sprint`: the values as `%v` prints them, with a space between two that are no strings.
///
/// # Errors
/// If a value is cyclic, or too large to print.
pub fn sprint(args: &[Value]) -> Result<Vec<u8>, TooLarge> {
    let mut printer = Printer::default();
    let mut after_string = true;
    for arg in args {
        let string = matches!(arg, Value::Str(_));
        if !string && !after_string {
            printer.out.push(b' ');
        }
        printer.arg(arg, 'v');
        after_string = string;
    }
    printer.finish()
}

/// Go's `fmt.Sprintln`: the values as `%v` prints them, with a space between each two and a newline at the end.
///
/// # Errors
/// If a value is cyclic, or too large to print.
pub fn sprintln(args: &[Value]) -> Result<Vec<u8>, TooLarge> {
    let mut printer = Printer::default();
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            printer.out.push(b' ');
        }
        printer.arg(arg, 'v');
    }
    printer.out.push(b'\n');
    printer.finish()
}

/// Go's `fmt.Sprintf`.
///
/// ```
/// use gotmpl::{Value, sprintf};
///
/// assert_eq!(sprintf(b"%05.1f|%-4d|%q", &[2.25.into(), Value::int(7), "a\n".into()]), Ok(b"002.2|7   |\"a\\n\"".to_vec()));
/// assert_eq!(sprintf(b"%d", &["x".into()]), Ok(b"%!d(string=x)".to_vec()));
/// ```
///
/// # Errors
/// If a value is cyclic, or too large to print.
pub fn sprintf(format: &[u8], args: &[Value]) -> Result<Vec<u8>, TooLarge> {
    let mut printer = Printer::default();
    printer.printf(format, args);
    printer.finish()
}

/// One value as `%v` prints it, or as much of it as can be.
pub(crate) fn sprint_value(value: &Value) -> Vec<u8> {
    sprint_verb(value, 'v')
}

/// One value as a verb prints it, or as much of it as can be.
pub(crate) fn sprint_verb(value: &Value, verb: char) -> Vec<u8> {
    let mut printer = Printer::default();
    printer.arg(value, verb);
    printer.out
}

/// Prints one value to where there is something already.
pub(crate) fn print_to(out: &mut Vec<u8>, value: &Value) -> Result<(), TooLarge> {
    match value {
        Value::Str(text) => {
            out.extend_from_slice(text);
            return Ok(());
        }
        Value::Int(number, _) => {
            out.extend_from_slice(number.to_string().as_bytes());
            return Ok(());
        }
        _ => {}
    }
    let mut printer = Printer { out: std::mem::take(out), ..Printer::default() };
    printer.indirect(value);
    let failed = printer.failed;
    *out = printer.out;
    if failed { Err(TooLarge) } else { Ok(()) }
}

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v`: with the names of fields.
    plus_v: bool,
    /// `%#v`: as Go's source would have it.
    sharp_v: bool,
}

#[derive(Debug, Default)]
struct Printer {
    out: Vec<u8>,
    flags: Flags,
    /// Saying that a verb does not fit. Values are then printed without their methods.
    erroring: bool,
    failed: bool,
}

impl Printer {
    fn finish(self) -> Result<Vec<u8>, TooLarge> {
        if self.failed { Err(TooLarge) } else { Ok(self.out) }
    }

    fn write(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn fill(&mut self, count: usize) {
        let byte = if self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
        self.out.extend(std::iter::repeat_n(byte, count));
    }

    /// Writes text, filled up to the width.
    fn pad(&mut self, text: &[u8]) {
        let missing = self.flags.width.unwrap_or(0).saturating_sub(if self.flags.width.is_some() {
            unicode::count(text)
        } else {
            0
        });
        if missing > 0 && !self.flags.minus {
            self.fill(missing);
        }
        self.out.extend_from_slice(text);
        if missing > 0 && self.flags.minus {
            self.fill(missing);
        }
    }

    /// Writes text, filled up to the width with spaces only.
    fn pad_spaces(&mut self, text: &[u8]) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(text);
        self.flags.zero = zero;
    }

    /// An argument, or what it points to: a template prints a struct the same with a pointer to it.
    fn indirect(&mut self, arg: &Value) {
        if let Value::Object(object) = arg
            && is_pointer(&**object)
            && !object.is_nil()
            && object.string().is_none()
        {
            return self.shape(object.type_name().trim_start_matches('*'), object.shape(), 'v', 0);
        }
        self.arg(arg, 'v');
    }

    /// One argument.
    fn arg(&mut self, arg: &Value, verb: char) {
        match (arg, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (Value::Nil, _) => self.bad_verb(arg, verb),
            (_, 'T') => self.text(arg.type_name().as_bytes(), 's'),
            (_, 'p') => self.pointer(arg, verb),
            (Value::Slice(slice), _) if slice.bytes().is_some() => {
                let bytes = slice.bytes().unwrap_or_default();
                self.byte_slice(&bytes, arg, verb);
            }
            _ => self.value(arg, verb, 0),
        }
    }

    /// A value, at the top or within others.
    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if self.failed || depth > MAX_DEPTH || self.out.len() > MAX_BYTES {
            self.failed = true;
            return;
        }
        match value {
            Value::Nil if self.flags.sharp_v => self.write("interface {}(nil)"),
            Value::Nil => self.write("<nil>"),
            Value::Bool(value) if matches!(verb, 't' | 'v') => self.pad(if *value { b"true" } else { b"false" }),
            Value::Bool(_) => self.bad_verb(value, verb),
            Value::Int(number, _) => {
                self.integer(value, number.unsigned_abs(), *number < 0, verb, true);
            }
            Value::Uint(number, _) => self.integer(value, *number, false, verb, false),
            Value::Float(number, kind) => self.float(value, *number, *kind, verb),
            Value::Complex(real, imaginary) => self.complex(value, *real, *imaginary, verb),
            Value::Str(text) => self.string(value, text, verb),
            _ if verb == 'w' => self.bad_verb(value, verb),
            Value::Func(_) => self.pointer(value, verb),
            Value::Slice(_) | Value::Map(_) => crate::exec::grow_stack(|| self.composite(value, verb, depth)),
            Value::Object(object) => {
                let stringable = !self.erroring && !self.flags.sharp_v && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q');
                match object.string() {
                    Some(text) if stringable => self.string(value, &text, verb),
                    _ => crate::exec::grow_stack(|| self.object(&**object, value, verb, depth)),
                }
            }
        }
    }

    fn object(&mut self, object: &dyn Object, value: &Value, verb: char, depth: usize) {
        if is_pointer(object) {
            if depth > 0 || object.is_nil() {
                return self.pointer(value, verb);
            }
            self.write("&");
        }
        self.shape(object.type_name().trim_start_matches('*'), object.shape(), verb, depth);
    }

    fn shape(&mut self, name: &str, shape: Shape, verb: char, depth: usize) {
        match shape {
            Shape::Struct(fields) => self.fields(name, &fields, verb, depth),
            Shape::Map(map) => self.map(name, &map, verb, depth),
            Shape::Slice(slice) => self.slice(name, &slice, verb, depth),
        }
    }

    /// Says that the verb does not fit the value.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        let erroring = std::mem::replace(&mut self.erroring, true);
        self.write("%!");
        unicode::push(&mut self.out, verb);
        self.write("(");
        if matches!(value, Value::Nil) {
            self.write("<nil>");
        } else {
            self.write(&value.type_name());
            self.write("=");
            self.arg(value, 'v');
        }
        self.write(")");
        self.erroring = erroring;
    }
}
