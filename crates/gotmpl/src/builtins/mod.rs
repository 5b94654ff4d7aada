//! The functions that every template has.

mod compare;
mod escape;
mod index;

use crate::CallError;
use crate::exec::Operand;
use crate::print::{sprint, sprintf, sprintln};
use crate::value::{Type, Value};
pub(crate) use index::prepare;

/// A function of the language.
pub(crate) struct Builtin {
    name: &'static str,
    pub(crate) params: &'static [Type],
    pub(crate) rest: Option<Type>,
    pub(crate) body: Body,
}

#[derive(Clone, Copy)]
pub(crate) enum Body {
    /// `and` and `or`: stops at the first argument whose truth is this.
    Short(bool),
    /// `call`.
    Call,
    Plain(fn(&[Operand]) -> Result<Value, CallError>),
}

const NONE: &[Type] = &[];
const ONE: &[Type] = &[Type::Reflect];
const TWO: &[Type] = &[Type::Reflect, Type::Reflect];
const FORMAT: &[Type] = &[Type::String];

/// All of them, in the order of their names.
const BUILTINS: &[Builtin] = &[
    with("and", ONE, Some(Type::Reflect), Body::Short(false)),
    with("call", ONE, Some(Type::Reflect), Body::Call),
    with("eq", ONE, Some(Type::Reflect), Body::Plain(compare::eq)),
    with("ge", TWO, None, Body::Plain(compare::ge)),
    with("gt", TWO, None, Body::Plain(compare::gt)),
    with("html", NONE, Some(Type::Any), Body::Plain(escape::html)),
    with("index", ONE, Some(Type::Reflect), Body::Plain(index::index)),
    with("js", NONE, Some(Type::Any), Body::Plain(escape::js)),
    with("le", TWO, None, Body::Plain(compare::le)),
    with("len", ONE, None, Body::Plain(index::len)),
    with("lt", TWO, None, Body::Plain(compare::lt)),
    with("ne", TWO, None, Body::Plain(compare::ne)),
    with("not", ONE, None, Body::Plain(not)),
    with("or", ONE, Some(Type::Reflect), Body::Short(true)),
    with("print", NONE, Some(Type::Any), Body::Plain(print)),
    with("printf", FORMAT, Some(Type::Any), Body::Plain(printf)),
    with("println", NONE, Some(Type::Any), Body::Plain(println)),
    with("slice", ONE, Some(Type::Reflect), Body::Plain(index::slice)),
    with("urlquery", NONE, Some(Type::Any), Body::Plain(escape::urlquery)),
];

const fn with(name: &'static str, params: &'static [Type], rest: Option<Type>, body: Body) -> Builtin {
    Builtin { name, params, rest, body }
}

pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    let at = BUILTINS.binary_search_by(|builtin| builtin.name.cmp(name)).ok()?;
    BUILTINS.get(at)
}

fn values(args: &[Operand]) -> Vec<Value> {
    args.iter().map(|arg| arg.value.clone()).collect()
}

fn not(args: &[Operand]) -> Result<Value, CallError> {
    Ok(Value::Bool(!args[0].value.truth()))
}

fn print(args: &[Operand]) -> Result<Value, CallError> {
    Ok(sprint(&values(args))?.into())
}

fn println(args: &[Operand]) -> Result<Value, CallError> {
    Ok(sprintln(&values(args))?.into())
}

fn printf(args: &[Operand]) -> Result<Value, CallError> {
    let values = values(args);
    let Some((Value::Str(format), rest)) = values.split_first() else { return Ok(Value::Nil) };
    Ok(sprintf(format, rest)?.into())
}
