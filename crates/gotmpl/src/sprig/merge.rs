//! `merge` and `mergeOverwrite`: what one dict lacks is taken from others.

use std::cell::Cell;

use super::Called;
use super::defaults::is_empty;
use super::dicts::dict_of;
use crate::exec::grow_stack;
use crate::{Map, Value};

/// How deep dicts may be to be merged. Those that hold themselves end here.
const MAX_DEPTH: usize = 10_000;

/// Merges the second dict and those after it into the first, which it gives back.
pub(super) fn merge(args: &[Value], overwrite: bool) -> Called {
    let mut into = dict_of(&args[0]);
    if into.is_nil() && args.len() > 1 {
        into = Map::new();
    }
    for from in &args[1..] {
        if !merge_into(&into, &dict_of(from), overwrite, 0, &Cell::new(super::MOST_VALUES)) {
            return Err("dicts are nested too deep or too large to merge".into());
        }
    }
    Ok(into.into())
}

fn merge_into(into: &Map, from: &Map, overwrite: bool, depth: usize, values: &Cell<i64>) -> bool {
    values.set(values.get() - from.len() as i64);
    if depth > MAX_DEPTH || values.get() < 0 {
        return false;
    }
    if into.same(from) {
        return true;
    }
    let entries: Vec<_> = from.entries().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    for (key, value) in entries {
        let had = into.get(&key);
        match (&had, &value) {
            // Nil takes no place but by force.
            (_, Value::Nil) if !overwrite => {}
            (Some(Value::Map(inner)), Value::Map(other)) if !inner.is_nil() => {
                if !grow_stack(|| merge_into(inner, other, overwrite, depth + 1, values)) {
                    return false;
                }
                if inner.is_empty() {
                    into.set(key, value);
                }
            }
            (Some(had), _) if !overwrite && !is_empty(had) => {}
            _ => into.set(key, value),
        }
    }
    true
}
