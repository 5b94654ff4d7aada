//! Walking a value together with its schema: which fields it sets, how two values differ, merging, and removing.
//!
//! The rules are those of `sigs.k8s.io/structured-merge-diff`: an object is a map of its own fields unless it is
//! atomic; a list is one value unless it is a set or a map by key fields; where there is no schema, objects are maps and
//! lists are atomic.

use serde_json::{Map, Value};

use super::path::PathElement;
use super::set::Set;
use crate::schema::node::{ListType, Node, Type};

/// How a value takes part in a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A scalar, or something that is replaced as a whole.
    Leaf,
    /// An object whose fields merge.
    Map,
    /// A list whose items have an identity.
    List,
}

pub(super) fn shape(node: Option<&Node>, value: &Value) -> Shape {
    let is_map = |node: &Node| !node.atomic && matches!(node.ty, Type::Object);
    let is_list = |node: &Node| node.list != ListType::Atomic;
    match value {
        Value::Object(_) if node.is_none_or(|node| !node.atomic && (node.ty != Type::Any || node.preserve_unknown)) => {
            Shape::Map
        }
        Value::Array(_) if node.is_some_and(is_list) => Shape::List,
        Value::Null if node.is_some_and(is_map) => Shape::Map,
        Value::Null if node.is_some_and(is_list) => Shape::List,
        _ => Shape::Leaf,
    }
}

/// The identity of a list's item; `None` for an item that can have none (null, or a map without any key).
pub(super) fn identity(list: &Node, item: &Value) -> Option<PathElement> {
    match (&list.list, item) {
        (ListType::Set, Value::Null | Value::Array(_) | Value::Object(_)) | (ListType::Atomic, _) => None,
        (ListType::Set, scalar) => Some(PathElement::Value(scalar.clone())),
        (ListType::Map(keys), Value::Object(map)) => {
            let mut key = Map::new();
            for name in keys {
                let default = || list.item()?.field(name)?.default.as_deref().cloned();
                if let Some(value) = map.get(&**name).cloned().or_else(default) {
                    key.insert(name.to_string(), value);
                }
            }
            (!key.is_empty()).then_some(PathElement::Key(key))
        }
        (ListType::Map(_), _) => None,
    }
}

fn child<'a>(node: Option<&'a Node>, key: &str) -> Option<&'a Node> {
    node.and_then(|node| node.child(key))
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        _ => true,
    }
}

/// The fields that `value` sets.
pub(super) fn field_set(value: &Value, node: Option<&Node>) -> Set {
    let mut set = Set::default();
    collect(value, node, &mut Vec::new(), &mut set);
    set
}

fn collect(value: &Value, node: Option<&Node>, path: &mut Vec<PathElement>, set: &mut Set) {
    match (shape(node, value), value) {
        (Shape::Leaf, _) => set.insert(path),
        (Shape::Map, Value::Object(map)) => {
            for (key, value) in map {
                path.push(PathElement::Field(key.clone()));
                collect(value, child(node, key), path, set);
                let declared = node.is_some_and(|node| node.field(key).is_some());
                let nothing = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                if nothing || !declared {
                    set.insert(path);
                }
                path.pop();
            }
        }
        (Shape::List, Value::Array(items)) => {
            let Some(list) = node else { return };
            let identities: Vec<_> = items.iter().map(|item| identity(list, item)).collect();
            for (item, identity) in items.iter().zip(&identities) {
                let Some(identity) = identity else { continue };
                let twice = identities.iter().filter(|other| other.as_ref() == Some(identity)).count() > 1;
                path.push(identity.clone());
                if !twice {
                    collect(item, list.item(), path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
        _ => {}
    }
}

/// How two values differ, by field.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) added: Set,
    pub(super) modified: Set,
    pub(super) removed: Set,
}

/// Compares `old` with `new`.
pub(super) fn compare(old: &Value, new: &Value, node: Option<&Node>) -> Comparison {
    let mut comparison = Comparison::default();
    compare_at(Some(old), Some(new), node, &mut Vec::new(), &mut comparison);
    comparison
}

fn compare_at(
    old: Option<&Value>,
    new: Option<&Value>,
    node: Option<&Node>,
    path: &mut Vec<PathElement>,
    out: &mut Comparison,
) {
    let leaf = match (old.map(|value| shape(node, value)), new.map(|value| shape(node, value))) {
        (None, None) => return,
        (Some(shape), None) | (None, Some(shape)) => compare_as(shape, old, new, node, path, out),
        (Some(a), Some(b)) if a == b => compare_as(b, old, new, node, path, out),
        (Some(a), Some(b)) => {
            compare_as(a, old, new, node, path, out);
            compare_as(b, old, new, node, path, out)
        }
    };
    if !leaf {
        match (old, new) {
            (None, _) => out.added.insert(path),
            (_, None) => out.removed.insert(path),
            _ => {}
        }
    }
}

/// Compares as values of one shape; whether they were compared whole.
fn compare_as(
    shape: Shape,
    old: Option<&Value>,
    new: Option<&Value>,
    node: Option<&Node>,
    path: &mut Vec<PathElement>,
    out: &mut Comparison,
) -> bool {
    // Two empty values are compared whole: it keeps empty and absent apart.
    if shape == Shape::Leaf || (is_empty(old) && is_empty(new)) {
        match (old, new) {
            (None, _) => out.added.insert(path),
            (_, None) => out.removed.insert(path),
            (Some(old), Some(new)) if old != new => out.modified.insert(path),
            _ => {}
        }
        return true;
    }
    if shape == Shape::Map {
        let (old, new) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
        let keys = old.into_iter().flat_map(Map::keys);
        let fresh = new.into_iter().flat_map(Map::keys).filter(|key| old.is_none_or(|old| !old.contains_key(*key)));
        for key in keys.chain(fresh) {
            path.push(PathElement::Field(key.clone()));
            compare_at(old.and_then(|map| map.get(key)), new.and_then(|map| map.get(key)), child(node, key), path, out);
            path.pop();
        }
    } else if let Some(list) = node {
        compare_lists(old, new, list, path, out);
    }
    false
}

/// The items of a list by identity, in order of first appearance; an identity may have several.
fn by_identity<'a>(list: &Node, value: Option<&'a Value>) -> Vec<(PathElement, Vec<&'a Value>)> {
    let mut groups: Vec<(PathElement, Vec<&Value>)> = Vec::new();
    for item in value.and_then(Value::as_array).into_iter().flatten() {
        let Some(identity) = identity(list, item) else { continue };
        match groups.iter_mut().find(|(other, _)| *other == identity) {
            Some((_, items)) => items.push(item),
            None => groups.push((identity, vec![item])),
        }
    }
    groups
}

fn compare_lists(
    old: Option<&Value>,
    new: Option<&Value>,
    list: &Node,
    path: &mut Vec<PathElement>,
    out: &mut Comparison,
) {
    let (old, new) = (by_identity(list, old), by_identity(list, new));
    let find = |groups: &[(PathElement, Vec<&Value>)], identity: &PathElement| {
        groups.iter().position(|(other, _)| other == identity)
    };
    let all = old.iter().chain(new.iter().filter(|(identity, _)| find(&old, identity).is_none()));
    for (identity, _) in all {
        let before = find(&old, identity).map_or(&[][..], |at| &old[at].1);
        let after = find(&new, identity).map_or(&[][..], |at| &new[at].1);
        path.push(identity.clone());
        match (before, after) {
            ([] | [_], [] | [_]) => compare_at(before.first().copied(), after.first().copied(), list.item(), path, out),
            ([_, _, ..], [_, _, ..]) => {
                if before != after {
                    out.modified.insert(path);
                }
            }
            // What stands twice is owned as one thing.
            ([_, _, ..], _) => {
                if let Some(item) = after.first() {
                    compare_at(None, Some(item), list.item(), path, out);
                }
                out.removed.insert(path);
            }
            (_, _) => {
                if let Some(item) = before.first() {
                    compare_at(Some(item), None, list.item(), path, out);
                }
                out.added.insert(path);
            }
        }
        path.pop();
    }
}

/// Removes the paths of `doomed` from `value`. What loses its last part becomes null, as in structured-merge-diff, so
/// that the field itself is still seen.
pub(super) fn remove(value: &Value, doomed: &Set, node: Option<&Node>) -> Value {
    match (shape(node, value), value) {
        (Shape::Map, Value::Object(map)) => {
            let mut kept = Map::new();
            for (key, value) in map {
                let element = PathElement::Field(key.clone());
                if doomed.has(&element) {
                    continue;
                }
                let value = match doomed.below(&element) {
                    Some(below) => remove(value, below, child(node, key)),
                    None => value.clone(),
                };
                kept.insert(key.clone(), value);
            }
            if kept.is_empty() { Value::Null } else { Value::Object(kept) }
        }
        (Shape::List, Value::Array(items)) => {
            let Some(list) = node else { return value.clone() };
            let kept: Vec<Value> = items
                .iter()
                .filter_map(|item| match identity(list, item) {
                    None => Some(item.clone()),
                    Some(identity) if doomed.has(&identity) => None,
                    Some(identity) => Some(match doomed.below(&identity) {
                        Some(below) => remove(item, below, list.item()),
                        None => item.clone(),
                    }),
                })
                .collect();
            if kept.is_empty() { Value::Null } else { Value::Array(kept) }
        }
        (Shape::Leaf, Value::Object(_) | Value::Array(_)) => Value::Null,
        _ => value.clone(),
    }
}
