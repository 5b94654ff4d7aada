//! Merging lists item by item, and putting the result in order: the items that the patch names stand as the patch has
//! them, those that only the server knows keep their place among each other, and where both orders say nothing of two
//! items, the patch's come first.

use serde_json::{Map, Value};

use super::directives::{self, Directive};
use super::{Place, malformed, merge_map};
use crate::patch::PatchError;

/// Merges `patch` into `original`, a list whose items are merged.
pub(super) fn merge(original: Vec<Value>, patch: Vec<Value>, place: Place<'_>) -> Result<Vec<Value>, PatchError> {
    let (merged, patch, original) = merge_items(original, patch, place)?;
    order(merged, &patch, &original, place.merge_key())
}

/// The merged items, the patch's items that count for the order, and the original's.
type Merged = (Vec<Value>, Vec<Value>, Vec<Value>);

fn merge_items(original: Vec<Value>, patch: Vec<Value>, place: Place<'_>) -> Result<Merged, PatchError> {
    let Some(first) = original.first().or_else(|| patch.first()) else { return Ok(Merged::default()) };
    let kind = std::mem::discriminant(first);
    if original.iter().chain(&patch).any(|item| std::mem::discriminant(item) != kind) {
        return Err(malformed("the items of a list that is merged must all be of one type"));
    }
    if first.is_array() {
        return Err(malformed("lists of lists are not supported"));
    }
    if !first.is_object() {
        let mut merged: Vec<Value> = Vec::with_capacity(original.len() + patch.len());
        for item in original.iter().chain(&patch) {
            if !merged.contains(item) {
                merged.push(item.clone());
            }
        }
        return Ok((merged, patch, original));
    }
    let key = place.merge_key().ok_or_else(|| malformed("cannot merge lists without merge key"))?;
    let (original, patch) = apply_item_directives(original, patch, key)?;
    let mut merged = original.clone();
    for item in &patch {
        let Value::Object(item) = item else { continue };
        let id = key_of(item, key)?;
        match merged.iter().position(|other| other.get(key) == Some(id)) {
            Some(at) => {
                let Value::Object(current) = std::mem::take(&mut merged[at]) else { continue };
                merged[at] = Value::Object(merge_map(current, item.clone(), place.item())?);
            }
            None => merged.push(Value::Object(item.clone())),
        }
    }
    Ok((merged, patch, original))
}

fn key_of<'a>(item: &'a Map<String, Value>, key: &str) -> Result<&'a Value, PatchError> {
    item.get(key).ok_or_else(|| {
        malformed(format!("map: {} does not contain declared merge key: {key}", Value::Object(item.clone())))
    })
}

/// Carries out `$patch: delete` and `$patch: replace` items, and leaves the others.
fn apply_item_directives(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    let mut plain = Vec::with_capacity(patch.len());
    let mut replace = false;
    for item in patch {
        let Value::Object(map) = &item else { continue };
        match map.get(directives::PATCH).map(Value::as_str) {
            None => plain.push(item),
            Some(Some("delete")) => {
                let id = key_of(map, key)?.clone();
                original.retain(|other| other.get(key) != Some(&id));
            }
            Some(Some("replace")) => replace = true,
            Some(Some("merge")) => return Err(malformed("merging lists cannot yet be specified in the patch")),
            Some(_) => return Err(malformed(format!("unknown patch type in map: {item}"))),
        }
    }
    Ok(if replace { (plain, Vec::new()) } else { (original, plain) })
}

/// `$deleteFromPrimitiveList`.
pub(super) fn delete_primitives(current: &mut Value, doomed: &Value) -> Result<(), PatchError> {
    let Some(doomed) = doomed.as_array() else {
        return Err(malformed("invalid patch format of primitive list"));
    };
    if let Value::Array(items) = current {
        items.retain(|item| !doomed.contains(item));
    }
    Ok(())
}

/// `$setElementOrder/…`: merges the list of that name and orders it as the directive says.
pub(super) fn set_element_order(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    node: Option<&crate::schema::node::Node>,
) -> Result<(), PatchError> {
    let bad = || malformed("invalid patch format of setElementOrder list");
    let keys: Vec<String> = patch.keys().filter(|key| is_order(key)).cloned().collect();
    for directive in keys {
        let Directive::SetElementOrder(field) = Directive::parse(&directive)? else { continue };
        let Some(Value::Array(wanted)) = patch.remove(&directive) else { return Err(bad()) };
        let place = Place::of(node, field);
        let current = match original.get(field) {
            Some(Value::Array(items)) => Some(items.clone()),
            Some(_) => return Err(bad()),
            None => None,
        };
        let change = match patch.get(field) {
            Some(Value::Array(items)) => Some(items.clone()),
            // The list is removed, or becomes something else: there is nothing to order.
            Some(Value::Null) => continue,
            Some(_) => return Err(bad()),
            None => None,
        };
        check_order(change.as_deref().unwrap_or_default(), &wanted, place.merge_key())?;
        if current.is_none() && change.is_none() {
            continue;
        }
        let server_order = order_after(current.as_deref(), change.as_deref(), place.merge_key())?;
        let merged = match (current, change) {
            (current, None) => current.unwrap_or_default(),
            (None, Some(change)) => change.into_iter().filter_map(directives::without).collect(),
            (Some(current), Some(change)) if place.merges() => merge(current, change, place)?,
            (Some(_), Some(change)) => change,
        };
        let ordered = order(merged, &wanted, &server_order, place.merge_key())?;
        original.insert(field.to_owned(), Value::Array(ordered));
        patch.remove(field);
    }
    Ok(())
}

/// The order that the server's own items are held against. apimachinery deletes and appends in the very list that it
/// afterwards reads the order from: what is deleted makes room at the end, which new items take.
fn order_after(
    current: Option<&[Value]>,
    change: Option<&[Value]>,
    key: Option<&str>,
) -> Result<Vec<Value>, PatchError> {
    let (current, change) = (current.unwrap_or_default(), change.unwrap_or_default());
    if current.is_empty() && change.is_empty() {
        return Err(malformed("no elements in any of the given slices"));
    }
    let mut order = current.to_vec();
    let Some(key) = key else { return Ok(order) };
    let directive = |item: &Value| item.get(directives::PATCH).and_then(Value::as_str).map(str::to_owned);
    if change.iter().any(|item| directive(item).as_deref() == Some("replace")) {
        return Ok(order);
    }
    let mut length = order.len();
    for item in change.iter().filter(|item| directive(item).as_deref() == Some("delete")) {
        while let Some(at) = order[..length].iter().position(|other| same(item, other, Some(key))) {
            for i in at..length - 1 {
                order[i] = order[i + 1].clone();
            }
            length -= 1;
        }
    }
    for item in change.iter().filter(|item| directive(item).is_none()) {
        if position(&order[..length], item, Some(key)).is_none() {
            let Some(place) = order.get_mut(length) else { break };
            *place = item.clone();
            length += 1;
        }
    }
    Ok(order)
}

fn is_order(key: &str) -> bool {
    matches!(Directive::parse(key), Ok(Directive::SetElementOrder(_)))
}

/// The patch's items must come in the order that the directive gives.
fn check_order(change: &[Value], wanted: &[Value], key: Option<&str>) -> Result<(), PatchError> {
    if change.is_empty() || wanted.is_empty() {
        return Ok(());
    }
    let mut wanted = wanted.iter();
    for item in change.iter().filter(|item| item.get(directives::PATCH).is_none()) {
        if !wanted.any(|other| same(item, other, key)) {
            return Err(malformed("The order in patch list doesn't match $setElementOrder list"));
        }
    }
    Ok(())
}

fn same(a: &Value, b: &Value, key: Option<&str>) -> bool {
    match key {
        Some(key) => a.get(key).is_some() && a.get(key) == b.get(key),
        None => a == b,
    }
}

fn position(list: &[Value], item: &Value, key: Option<&str>) -> Option<usize> {
    list.iter().position(|other| same(item, other, key))
}

/// Orders `items` by the patch's order and the server's.
fn order(
    items: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    key: Option<&str>,
) -> Result<Vec<Value>, PatchError> {
    if let Some(key) = key {
        for item in &items {
            if let Value::Object(item) = item {
                key_of(item, key)?;
            }
        }
    }
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        items.into_iter().partition(|item| position(patch_order, item, key).is_some());
    named.sort_by_key(|item| position(patch_order, item, key));
    others.sort_by_key(|item| position(server_order, item, key));
    let mut ordered = Vec::with_capacity(named.len() + others.len());
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    loop {
        let other_first = match (others.peek(), named.peek()) {
            (None, None) => return Ok(ordered),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(other), Some(name)) => {
                match (position(server_order, other, key), position(server_order, name, key)) {
                    (Some(other), Some(name)) => other < name,
                    _ => false,
                }
            }
        };
        ordered.extend(if other_first { others.next() } else { named.next() });
    }
}
