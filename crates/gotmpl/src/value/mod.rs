//! Values as templates see them: Go's kinds, cheap to clone, collections shared and changed in place.

mod function;
mod json;
mod kind;
mod map;
mod object;
mod slice;
mod text;

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

pub use function::Function;
pub use kind::{FloatKind, IntKind, Type, UintKind};
pub use map::Map;
pub(crate) use object::is_pointer;
pub use object::{Object, Shape};
pub use slice::Slice;
pub use text::Str;

/// A value: what data is made of, what pipelines pass on, what functions take and give.
#[derive(Clone, Default)]
pub enum Value {
    /// Nothing: a nil interface, or no value at all.
    #[default]
    Nil,
    /// A truth value.
    Bool(bool),
    /// A signed integer of one of Go's types.
    Int(i64, IntKind),
    /// An unsigned integer of one of Go's types.
    Uint(u64, UintKind),
    /// A floating-point number of one of Go's types.
    Float(f64, FloatKind),
    /// A `complex128`: real and imaginary part.
    Complex(f64, f64),
    /// A string.
    Str(Str),
    /// A slice.
    Slice(Slice),
    /// A map with string keys.
    Map(Map),
    /// A value of the embedder's own type.
    Object(Rc<dyn Object>),
    /// A function.
    Func(Rc<Function>),
}

impl Value {
    /// An `int`.
    pub fn int(number: i64) -> Self {
        Self::Int(number, IntKind::Int)
    }

    /// A `float64`.
    pub fn float(number: f64) -> Self {
        Self::Float(number, FloatKind::Float64)
    }

    /// An object.
    pub fn object(object: impl Object + 'static) -> Self {
        Self::Object(Rc::new(object))
    }

    /// The type as Go prints it with `%T`; `<nil>` for nil.
    pub fn type_name(&self) -> Cow<'_, str> {
        match self {
            Self::Nil => "<nil>".into(),
            Self::Bool(_) => "bool".into(),
            Self::Int(_, IntKind::Int) => "int".into(),
            Self::Int(_, kind) => Type::Int(*kind).to_string().into(),
            Self::Uint(_, kind) => Type::Uint(*kind).to_string().into(),
            Self::Float(_, FloatKind::Float64) => "float64".into(),
            Self::Float(_, FloatKind::Float32) => "float32".into(),
            Self::Complex(..) => "complex128".into(),
            Self::Str(_) => "string".into(),
            Self::Slice(slice) => slice.type_name().into(),
            Self::Map(map) => map.type_name().into(),
            Self::Object(object) => object.type_name().into(),
            Self::Func(function) => function.type_name().into(),
        }
    }

    /// Whether it counts as true: neither zero nor empty nor nil. Structs always do.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(number, _) => *number != 0,
            Self::Uint(number, _) => *number != 0,
            Self::Float(number, _) => *number != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Slice(slice) => !slice.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) if is_pointer(&**object) => !object.is_nil(),
            Self::Object(object) => match object.shape() {
                Shape::Struct(_) => true,
                Shape::Map(map) => !map.is_empty(),
                Shape::Slice(slice) => !slice.is_empty(),
            },
            Self::Func(_) => true,
        }
    }

    /// The string's bytes, if it is one.
    pub fn as_str(&self) -> Option<&Str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The slice, if it is one.
    pub fn as_slice(&self) -> Option<&Slice> {
        if let Self::Slice(slice) = self { Some(slice) } else { None }
    }

    /// Whether it is nil, or a nil map, slice or pointer.
    pub fn is_nil(&self) -> bool {
        match self {
            Self::Nil => true,
            Self::Slice(slice) => slice.is_nil(),
            Self::Map(map) => map.is_nil(),
            Self::Object(object) => object.is_nil(),
            _ => false,
        }
    }

    /// Whether dropping it may drop many others.
    fn is_collection(&self) -> bool {
        matches!(self, Self::Slice(_) | Self::Map(_))
    }

    /// A map or slice with methods without them; anything else as it is.
    pub(crate) fn bare(&self) -> Cow<'_, Self> {
        let Self::Object(object) = self else { return Cow::Borrowed(self) };
        match object.shape() {
            Shape::Struct(_) => Cow::Borrowed(self),
            Shape::Map(map) => Cow::Owned(Self::Map(map)),
            Shape::Slice(slice) => Cow::Owned(Self::Slice(slice)),
        }
    }
}

/// As `%v` prints it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&crate::print::sprint_value(self)))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({self})", self.type_name())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    /// An `int64`.
    fn from(number: i64) -> Self {
        Self::Int(number, IntKind::Int64)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<Vec<u8>> for Value {
    /// A string of these bytes.
    fn from(bytes: Vec<u8>) -> Self {
        Self::Str(bytes.into())
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::Str(text)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Slice> for Value {
    fn from(slice: Slice) -> Self {
        Self::Slice(slice)
    }
}

impl From<Function> for Value {
    fn from(function: Function) -> Self {
        Self::Func(Rc::new(function))
    }
}
