//! `index`, `slice` and `len`.

use crate::CallError;
use crate::exec::Operand;
use crate::value::{Type, UintKind, Value, is_pointer};

pub(super) fn index(args: &[Operand]) -> Result<Value, CallError> {
    let (first, indexes) = args.split_first().ok_or("index of untyped nil")?;
    if matches!(first.value, Value::Nil) {
        return Err("index of untyped nil".into());
    }
    let mut item = first.value.clone();
    for index in indexes {
        if matches!(&item, Value::Nil) || matches!(&item, Value::Object(object) if object.is_nil()) {
            return Err("index of nil pointer".into());
        }
        let next = match &*item.bare() {
            Value::Slice(slice) => {
                let at = place(&index.value, slice.len())?;
                slice.get(at).ok_or("reflect: slice index out of range")?
            }
            Value::Str(text) => {
                let at = place(&index.value, text.len())?;
                let byte = text.get(at).ok_or("reflect: string index out of range")?;
                Value::Uint(u64::from(*byte), UintKind::Uint8)
            }
            Value::Map(map) => match prepare(index.value.clone(), &Type::String)? {
                Value::Str(key) => map.get(&key).unwrap_or_else(|| map.element().zero()),
                _ => Value::Nil,
            },
            other => return Err(format!("can't index item of type {}", pointed_to(other)).into()),
        };
        item = next;
    }
    Ok(item)
}

/// The type of what a value points to, or its own.
fn pointed_to(value: &Value) -> String {
    let name = value.type_name();
    match value {
        Value::Object(object) if is_pointer(&**object) => name.trim_start_matches('*').to_owned(),
        _ => name.into_owned(),
    }
}

/// An index, up to and including the length or capacity.
fn place(index: &Value, capacity: usize) -> Result<usize, CallError> {
    let number = match index {
        Value::Int(number, _) => *number,
        // Go takes the bits for a signed number too.
        Value::Uint(number, _) => *number as i64,
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        other => return Err(format!("cannot index slice/array with type {}", other.type_name()).into()),
    };
    match usize::try_from(number) {
        Ok(at) if at <= capacity => Ok(at),
        _ => Err(format!("index out of range: {number}").into()),
    }
}

/// A value as an argument or key of this type. Integers become those of other types.
pub(crate) fn prepare(value: Value, wanted: &Type) -> Result<Value, CallError> {
    if matches!(value, Value::Nil) {
        if wanted.can_be_nil() {
            return Ok(wanted.zero());
        }
        return Err(format!("value is nil; should be of type {wanted}").into());
    }
    if wanted.takes(&value) {
        return Ok(value);
    }
    match (wanted, &value) {
        (Type::Int(kind), Value::Int(number, _)) => Ok(Value::Int(kind.wrap(*number), *kind)),
        (Type::Int(kind), Value::Uint(number, _)) => Ok(Value::Int(kind.wrap(*number as i64), *kind)),
        (Type::Uint(kind), Value::Int(number, _)) => Ok(Value::Uint(kind.wrap(*number as u64), *kind)),
        (Type::Uint(kind), Value::Uint(number, _)) => Ok(Value::Uint(kind.wrap(*number), *kind)),
        _ => Err(format!("value has type {}; should be {wanted}", value.type_name()).into()),
    }
}

pub(super) fn slice(args: &[Operand]) -> Result<Value, CallError> {
    let (first, indexes) = args.split_first().ok_or("slice of untyped nil")?;
    let item = first.value.bare();
    match &*item {
        Value::Nil => return Err("slice of untyped nil".into()),
        Value::Object(object) if object.is_nil() => return Err("slice of nil pointer".into()),
        _ => {}
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()).into());
    }
    let (length, capacity) = match &*item {
        Value::Str(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::Str(text) => (text.len(), text.len()),
        Value::Slice(slice) => (slice.len(), slice.capacity()),
        other => return Err(format!("can't slice item of type {}", pointed_to(other)).into()),
    };
    let mut bounds = [0, length, capacity];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        // Unlike for `index`, Go does not look into the interface here.
        if index.boxed {
            return Err(format!("cannot index slice/array with type {}", Type::Any).into());
        }
        *bound = place(&index.value, capacity)?;
    }
    let [low, high, max] = bounds;
    if low > high {
        return Err(format!("invalid slice index: {low} > {high}").into());
    }
    if high > max {
        return Err(format!("invalid slice index: {high} > {max}").into());
    }
    match &*item {
        Value::Str(text) => Ok(Value::Str(text[low..high].into())),
        Value::Slice(slice) => Ok(slice.slice(low, high, max).map_or(Value::Nil, Value::Slice)),
        _ => Ok(Value::Nil),
    }
}

pub(super) fn len(args: &[Operand]) -> Result<Value, CallError> {
    let arg = &args[0];
    if arg.is_none() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    let length = match &*arg.value.bare() {
        Value::Nil => return Err("len of nil pointer".into()),
        Value::Object(object) if object.is_nil() => return Err("len of nil pointer".into()),
        Value::Str(text) => text.len(),
        Value::Slice(slice) => slice.len(),
        Value::Map(map) => map.len(),
        other => return Err(format!("len of type {}", pointed_to(other)).into()),
    };
    Ok(Value::int(i64::try_from(length).unwrap_or(i64::MAX)))
}
