//! Lists. None of these changes a list in place.

use super::cast::to_int;
use super::defaults::is_empty;
use super::equal::deep_equal;
use super::{ANY, Called, INT, NIL_POINTER, STR, function, int, kind, text, to_text, variadic};
use crate::{CallError, Function, Slice, Str, Type, Value};

pub(super) fn functions() -> Vec<Function> {
    let list = || Type::slice(ANY);
    let strings = || Type::slice(STR);
    let mut all = vec![
        variadic("list", &[], ANY, list(), |args| Ok(Slice::new(args.to_vec()).into())),
        variadic("tuple", &[], ANY, list(), |args| Ok(Slice::new(args.to_vec()).into())),
        variadic("concat", &[], ANY, ANY, concat),
        function("join", &[STR, ANY], STR, |args| Ok(strings_of(&args[1])?.join(text(args, 0)).into())),
        function("sortAlpha", &[ANY], strings(), sort_alpha),
        function("toStrings", &[ANY], strings(), |args| Ok(string_slice(strings_of(&args[0])?))),
    ];
    // Those with "must" in front give an error where the others panic, which comes to the same.
    let pairs: [(&str, &[Type], super::Body); 12] = [
        ("append", &[ANY, ANY], push),
        ("push", &[ANY, ANY], push),
        ("prepend", &[ANY, ANY], prepend),
        ("first", &[ANY], first),
        ("rest", &[ANY], rest),
        ("last", &[ANY], last),
        ("initial", &[ANY], initial),
        ("reverse", &[ANY], reverse),
        ("compact", &[ANY], compact),
        ("uniq", &[ANY], uniq),
        ("has", &[ANY, ANY], has),
        ("chunk", &[INT, ANY], chunk),
    ];
    for (name, params, body) in pairs {
        let result = match name {
            "first" | "last" => ANY,
            "has" => Type::Bool,
            "chunk" => Type::slice(list()),
            _ => list(),
        };
        all.push(function(name, params, result.clone(), body));
        all.push(function(&must(name), params, result, body));
    }
    for (name, result, body) in [("without", list(), without as super::Body), ("slice", ANY, slice)] {
        all.push(variadic(name, &[ANY], ANY, result.clone(), body));
        all.push(variadic(&must(name), &[ANY], ANY, result, body));
    }
    all
}

fn must(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("must{}{rest}", first.to_uppercase())
}

/// The list that a value is, or Sprig's complaint that it is none.
fn list(value: &Value, complaint: &str) -> Result<Slice, CallError> {
    match value.bare().as_ref() {
        Value::Slice(slice) => Ok(slice.clone()),
        Value::Nil => Err(NIL_POINTER.into()),
        other => Err(format!("{complaint} {}", kind(other)).into()),
    }
}

/// The elements as texts, without those that are nil; of anything else the one text that it is.
pub(super) fn strings_of(value: &Value) -> Result<Vec<Str>, CallError> {
    match value.bare().as_ref() {
        Value::Nil => Ok(Vec::new()),
        Value::Slice(slice) => {
            let values = slice.to_vec();
            values.iter().filter(|value| !matches!(value, Value::Nil)).map(to_text).collect()
        }
        _ => Ok(vec![to_text(value)?]),
    }
}

pub(super) fn string_slice(texts: Vec<Str>) -> Value {
    Slice::of(STR, texts.into_iter().map(Value::Str).collect()).into()
}

fn nil_list() -> Value {
    Type::slice(ANY).zero()
}

fn push(args: &[Value]) -> Called {
    let list = list(&args[0], "Cannot push on type")?;
    Ok(Slice::new(list.to_vec()).append([args[1].clone()]).into())
}

fn prepend(args: &[Value]) -> Called {
    let list = list(&args[0], "Cannot prepend on type")?;
    Ok(Slice::new(vec![args[1].clone()]).append(list.to_vec()).into())
}

fn first(args: &[Value]) -> Called {
    Ok(list(&args[0], "Cannot find first on type")?.get(0).unwrap_or_default())
}

fn last(args: &[Value]) -> Called {
    let list = list(&args[0], "Cannot find last on type")?;
    Ok(list.len().checked_sub(1).and_then(|last| list.get(last)).unwrap_or_default())
}

fn rest(args: &[Value]) -> Called {
    let values = list(&args[0], "Cannot find rest on type")?.to_vec();
    Ok(values.split_first().map_or_else(nil_list, |(_, rest)| Slice::new(rest.to_vec()).into()))
}

fn initial(args: &[Value]) -> Called {
    let values = list(&args[0], "Cannot find initial on type")?.to_vec();
    Ok(values.split_last().map_or_else(nil_list, |(_, initial)| Slice::new(initial.to_vec()).into()))
}

fn reverse(args: &[Value]) -> Called {
    let mut values = list(&args[0], "Cannot find reverse on type")?.to_vec();
    values.reverse();
    Ok(Slice::new(values).into())
}

fn compact(args: &[Value]) -> Called {
    let values = list(&args[0], "Cannot compact on type")?.to_vec();
    Ok(values.into_iter().filter(|value| !is_empty(value)).collect::<Slice>().into())
}

fn contains(values: &[Value], wanted: &Value) -> bool {
    values.iter().any(|value| deep_equal(wanted, value))
}

fn uniq(args: &[Value]) -> Called {
    let mut found: Vec<Value> = Vec::new();
    for value in list(&args[0], "Cannot find uniq on type")?.to_vec() {
        if !contains(&found, &value) {
            found.push(value);
        }
    }
    Ok(Slice::new(found).into())
}

fn without(args: &[Value]) -> Called {
    let values = list(&args[0], "Cannot find without on type")?.to_vec();
    Ok(values.into_iter().filter(|value| !contains(&args[1..], value)).collect::<Slice>().into())
}

fn has(args: &[Value]) -> Called {
    if matches!(args[1], Value::Nil) {
        return Ok(false.into());
    }
    let list = list(&args[1], "Cannot find has on type")?;
    Ok(contains(&list.to_vec(), &args[0]).into())
}

fn chunk(args: &[Value]) -> Called {
    let size = int(args, 0);
    let values = list(&args[1], "Cannot chunk type")?.to_vec();
    let chunked = match usize::try_from(size) {
        Ok(size @ 1..) => values.chunks(size).map(|chunk| Value::from(Slice::new(chunk.to_vec()))).collect(),
        _ => return Err("runtime error: makeslice: len out of range".into()),
    };
    Ok(Slice::of(Type::slice(ANY), chunked).into())
}

fn slice(args: &[Value]) -> Called {
    let list = list(&args[0], "list should be type of slice or array but")?;
    if list.is_empty() {
        return Ok(Value::Nil);
    }
    let low = args.get(1).map_or(0, to_int);
    let high = args.get(2).map_or(list.len() as i64, to_int);
    let part = match (usize::try_from(low), usize::try_from(high)) {
        (Ok(low), Ok(high)) => list.slice(low, high, list.capacity()),
        _ => None,
    };
    Ok(part.ok_or("reflect.Value.Slice: slice index out of bounds")?.into())
}

fn concat(args: &[Value]) -> Called {
    let mut all = Vec::new();
    for arg in args {
        match arg.bare().as_ref() {
            Value::Slice(slice) => all.extend(slice.to_vec()),
            Value::Nil => return Err(NIL_POINTER.into()),
            other => return Err(format!("Cannot concat type {} as list", kind(other)).into()),
        }
    }
    Ok(if all.is_empty() { nil_list() } else { Slice::new(all).into() })
}

fn sort_alpha(args: &[Value]) -> Called {
    let mut texts = strings_of(&args[0])?;
    if matches!(args[0], Value::Nil) {
        texts.push("<nil>".into());
    }
    texts.sort();
    Ok(string_slice(texts))
}
