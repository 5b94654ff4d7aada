//! Dicts. Those that are set and unset are changed for all who hold them.

use std::cell::Cell;

use super::merge::merge;
use super::{ANY, Called, STR, function, text, to_text, variadic};
use crate::exec::grow_stack;
use crate::{CallError, Function, Map, Slice, Str, Type, Value};

/// How deep values may be to be copied.
const MAX_DEPTH: usize = 10_000;

pub(super) fn functions() -> Vec<Function> {
    let map = || Type::map(ANY);
    let list = || Type::slice(ANY);
    vec![
        variadic("dict", &[], ANY, map(), dict),
        function("get", &[map(), STR], ANY, |args| {
            Ok(dict_of(&args[0]).get(text(args, 1)).unwrap_or_else(|| "".into()))
        }),
        function("set", &[map(), STR, ANY], map(), |args| {
            let map = dict_of(&args[0]);
            if map.is_nil() {
                return Err("assignment to entry in nil map".into());
            }
            map.set(text(args, 1), args[2].clone());
            Ok(map.into())
        }),
        function("unset", &[map(), STR], map(), |args| {
            let map = dict_of(&args[0]);
            map.remove(text(args, 1));
            Ok(map.into())
        }),
        function("hasKey", &[map(), STR], Type::Bool, |args| Ok(dict_of(&args[0]).contains(text(args, 1)).into())),
        variadic("pluck", &[STR], map(), list(), |args| {
            Ok(args[1..].iter().filter_map(|map| dict_of(map).get(text(args, 0))).collect::<Slice>().into())
        }),
        variadic("keys", &[], map(), Type::slice(STR), |args| {
            Ok(super::lists::string_slice(args.iter().flat_map(|map| dict_of(map).keys()).collect()))
        }),
        function("values", &[map()], list(), |args| {
            Ok(dict_of(&args[0]).entries().values().cloned().collect::<Slice>().into())
        }),
        variadic("pick", &[map()], STR, map(), |args| Ok(chosen(args, true))),
        variadic("omit", &[map()], STR, map(), |args| Ok(chosen(args, false))),
        variadic("merge", &[map()], map(), ANY, |args| merge(args, false)),
        variadic("mustMerge", &[map()], map(), ANY, |args| merge(args, false)),
        variadic("mergeOverwrite", &[map()], map(), ANY, |args| merge(args, true)),
        variadic("mustMergeOverwrite", &[map()], map(), ANY, |args| merge(args, true)),
        function("deepCopy", &[ANY], ANY, deep_copy),
        function("mustDeepCopy", &[ANY], ANY, deep_copy),
        variadic("dig", &[], ANY, ANY, dig),
    ]
}

/// The map of an argument that the signature says is one.
pub(super) fn dict_of(value: &Value) -> Map {
    match value.bare().as_ref() {
        Value::Map(map) => map.clone(),
        _ => Map::new(),
    }
}

fn dict(args: &[Value]) -> Called {
    let mut entries: Vec<(Str, Value)> = Vec::with_capacity(args.len() / 2);
    for pair in args.chunks(2) {
        entries.push((to_text(&pair[0])?, pair.get(1).cloned().unwrap_or_else(|| "".into())));
    }
    Ok(entries.into_iter().collect::<Map>().into())
}

/// The entries whose keys are among the arguments, or those whose keys are not.
fn chosen(args: &[Value], among: bool) -> Value {
    let keys: Vec<&Str> = args[1..].iter().filter_map(Value::as_str).collect();
    let map = dict_of(&args[0]);
    let entries = map.entries();
    let chosen = entries.iter().filter(|(key, _)| keys.contains(key) == among);
    chosen.map(|(key, value)| (key.clone(), value.clone())).collect::<Map>().into()
}

fn deep_copy(args: &[Value]) -> Called {
    match &args[0] {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
        value => copy(value, 0, &Cell::new(super::MOST_VALUES)),
    }
}

/// A copy of all that can be changed in place.
fn copy(value: &Value, depth: usize, values: &Cell<i64>) -> Called {
    values.set(values.get() - 1);
    if depth > MAX_DEPTH || values.get() < 0 {
        return Err("value is nested too deep or too large to copy".into());
    }
    let inner = |value: &Value| grow_stack(|| copy(value, depth + 1, values));
    match value {
        Value::Map(map) if !map.is_nil() => {
            let copied = map.emptied();
            for (key, value) in map.entries().iter() {
                copied.set(key.clone(), inner(value)?);
            }
            Ok(copied.into())
        }
        Value::Slice(slice) if !slice.is_nil() => {
            let values = slice.to_vec();
            Ok(slice.with(values.iter().map(inner).collect::<Result<_, _>>()?).into())
        }
        other => Ok(other.clone()),
    }
}

fn dig(args: &[Value]) -> Called {
    let [path @ .., default, start] = args else { return Err("dig needs at least three arguments".into()) };
    if path.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let is_not = |value: &Value, wanted: &str| {
        let found = if matches!(value, Value::Nil) { "nil".into() } else { value.type_name() };
        CallError::new(format!("interface conversion: interface {{}} is {found}, not {wanted}"))
    };
    let any_map = Type::map(ANY);
    let step = |value: &Value| match value {
        Value::Map(map) if value.type_name() == any_map.to_string() => Ok(map.clone()),
        other => Err(is_not(other, &any_map.to_string())),
    };
    let mut map = step(start)?;
    let mut keys = Vec::with_capacity(path.len());
    for key in path {
        keys.push(key.as_str().ok_or_else(|| is_not(key, "string"))?);
    }
    for (at, key) in keys.iter().enumerate() {
        let Some(value) = map.get(key) else { return Ok(default.clone()) };
        if at + 1 == keys.len() {
            return Ok(value);
        }
        map = step(&value)?;
    }
    Ok(default.clone())
}
