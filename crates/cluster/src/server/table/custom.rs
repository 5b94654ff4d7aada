//! The columns that a CustomResourceDefinition declares.

use jiff::Timestamp;
use serde_json::Value;

use super::{age, jsonpath::JsonPath};
use crate::registry::PrinterColumn;

/// What stands in a column for `object`; null where its path finds nothing.
pub(super) fn cell(column: &PrinterColumn, object: &Value, now: Timestamp) -> Value {
    let Some(path) = JsonPath::parse(&column.path) else { return Value::Null };
    let Some(found) = path.find(object).into_iter().next().filter(|value| !value.is_null()) else { return Value::Null };
    match (&*column.kind, found) {
        ("integer", Value::Number(number)) => number.as_i64().map_or_else(|| found.clone(), Value::from),
        ("number" | "boolean", Value::Number(_) | Value::Bool(_)) => found.clone(),
        ("integer" | "number" | "boolean", _) => Value::Null,
        ("date", Value::String(text)) if text.parse::<Timestamp>().is_ok() => age::since(found, now).into(),
        ("date", _) => "<invalid>".into(),
        (_, Value::String(_)) => found.clone(),
        (_, other) => other.to_string().into(),
    }
}
