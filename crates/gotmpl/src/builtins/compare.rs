//! `eq`, `ne`, `lt`, `le`, `gt` and `ge`.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::CallError;
use crate::exec::Operand;
use crate::print::sprint_verb;
use crate::value::{Object, Shape, Value, is_pointer};

/// What kinds are compared with their own only.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bool,
    Complex,
    Int,
    Float,
    String,
    Uint,
}

const BAD_TYPE: &str = "invalid type for comparison";

fn kind(value: &Value) -> Option<Kind> {
    Some(match value {
        Value::Bool(_) => Kind::Bool,
        Value::Int(..) => Kind::Int,
        Value::Uint(..) => Kind::Uint,
        Value::Float(..) => Kind::Float,
        Value::Complex(..) => Kind::Complex,
        Value::Str(_) => Kind::String,
        _ => return None,
    })
}

pub(super) fn eq(args: &[Operand]) -> Result<Value, CallError> {
    let (first, others) = args.split_first().ok_or("missing argument for comparison")?;
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(&first.value, &other.value)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn ne(args: &[Operand]) -> Result<Value, CallError> {
    Ok(Value::Bool(!equal(&args[0].value, &args[1].value)?))
}

pub(super) fn lt(args: &[Operand]) -> Result<Value, CallError> {
    Ok(Value::Bool(less(&args[0].value, &args[1].value)?))
}

pub(super) fn le(args: &[Operand]) -> Result<Value, CallError> {
    Ok(Value::Bool(less_or_equal(&args[0].value, &args[1].value)?))
}

pub(super) fn gt(args: &[Operand]) -> Result<Value, CallError> {
    Ok(Value::Bool(!less_or_equal(&args[0].value, &args[1].value)?))
}

pub(super) fn ge(args: &[Operand]) -> Result<Value, CallError> {
    Ok(Value::Bool(!less(&args[0].value, &args[1].value)?))
}

fn less_or_equal(left: &Value, right: &Value) -> Result<bool, CallError> {
    Ok(less(left, right)? || equal(left, right)?)
}

fn incompatible(left: &Value, right: &Value) -> CallError {
    let (left, right) = (left.type_name(), right.type_name());
    format!("incompatible types for comparison: {left} and {right}").into()
}

fn less(left: &Value, right: &Value) -> Result<bool, CallError> {
    let (Some(_), Some(_)) = (kind(left), kind(right)) else { return Err(BAD_TYPE.into()) };
    match (left, right) {
        (Value::Int(left, _), Value::Int(right, _)) => Ok(left < right),
        (Value::Uint(left, _), Value::Uint(right, _)) => Ok(left < right),
        (Value::Int(left, _), Value::Uint(right, _)) => Ok(across(*left, *right) == Ordering::Less),
        (Value::Uint(left, _), Value::Int(right, _)) => Ok(across(*right, *left) == Ordering::Greater),
        (Value::Float(left, _), Value::Float(right, _)) => Ok(left < right),
        (Value::Str(left), Value::Str(right)) => Ok(left < right),
        (Value::Bool(_), Value::Bool(_)) | (Value::Complex(..), Value::Complex(..)) => Err(BAD_TYPE.into()),
        _ => Err(incompatible(left, right)),
    }
}

/// Compares a signed with an unsigned number.
fn across(signed: i64, unsigned: u64) -> Ordering {
    i128::from(signed).cmp(&i128::from(unsigned))
}

fn equal(left: &Value, right: &Value) -> Result<bool, CallError> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Int(left, _), Value::Int(right, _)) => Ok(left == right),
        (Value::Uint(left, _), Value::Uint(right, _)) => Ok(left == right),
        (Value::Int(signed, _), Value::Uint(unsigned, _)) | (Value::Uint(unsigned, _), Value::Int(signed, _)) => {
            Ok(across(*signed, *unsigned) == Ordering::Equal)
        }
        (Value::Float(left, _), Value::Float(right, _)) => Ok(left == right),
        (Value::Complex(left, i), Value::Complex(right, j)) => Ok(left == right && i == j),
        (Value::Str(left), Value::Str(right)) => Ok(left == right),
        _ if kind(left) != kind(right) => match (left, right) {
            (Value::Nil, _) | (_, Value::Nil) => Ok(false),
            _ => Err(incompatible(left, right)),
        },
        _ => composite(left, right),
    }
}

/// What values without a basic kind are made of; nil is like all of them.
fn make(value: &Value) -> &'static str {
    match value {
        Value::Slice(_) => "slice",
        Value::Map(_) => "map",
        Value::Func(_) => "func",
        Value::Object(object) if is_pointer(&**object) => "pointer",
        Value::Object(object) => match object.shape() {
            Shape::Struct(_) => "struct",
            Shape::Map(_) => "map",
            Shape::Slice(_) => "slice",
        },
        _ => "nil",
    }
}

fn composite(left: &Value, right: &Value) -> Result<bool, CallError> {
    let text = |value| String::from_utf8_lossy(&sprint_verb(value, 's')).into_owned();
    if make(left) != make(right) && make(left) != "nil" && make(right) != "nil" {
        let (first, second) = (text(left), left.type_name());
        let (third, fourth) = (right.type_name(), right.to_string());
        return Err(format!("non-comparable types {first}: {second}, {third}: {fourth}").into());
    }
    if left.is_nil() || right.is_nil() {
        return Ok(left.is_nil() == right.is_nil());
    }
    match (left, right) {
        (Value::Object(left), Value::Object(other)) if comparable(&**other) => {
            Ok(left.type_name() == other.type_name() && same(left, other))
        }
        _ => Err(format!("non-comparable type {}: {}", text(right), right.type_name()).into()),
    }
}

fn comparable(object: &dyn Object) -> bool {
    if is_pointer(object) {
        return true;
    }
    let Shape::Struct(fields) = object.shape() else { return false };
    fields.iter().all(|(_, value)| match value {
        Value::Object(object) => comparable(&**object),
        Value::Map(_) | Value::Slice(_) | Value::Func(_) => false,
        _ => true,
    })
}

/// Whether they are one object, or structs with the same fields.
fn same(left: &Rc<dyn Object>, right: &Rc<dyn Object>) -> bool {
    if is_pointer(&**left) {
        return Rc::ptr_eq(left, right);
    }
    let (Shape::Struct(left), Shape::Struct(right)) = (left.shape(), right.shape()) else { return false };
    left.iter().zip(&right).all(|((_, left), (_, right))| match (left, right) {
        (Value::Object(left), Value::Object(right)) => left.type_name() == right.type_name() && same(left, right),
        (Value::Nil, Value::Nil) => true,
        _ => left.type_name() == right.type_name() && equal(left, right).unwrap_or(false),
    })
}
