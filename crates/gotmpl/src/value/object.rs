//! Objects: values of the embedder's own types, with fields and methods.

use std::rc::Rc;

use super::{Function, Map, Slice, Str, Value};

/// What an object is made of, which decides how it is printed, ranged over, indexed and tested.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A struct, or a pointer to one: its exported fields in order.
    Struct(Vec<(Str, Value)>),
    /// A map that has methods.
    Map(Map),
    /// A slice that has methods.
    Slice(Slice),
}

/// A value of a type of its own, as a Go struct or a named map or slice with methods.
pub trait Object {
    /// The type as Go prints it: `main.Thing`, or `*main.Thing` for a pointer.
    fn type_name(&self) -> &str;

    /// What it is made of.
    fn shape(&self) -> Shape {
        Shape::Struct(Vec::new())
    }

    /// A method by name.
    fn method(&self, name: &str) -> Option<Rc<Function>> {
        let _ = name;
        None
    }

    /// A field of a struct by name. Worth writing where [`Object::shape`] is expensive.
    fn field(&self, name: &[u8]) -> Option<Value> {
        match self.shape() {
            Shape::Struct(fields) => fields.into_iter().find(|(field, _)| **field == *name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What its `String()` or `Error()` method gives, if it has one: that is how it is printed.
    fn string(&self) -> Option<Str> {
        None
    }

    /// Whether it implements `error`.
    fn is_error(&self) -> bool {
        false
    }

    /// Whether it is a pointer that points to nothing.
    fn is_nil(&self) -> bool {
        false
    }
}

pub(crate) fn is_pointer(object: &dyn Object) -> bool {
    object.type_name().starts_with('*')
}
