//! Functions of the library Sprig, which Helm's templates have: strings, lists, dicts, numbers, defaults and types,
//! encodings, JSON, paths, regular expressions and versions.
//!
//! ```
//! use gotmpl::{TemplateSet, Value, sprig};
//!
//! let mut set = TemplateSet::new().funcs(sprig::functions());
//! set.parse("t", "{{list \"a\" \"b\" | join \",\" | upper | quote}} {{.none | default 5}}")?;
//! assert_eq!(set.render("t", &Value::from_json(&serde_json::json!({})))?, b"\"A,B\" 5");
//! # Ok::<(), gotmpl::Error>(())
//! ```

mod abbreviate;
mod cast;
mod constraint;
mod defaults;
mod dicts;
mod encoding;
mod equal;
mod json;
mod lists;
mod math;
mod merge;
mod paths;
mod regex;
mod semver;
mod strings;
mod wrap;

use crate::{CallError, Function, Str, Type, Value};

/// The functions, to be given to [`TemplateSet::funcs`](crate::TemplateSet::funcs).
pub fn functions() -> Vec<Function> {
    let mut all = strings::functions();
    all.extend(lists::functions());
    all.extend(dicts::functions());
    all.extend(math::functions());
    all.extend(defaults::functions());
    all.extend(encoding::functions());
    all.extend(json::functions());
    all.extend(paths::functions());
    all.extend(regex::functions());
    all.extend(semver::functions());
    all.extend(wrap::functions());
    all
}

type Called = Result<Value, CallError>;
type Body = fn(&[Value]) -> Called;

const ANY: Type = Type::Any;
const STR: Type = Type::String;
const INT: Type = Type::INT;

/// What Go says where something is asked of a nil.
const NIL_POINTER: &str = "runtime error: invalid memory address or nil pointer dereference";

/// How many bytes a function may make of a few.
const MOST: i64 = 1 << 26;

/// How many numbers a function may make, and how many values it may visit: collections that hold one another can unfold to any
/// number.
const MOST_VALUES: i64 = 1 << 20;

fn function(name: &str, params: &[Type], result: Type, body: Body) -> Function {
    Function::new(name, params, move |_, args| body(args)).returning(result)
}

/// A function that also takes any number of further arguments.
fn variadic(name: &str, params: &[Type], rest: Type, result: Type, body: Body) -> Function {
    function(name, params, result, body).variadic(rest)
}

/// The text of an argument that the signature says is a string.
fn text(args: &[Value], at: usize) -> &[u8] {
    match args.get(at) {
        Some(Value::Str(text)) => text,
        _ => b"",
    }
}

/// The number of an argument that the signature says is an `int`.
fn int(args: &[Value], at: usize) -> i64 {
    match args.get(at) {
        Some(Value::Int(number, _)) => *number,
        _ => 0,
    }
}

/// A value as text: a string as it is, anything else as `%v` prints it.
fn to_text(value: &Value) -> Result<Str, CallError> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        Value::Slice(slice) => match slice.bytes() {
            Some(bytes) => Ok(bytes.into()),
            None => Ok(crate::sprint(std::slice::from_ref(value))?.into()),
        },
        _ => Ok(crate::sprint(std::slice::from_ref(value))?.into()),
    }
}

/// What `reflect.Kind` calls the value.
fn kind(value: &Value) -> String {
    match value.bare().as_ref() {
        Value::Nil => "invalid".to_owned(),
        Value::Slice(_) => "slice".to_owned(),
        Value::Map(_) => "map".to_owned(),
        Value::Func(_) => "func".to_owned(),
        Value::Object(object) => if crate::value::is_pointer(&**object) { "ptr" } else { "struct" }.to_owned(),
        other => other.type_name().into_owned(),
    }
}
