//! JSON, as Go's `encoding/json` writes it.

use super::{ANY, CallError, Called, STR, function, text};
use crate::exec::grow_stack;
use crate::print::format_float;
use crate::unicode::{self, REPLACEMENT};
use crate::{Function, Shape, Value};

/// How deep values may be to be written.
const MAX_DEPTH: usize = 10_000;

pub(super) fn functions() -> Vec<Function> {
    const PLAIN: Style = Style { html: true, indent: false };
    const PRETTY: Style = Style { html: true, indent: true };
    const RAW: Style = Style { html: false, indent: false };
    vec![
        function("toJson", &[ANY], STR, |args| Ok(PLAIN.write(&args[0]).unwrap_or_default().into())),
        function("mustToJson", &[ANY], STR, |args| Ok(PLAIN.write(&args[0])?.into())),
        function("toPrettyJson", &[ANY], STR, |args| Ok(PRETTY.write(&args[0]).unwrap_or_default().into())),
        function("mustToPrettyJson", &[ANY], STR, |args| Ok(PRETTY.write(&args[0])?.into())),
        function("toRawJson", &[ANY], STR, |args| Ok(RAW.write(&args[0])?.into())),
        function("mustToRawJson", &[ANY], STR, |args| Ok(RAW.write(&args[0])?.into())),
        function("fromJson", &[STR], ANY, from_json),
    ]
}

fn from_json(args: &[Value]) -> Called {
    let json: Result<serde_json::Value, _> = serde_json::from_slice(text(args, 0));
    Ok(json.map_or(Value::Nil, |json| Value::from_json(&json)))
}

#[derive(Clone, Copy)]
struct Style {
    /// What means something in HTML is escaped.
    html: bool,
    indent: bool,
}

impl Style {
    fn write(self, value: &Value) -> Result<Vec<u8>, CallError> {
        let mut out = Vec::new();
        self.value(&mut out, value, 0)?;
        Ok(out)
    }

    fn value(self, out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), CallError> {
        if depth > MAX_DEPTH {
            let name = value.type_name();
            return Err(format!("json: unsupported value: encountered a cycle via {name}").into());
        }
        if out.len() as i64 > super::MOST {
            return Err(format!("JSON is longer than {} bytes", super::MOST).into());
        }
        match value {
            Value::Float(number, _) if !number.is_finite() => {
                return Err(format!("json: unsupported value: {value}").into());
            }
            Value::Float(number, kind) => {
                let size = number.abs();
                let scientific = size != 0.0 && !(1e-6..1e21).contains(&size);
                let text = format_float(*number, *kind, if scientific { 'e' } else { 'f' }, None);
                out.extend_from_slice(if number.is_sign_negative() { b"-" } else { b"" });
                out.extend_from_slice(text.replace("e-0", "e-").as_bytes());
            }
            Value::Bool(_) | Value::Int(..) | Value::Uint(..) => crate::print::print_to(out, value)?,
            Value::Str(text) => self.string(out, text),
            Value::Complex(..) | Value::Func(_) => {
                return Err(format!("json: unsupported type: {}", value.type_name()).into());
            }
            _ if value.is_nil() => out.extend_from_slice(b"null"),
            Value::Nil => {}
            Value::Slice(slice) => match slice.bytes() {
                Some(bytes) => self.string(out, &super::encoding::base64(&bytes)),
                None => {
                    let values = slice.to_vec().into_iter().map(|value| (None, value)).collect();
                    grow_stack(|| self.collection(out, (b'[', b']'), values, depth))?;
                }
            },
            Value::Map(map) => {
                let entries = map.entries().iter().map(|(key, value)| (Some(key.clone()), value.clone())).collect();
                grow_stack(|| self.collection(out, (b'{', b'}'), entries, depth))?;
            }
            Value::Object(object) => match object.shape() {
                Shape::Struct(fields) => {
                    let fields = fields.into_iter().map(|(name, value)| (Some(name), value)).collect();
                    grow_stack(|| self.collection(out, (b'{', b'}'), fields, depth))?;
                }
                _ => self.value(out, &value.bare(), depth)?,
            },
        }
        Ok(())
    }

    fn collection(
        self,
        out: &mut Vec<u8>,
        (open, close): (u8, u8),
        entries: Vec<(Option<crate::Str>, Value)>,
        depth: usize,
    ) -> Result<(), CallError> {
        out.push(open);
        let empty = entries.is_empty();
        for (at, (key, value)) in entries.into_iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            self.line(out, depth + 1);
            if let Some(key) = key {
                self.string(out, &key);
                out.extend_from_slice(if self.indent { b": " } else { b":" });
            }
            self.value(out, &value, depth + 1)?;
        }
        if !empty {
            self.line(out, depth);
        }
        out.push(close);
        Ok(())
    }

    fn line(self, out: &mut Vec<u8>, depth: usize) {
        if self.indent {
            out.push(b'\n');
            out.extend(std::iter::repeat_n(b' ', depth * 2));
        }
    }

    fn string(self, out: &mut Vec<u8>, text: &[u8]) {
        out.push(b'"');
        for (_, character, length) in unicode::characters(text) {
            match character {
                '"' | '\\' => out.extend_from_slice(&[b'\\', character as u8]),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                '\x08' => out.extend_from_slice(b"\\b"),
                '\x0c' => out.extend_from_slice(b"\\f"),
                REPLACEMENT if length == 1 => out.extend_from_slice(b"\\ufffd"),
                '<' | '>' | '&' if self.html => out.extend_from_slice(code(character).as_bytes()),
                '\0'..' ' | '\u{2028}' | '\u{2029}' => out.extend_from_slice(code(character).as_bytes()),
                _ => unicode::push(out, character),
            }
        }
        out.push(b'"');
    }
}

fn code(character: char) -> String {
    format!("\\u{:04x}", u32::from(character))
}
