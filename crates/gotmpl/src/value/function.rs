//! Functions: a name, a signature that calls are checked against, and a closure.

use std::fmt;

use super::{Type, Value};
use crate::{CallError, Context};

type Body = dyn Fn(&mut Context<'_>, &[Value]) -> Result<Value, CallError>;
/// Gives each element to the receiver until it says false.
type Each = dyn Fn(&mut dyn FnMut(Value) -> bool);
type EachPair = dyn Fn(&mut dyn FnMut(Value, Value) -> bool);

/// A function that templates can call.
///
/// Arguments are checked against the signature before the closure sees them, with Go's texts for what does not fit.
pub struct Function {
    name: String,
    params: Vec<Type>,
    variadic: Option<Type>,
    result: Type,
    fallible: bool,
    body: Kind,
}

enum Kind {
    Call(Box<Body>),
    Each(Box<Each>),
    EachPair(Box<EachPair>),
}

impl Function {
    /// A function with these parameters and a result of whatever type.
    pub fn new(
        name: &str,
        params: impl Into<Vec<Type>>,
        body: impl Fn(&mut Context<'_>, &[Value]) -> Result<Value, CallError> + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            params: params.into(),
            variadic: None,
            result: Type::Any,
            fallible: false,
            body: Kind::Call(Box::new(body)),
        }
    }

    /// An iterator, `func(func(T) bool)`, that templates can range over.
    pub fn each(element: Type, each: impl Fn(&mut dyn FnMut(Value) -> bool) + 'static) -> Self {
        Self { params: vec![element], body: Kind::Each(Box::new(each)), ..Self::new("", [], |_, _| Ok(Value::Nil)) }
    }

    /// An iterator of pairs, `func(func(K, V) bool)`, that templates can range over.
    pub fn each_pair(key: Type, element: Type, each: impl Fn(&mut dyn FnMut(Value, Value) -> bool) + 'static) -> Self {
        let body = Kind::EachPair(Box::new(each));
        Self { params: vec![key, element], body, ..Self::new("", [], |_, _| Ok(Value::Nil)) }
    }

    /// Takes further arguments of this type after the others.
    #[must_use]
    pub fn variadic(mut self, rest: Type) -> Self {
        self.variadic = Some(rest);
        self
    }

    /// Says which type the result has, where it is always the same.
    #[must_use]
    pub fn returning(mut self, result: Type) -> Self {
        self.result = result;
        self
    }

    /// Has an error as a second result. Nothing but the printed type depends on it.
    #[must_use]
    pub fn fallible(mut self) -> Self {
        self.fallible = true;
        self
    }

    /// The name it goes by in templates.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn params(&self) -> &[Type] {
        &self.params
    }

    pub(crate) fn rest(&self) -> Option<&Type> {
        self.variadic.as_ref()
    }

    pub(crate) fn result(&self) -> &Type {
        &self.result
    }

    pub(crate) fn is_iterator(&self) -> bool {
        !matches!(self.body, Kind::Call(_))
    }

    pub(crate) fn as_each(&self) -> Option<&Each> {
        if let Kind::Each(each) = &self.body { Some(each) } else { None }
    }

    pub(crate) fn as_each_pair(&self) -> Option<&EachPair> {
        if let Kind::EachPair(each) = &self.body { Some(each) } else { None }
    }

    /// Runs the closure. The arguments are taken to be checked.
    pub(crate) fn run(&self, context: &mut Context<'_>, args: &[Value]) -> Result<Value, CallError> {
        match &self.body {
            Kind::Call(body) => body(context, args),
            _ => Err(CallError::new("an iterator cannot be called from a template")),
        }
    }

    /// The type as Go prints it: `func(string, ...interface {}) (string, error)`.
    pub(crate) fn type_name(&self) -> String {
        let params = self.params.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
        if self.is_iterator() {
            return format!("func(func({params}) bool)");
        }
        let rest = self.variadic.as_ref().map_or_else(String::new, |rest| {
            let comma = if params.is_empty() { "" } else { ", " };
            format!("{comma}...{rest}")
        });
        let result = &self.result;
        if self.fallible {
            format!("func({params}{rest}) ({result}, error)")
        } else {
            format!("func({params}{rest}) {result}")
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.type_name())
    }
}
