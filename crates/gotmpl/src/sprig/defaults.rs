//! Defaults, choices, types, and `fail`.

use super::equal::deep_equal;
use super::{ANY, Called, STR, function, kind, text, variadic};
use crate::value::is_pointer;
use crate::{Function, Type, Value};

pub(super) fn functions() -> Vec<Function> {
    const BOOL: Type = Type::Bool;
    vec![
        variadic("default", &[ANY], ANY, ANY, |args| match args {
            [default] => Ok(default.clone()),
            [default, given, ..] => Ok(if is_empty(given) { default.clone() } else { given.clone() }),
            [] => Ok(Value::Nil),
        }),
        function("empty", &[ANY], BOOL, |args| Ok(is_empty(&args[0]).into())),
        variadic("coalesce", &[], ANY, ANY, |args| {
            Ok(args.iter().find(|arg| !is_empty(arg)).cloned().unwrap_or_default())
        }),
        variadic("all", &[], ANY, BOOL, |args| Ok((!args.iter().any(is_empty)).into())),
        variadic("any", &[], ANY, BOOL, |args| Ok((!args.iter().all(is_empty)).into())),
        function("ternary", &[ANY, ANY, BOOL], ANY, ternary),
        function("fail", &[STR], STR, |args| Err(args[0].to_string().into())),
        function("typeOf", &[ANY], STR, |args| Ok(args[0].type_name().into_owned().into())),
        function("typeIs", &[STR, ANY], BOOL, |args| Ok((text(args, 0) == args[1].type_name().as_bytes()).into())),
        function("typeIsLike", &[STR, ANY], BOOL, |args| {
            let name = args[1].type_name();
            let like = name.strip_prefix('*').is_some_and(|name| name.as_bytes() == text(args, 0));
            Ok((like || name.as_bytes() == text(args, 0)).into())
        }),
        function("kindOf", &[ANY], STR, |args| Ok(kind(&args[0]).into())),
        function("kindIs", &[STR, ANY], BOOL, |args| Ok((text(args, 0) == kind(&args[1]).as_bytes()).into())),
        function("deepEqual", &[ANY, ANY], BOOL, |args| Ok(deep_equal(&args[0], &args[1]).into())),
    ]
}

/// Whether it is zero, empty, false or nil. A struct is not.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) if is_pointer(&**object) => object.is_nil(),
        _ => !value.truth(),
    }
}

fn ternary(args: &[Value]) -> Called {
    let [yes, no, choice] = args else { return Ok(Value::Nil) };
    Ok(if choice.truth() { yes.clone() } else { no.clone() })
}
