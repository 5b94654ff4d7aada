//! Values from JSON, with the types that Go's `encoding/json` gives them, and back.

use super::{IntKind, Map, Shape, Slice, Str, UintKind, Value};
use crate::CallError;
use crate::exec::grow_stack;

impl Value {
    /// The value as Go reads JSON into an `interface {}`: every number is a `float64`.
    pub fn from_json(json: &serde_json::Value) -> Self {
        convert(json, false)
    }

    /// The same, but an integer stays one: an `int64`, or a `uint64` where it is too large for that.
    pub fn from_json_integers(json: &serde_json::Value) -> Self {
        convert(json, true)
    }

    /// The value as JSON. A float that is a whole number is written as one, as Go writes it.
    ///
    /// # Errors
    /// If it holds what JSON has no way to say (`json: unsupported value: NaN`), or holds itself.
    pub fn to_json(&self) -> Result<serde_json::Value, CallError> {
        to_json(self, 0)
    }
}

/// How deep values may be to become JSON.
const MAX_DEPTH: usize = 1000;

fn to_json(value: &Value, depth: usize) -> Result<serde_json::Value, CallError> {
    if depth > MAX_DEPTH {
        let name = value.type_name();
        return Err(format!("json: unsupported value: encountered a cycle via {name}").into());
    }
    let inner = |value: &Value| grow_stack(|| to_json(value, depth + 1));
    Ok(match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(number, _) => (*number).into(),
        Value::Uint(number, _) => (*number).into(),
        Value::Float(number, _) => match whole(*number) {
            Some(whole) => whole.into(),
            None => serde_json::Number::from_f64(*number)
                .ok_or_else(|| CallError::new(format!("json: unsupported value: {value}")))?
                .into(),
        },
        Value::Str(text) => text.to_text().into(),
        _ if value.is_nil() => serde_json::Value::Null,
        Value::Slice(slice) => slice.to_vec().iter().map(inner).collect::<Result<_, _>>()?,
        Value::Map(map) => {
            let entries = map.entries();
            let each = |(key, value): (&Str, &Value)| Ok((key.to_string(), inner(value)?));
            serde_json::Value::Object(entries.iter().map(each).collect::<Result<_, CallError>>()?)
        }
        Value::Object(object) => match object.shape() {
            Shape::Struct(fields) => {
                let each = |(key, value): &(Str, Value)| Ok((key.to_string(), inner(value)?));
                serde_json::Value::Object(fields.iter().map(each).collect::<Result<_, CallError>>()?)
            }
            _ => inner(&value.bare())?,
        },
        _ => return Err(format!("json: unsupported type: {}", value.type_name()).into()),
    })
}

/// A float as the integer that it is.
fn whole(number: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    ((-LIMIT..LIMIT).contains(&number) && number.fract() == 0.0).then_some(number as i64)
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        Self::from_json(&json)
    }
}

fn convert(json: &serde_json::Value, integers: bool) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => {
            if integers {
                if let Some(integer) = number.as_i64() {
                    return Value::Int(integer, IntKind::Int64);
                }
                if let Some(integer) = number.as_u64() {
                    return Value::Uint(integer, UintKind::Uint64);
                }
            }
            Value::float(number.as_f64().unwrap_or_default())
        }
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(values) => {
            Slice::grown(values.iter().map(|value| convert(value, integers)).collect()).into()
        }
        serde_json::Value::Object(entries) => {
            entries.iter().map(|(key, value)| (key.as_str(), convert(value, integers))).collect::<Map>().into()
        }
    }
}
