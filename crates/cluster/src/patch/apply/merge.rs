//! Merging an applied configuration into the live object.

use serde_json::{Map, Value};

use super::path::PathElement;
use super::typed::{Shape, identity, shape};
use crate::schema::node::Node;

/// `config` laid over `live`: what the configuration does not mention stays as it is.
pub(super) fn merge(live: &Value, config: &Value, node: Option<&Node>) -> Value {
    merge_at(Some(live), Some(config), node).unwrap_or_else(|| Value::Object(Map::new()))
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        _ => true,
    }
}

fn merge_at(live: Option<&Value>, config: Option<&Value>, node: Option<&Node>) -> Option<Value> {
    let over = config.or(live)?;
    let shape = shape(node, over);
    if shape == Shape::Leaf || (is_empty(live) && is_empty(config)) {
        return Some(over.clone());
    }
    if shape == Shape::Map {
        let (live, config) = (live.and_then(Value::as_object), config.and_then(Value::as_object));
        let mut merged = Map::new();
        let fresh =
            config.into_iter().flat_map(Map::keys).filter(|key| live.is_none_or(|live| !live.contains_key(*key)));
        for key in live.into_iter().flat_map(Map::keys).chain(fresh) {
            let child = node.and_then(|node| node.child(key));
            let value = merge_at(live.and_then(|map| map.get(key)), config.and_then(|map| map.get(key)), child);
            if let Some(value) = value {
                merged.insert(key.clone(), value);
            }
        }
        return (!merged.is_empty()).then_some(Value::Object(merged));
    }
    let list = node?;
    let merged = merge_lists(items(live), items(config), list);
    (!merged.is_empty()).then_some(Value::Array(merged))
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Merges two lists with identities: shared items come in the configuration's order, the live list's own items keep
/// their place before what follows them.
fn merge_lists(live: &[Value], config: &[Value], list: &Node) -> Vec<Value> {
    let identified = |items: &[Value]| -> Vec<(PathElement, Value)> {
        items.iter().filter_map(|item| Some((identity(list, item)?, item.clone()))).collect()
    };
    let (live, config) = (identified(live), identified(config));
    let in_live = |id: &PathElement| live.iter().any(|(other, _)| other == id);
    let in_config = |id: &PathElement| config.iter().any(|(other, _)| other == id);
    // An item that stands twice in the live list is not merged with: there is no telling which is meant.
    let live_one = |id: &PathElement| {
        let mut same = live.iter().filter(|(other, _)| other == id).map(|(_, item)| item);
        let first = same.next();
        if same.next().is_some() { Some(&Value::Null) } else { first }
    };
    let config_one = |id: &PathElement| config.iter().find(|(other, _)| other == id).map(|(_, item)| item);
    let mut shared = config.iter().map(|(id, _)| id).filter(|id| in_live(id));
    let mut next_shared = shared.next();
    let mut done: Vec<&PathElement> = Vec::new();
    let mut merged = Vec::with_capacity(live.len().max(config.len()));
    let (mut l, mut c) = (0, 0);
    while l < live.len() || c < config.len() {
        if let (Some((left, _)), Some((right, _))) = (live.get(l), config.get(c)) {
            if left == right {
                done.push(right);
                merged.extend(merge_at(live_one(left), config_one(left), list.item()));
                (l, c) = (l + 1, c + 1);
                next_shared = shared.next();
                continue;
            }
            if in_config(left) && next_shared.is_some_and(|next| next != left) {
                l += 1;
                continue;
            }
        }
        if let Some((left, item)) = live.get(l) {
            if !in_config(left) {
                merged.extend(merge_at(Some(item), None, list.item()));
                l += 1;
                continue;
            }
            if done.contains(&left) {
                l += 1;
            }
        }
        if let Some((right, _)) = config.get(c) {
            done.push(right);
            merged.extend(merge_at(live_one(right), config_one(right), list.item()));
            c += 1;
            if next_shared == Some(right) {
                next_shared = shared.next();
            }
        } else if live.get(l).is_some_and(|(left, _)| in_config(left) && !done.contains(&left)) {
            // Cannot happen while every shared item is taken once; keeps the loop finite whatever the lists hold.
            l += 1;
        }
    }
    merged
}
