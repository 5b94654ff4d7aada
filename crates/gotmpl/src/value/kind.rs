//! The types that values and parameters have, named as Go names them.

use std::fmt;
use std::rc::Rc;

use super::{Map, Slice, Str, Value};

/// Which of Go's signed integer types a number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntKind {
    /// `int`, of 64 bits.
    Int,
    /// `int8`.
    Int8,
    /// `int16`.
    Int16,
    /// `int32`, which is also `rune`.
    Int32,
    /// `int64`.
    Int64,
}

impl IntKind {
    /// The number that Go's conversion to this type gives: the lowest bits.
    pub(crate) fn wrap(self, number: i64) -> i64 {
        match self {
            Self::Int | Self::Int64 => number,
            Self::Int8 => i64::from(number as i8),
            Self::Int16 => i64::from(number as i16),
            Self::Int32 => i64::from(number as i32),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }
}

/// Which of Go's unsigned integer types a number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UintKind {
    /// `uint`, of 64 bits.
    Uint,
    /// `uint8`, which is also `byte`.
    Uint8,
    /// `uint16`.
    Uint16,
    /// `uint32`.
    Uint32,
    /// `uint64`.
    Uint64,
}

impl UintKind {
    /// The number that Go's conversion to this type gives: the lowest bits.
    pub(crate) fn wrap(self, number: u64) -> u64 {
        match self {
            Self::Uint | Self::Uint64 => number,
            Self::Uint8 => u64::from(number as u8),
            Self::Uint16 => u64::from(number as u16),
            Self::Uint32 => u64::from(number as u32),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
        }
    }
}

/// Which of Go's floating-point types a number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FloatKind {
    /// `float32`. The number is kept in 64 bits and printed with the digits that 32 need.
    Float32,
    /// `float64`.
    Float64,
}

impl FloatKind {
    /// The number as this type can hold it.
    pub(crate) fn round(self, number: f64) -> f64 {
        match self {
            Self::Float32 => f64::from(number as f32),
            Self::Float64 => number,
        }
    }
}

/// A Go type, of a parameter, a result or the elements of a collection.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `interface {}`: whatever value, nil too.
    Any,
    /// `reflect.Value`: whatever value, also one that does not exist. What a function sees is the same as with `Any`.
    Reflect,
    /// `bool`.
    Bool,
    /// A signed integer.
    Int(IntKind),
    /// An unsigned integer.
    Uint(UintKind),
    /// A floating-point number.
    Float(FloatKind),
    /// `complex128`.
    Complex,
    /// `string`.
    String,
    /// `[]T`.
    Slice(Rc<Type>),
    /// `map[string]T`.
    Map(Rc<Type>),
    /// `error`.
    Error,
    /// Another type, by its name: what [`Object::type_name`](super::Object::type_name) says, a named map or slice, or a
    /// function's signature.
    Named(Rc<str>),
}

impl Type {
    /// `int`.
    pub const INT: Self = Self::Int(IntKind::Int);
    /// `int64`.
    pub const INT64: Self = Self::Int(IntKind::Int64);
    /// `float64`.
    pub const FLOAT64: Self = Self::Float(FloatKind::Float64);

    /// `[]T`.
    pub fn slice(element: Self) -> Self {
        Self::Slice(Rc::new(element))
    }

    /// `map[string]T`.
    pub fn map(element: Self) -> Self {
        Self::Map(Rc::new(element))
    }

    /// Whether a value of this type can be nil.
    pub(crate) fn can_be_nil(&self) -> bool {
        match self {
            Self::Any | Self::Reflect | Self::Slice(_) | Self::Map(_) | Self::Error => true,
            Self::Named(name) => name.starts_with('*') || name.starts_with("func("),
            _ => false,
        }
    }

    /// What a variable of this type holds before anything is assigned to it.
    pub fn zero(&self) -> Value {
        match self {
            Self::Any | Self::Reflect | Self::Error | Self::Named(_) => Value::Nil,
            Self::Bool => Value::Bool(false),
            Self::Int(kind) => Value::Int(0, *kind),
            Self::Uint(kind) => Value::Uint(0, *kind),
            Self::Float(kind) => Value::Float(0.0, *kind),
            Self::Complex => Value::Complex(0.0, 0.0),
            Self::String => Value::Str(Str::default()),
            Self::Slice(element) => Value::Slice(Slice::nil((**element).clone())),
            Self::Map(element) => Value::Map(Map::nil((**element).clone())),
        }
    }

    /// Whether a value can stand for this type as it is.
    pub(crate) fn takes(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any | Self::Reflect, _) | (Self::Bool, Value::Bool(_)) => true,
            (Self::Complex, Value::Complex(..)) | (Self::String, Value::Str(_)) => true,
            (Self::Int(kind), Value::Int(_, have)) => kind == have,
            (Self::Uint(kind), Value::Uint(_, have)) => kind == have,
            (Self::Float(kind), Value::Float(_, have)) => kind == have,
            (Self::Slice(element), Value::Slice(slice)) => *slice.element() == **element,
            (Self::Map(element), Value::Map(map)) => *map.element() == **element,
            (Self::Error, Value::Object(object)) => object.is_error(),
            (Self::Named(name), value) => value.type_name() == **name,
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("interface {}"),
            Self::Reflect => f.write_str("reflect.Value"),
            Self::Bool => f.write_str("bool"),
            Self::Int(kind) => f.write_str(kind.name()),
            Self::Uint(kind) => f.write_str(kind.name()),
            Self::Float(FloatKind::Float32) => f.write_str("float32"),
            Self::Float(FloatKind::Float64) => f.write_str("float64"),
            Self::Complex => f.write_str("complex128"),
            Self::String => f.write_str("string"),
            Self::Slice(element) => write!(f, "[]{element}"),
            Self::Map(element) => write!(f, "map[string]{element}"),
            Self::Error => f.write_str("error"),
            Self::Named(name) => f.write_str(name),
        }
    }
}
