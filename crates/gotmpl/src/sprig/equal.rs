//! Deep equality, as Go's `reflect.DeepEqual`: the same types and the same content all the way down.

use std::cell::Cell;

use crate::exec::grow_stack;
use crate::{Shape, Value};

/// Deeper values are taken to be equal where all above was: only cyclic ones get here.
const MAX_DEPTH: usize = 10_000;

pub(super) fn deep_equal(left: &Value, right: &Value) -> bool {
    at_depth(left, right, 0, &Cell::new(super::MOST_VALUES))
}

fn at_depth(left: &Value, right: &Value, depth: usize, values: &Cell<i64>) -> bool {
    values.set(values.get() - 1);
    if depth > MAX_DEPTH || values.get() < 0 {
        return true;
    }
    let inner = |left: &Value, right: &Value| grow_stack(|| at_depth(left, right, depth + 1, values));
    match (left, right) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left, kind), Value::Int(right, other)) => left == right && kind == other,
        (Value::Uint(left, kind), Value::Uint(right, other)) => left == right && kind == other,
        (Value::Float(left, kind), Value::Float(right, other)) => left == right && kind == other,
        (Value::Complex(left, i), Value::Complex(right, j)) => left == right && i == j,
        (Value::Str(left), Value::Str(right)) => left == right,
        (Value::Slice(slice), Value::Slice(other)) => {
            left.type_name() == right.type_name()
                && slice.is_nil() == other.is_nil()
                && slice.len() == other.len()
                && slice.values().iter().zip(other.values().iter()).all(|(left, right)| inner(left, right))
        }
        (Value::Map(map), Value::Map(other)) => {
            map.same(other)
                || left.type_name() == right.type_name()
                    && map.is_nil() == other.is_nil()
                    && map.len() == other.len()
                    && map.entries().iter().all(|(key, left)| other.get(key).is_some_and(|right| inner(left, &right)))
        }
        (Value::Object(object), Value::Object(other)) => {
            std::rc::Rc::ptr_eq(object, other)
                || object.type_name() == other.type_name()
                    && match (object.shape(), other.shape()) {
                        (Shape::Struct(left), Shape::Struct(right)) => {
                            left.iter().zip(&right).all(|((_, left), (_, right))| inner(left, right))
                        }
                        (Shape::Map(left), Shape::Map(right)) => inner(&Value::Map(left), &Value::Map(right)),
                        (Shape::Slice(left), Shape::Slice(right)) => inner(&Value::Slice(left), &Value::Slice(right)),
                        _ => false,
                    }
        }
        _ => false,
    }
}
