//! Values from JSON, with the types that Go's `encoding/json` gives them.

use super::{IntKind, Map, Slice, UintKind, Value};

impl Value {
    /// The value as Go reads JSON into an `interface {}`: every number is a `float64`.
    pub fn from_json(json: &serde_json::Value) -> Self {
        convert(json, false)
    }

    /// The same, but an integer stays one: an `int64`, or a `uint64` where it is too large for that.
    pub fn from_json_integers(json: &serde_json::Value) -> Self {
        convert(json, true)
    }
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
