//! The keys of a strategic merge patch that are instructions and not data.

use serde_json::{Map, Value};

use super::malformed;
use crate::patch::PatchError;

/// `replace` or `delete` the object that it stands in.
pub(super) const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_PRIMITIVES: &str = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER: &str = "$setElementOrder/";

/// A directive about one field.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Directive<'a> {
    None,
    DeleteFromPrimitiveList(&'a str),
    SetElementOrder(&'a str),
}

impl<'a> Directive<'a> {
    pub(super) fn parse(key: &'a str) -> Result<Self, PatchError> {
        if let Some(field) = key.strip_prefix(DELETE_PRIMITIVES) {
            return Ok(Self::DeleteFromPrimitiveList(field));
        }
        if let Some(field) = key.strip_prefix(ELEMENT_ORDER) {
            return Ok(Self::SetElementOrder(field));
        }
        Ok(Self::None)
    }
}

/// Applies `$retainKeys`: only the keys that it lists survive, and the patch may set no others.
pub(super) fn retain_keys(original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), PatchError> {
    let Some(listed) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let bad = || malformed("invalid patch format of retainKeys");
    let listed: Vec<&str> = listed.as_array().ok_or_else(bad)?.iter().filter_map(Value::as_str).collect();
    for (key, value) in patch.iter() {
        let is_directive = key.starts_with(DELETE_PRIMITIVES) || key.starts_with(ELEMENT_ORDER);
        if !value.is_null() && !is_directive && !listed.contains(&key.as_str()) {
            return Err(bad());
        }
    }
    original.retain(|key, _| listed.contains(&key.as_str()));
    Ok(())
}

/// A value that is taken over whole, less its directives; `None` when it is nothing but a directive.
pub(super) fn without(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(PATCH) => None,
        Value::Object(map) => {
            Some(Value::Object(map.into_iter().filter_map(|(key, value)| Some((key, without(value)?))).collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(without).collect())),
        other => Some(other),
    }
}

/// Nulls in a value that is taken over whole delete what is not there.
pub(super) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
