//! Client-side apply's merge: what was applied last, what is to be applied, and what is there.
//!
//! Fields that were applied before and are not any more go; fields that others set stay. Lists of the built-in kinds
//! that Kubernetes keys by a field (containers by name, ports by number) are merged element by element; all others are
//! one value, as in kubectl.

use serde_json::{Map, Value};

/// What the object should become.
pub(super) fn three_way(last: &Value, modified: &Value, live: &Value, keyed_lists: bool) -> Value {
    merge(last, modified, live, keyed_lists, "")
}

fn merge(last: &Value, modified: &Value, live: &Value, keyed: bool, field: &str) -> Value {
    match (modified, live) {
        (Value::Object(modified), Value::Object(live)) => {
            Value::Object(merge_maps(last.as_object(), modified, live, keyed))
        }
        (Value::Array(modified), Value::Array(live)) if keyed => match list_key(field, modified) {
            Some(key) => Value::Array(merge_lists(last.as_array(), modified, live, key)),
            None => Value::Array(modified.clone()),
        },
        _ => modified.clone(),
    }
}

fn merge_maps(
    last: Option<&Map<String, Value>>,
    modified: &Map<String, Value>,
    live: &Map<String, Value>,
    keyed: bool,
) -> Map<String, Value> {
    let mut merged = live.clone();
    for name in last.into_iter().flat_map(Map::keys) {
        if !modified.contains_key(name) {
            merged.remove(name);
        }
    }
    for (name, value) in modified {
        if value.is_null() {
            merged.remove(name);
            continue;
        }
        let before = last.and_then(|last| last.get(name)).unwrap_or(&Value::Null);
        let value = match live.get(name) {
            Some(live) => merge(before, value, live, keyed, name),
            None => value.clone(),
        };
        merged.insert(name.clone(), value);
    }
    merged
}

fn merge_lists(last: Option<&Vec<Value>>, modified: &[Value], live: &[Value], key: &str) -> Vec<Value> {
    let find = |list: &[Value], element: &Value| list.iter().find(|it| it[key] == element[key]).cloned();
    let last = last.map(Vec::as_slice).unwrap_or_default();
    let mut merged: Vec<Value> = modified
        .iter()
        .map(|element| match find(live, element) {
            Some(live) => merge(&find(last, element).unwrap_or(Value::Null), element, &live, true, ""),
            None => element.clone(),
        })
        .collect();
    // What others added stays, at the end.
    let kept = live.iter().filter(|it| find(modified, it).is_none() && find(last, it).is_none());
    merged.extend(kept.cloned());
    merged
}

/// The field that tells the elements of a built-in list apart (Kubernetes' `patchMergeKey`).
fn list_key(field: &str, elements: &[Value]) -> Option<&'static str> {
    let candidates: &[&str] = match field {
        "containers" | "initContainers" | "ephemeralContainers" | "env" | "volumes" | "imagePullSecrets" => &["name"],
        "ports" => &["containerPort", "port"],
        "volumeMounts" => &["mountPath"],
        "hostAliases" => &["ip"],
        "secrets" => &["name"],
        _ => &[],
    };
    candidates.iter().copied().find(|key| elements.iter().all(|element| element.get(key).is_some()))
}

/// The merge patch (RFC 7396) that turns `from` into `to`; `None` when they are the same.
pub(super) fn difference(from: &Value, to: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (from, to) else {
        return (from != to).then(|| to.clone());
    };
    let mut patch = Map::new();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in after {
        match before.get(name) {
            Some(old) => {
                if let Some(change) = difference(old, value) {
                    patch.insert(name.clone(), change);
                }
            }
            None => {
                patch.insert(name.clone(), value.clone());
            }
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_of_others_stay_and_own_ones_go() {
        let last = json!({"spec": {"a": 1, "b": 2}});
        let modified = json!({"spec": {"a": 3}});
        let live = json!({"spec": {"a": 1, "b": 2, "c": 4}, "status": {"d": 5}});
        let merged = three_way(&last, &modified, &live, false);
        assert_eq!(merged, json!({"spec": {"a": 3, "c": 4}, "status": {"d": 5}}));
        assert_eq!(difference(&live, &merged), Some(json!({"spec": {"a": 3, "b": null}})));
        assert_eq!(difference(&live, &live), None);
    }

    #[test]
    fn containers_are_merged_by_name() {
        let last = json!({"containers": [{"name": "a", "image": "x:1", "tty": true}, {"name": "gone"}]});
        let modified = json!({"containers": [{"name": "a", "image": "x:2", "ports": [{"containerPort": 80}]}]});
        let live = json!({"containers": [
            {"name": "a", "image": "x:1", "tty": true, "ports": [{"containerPort": 80, "protocol": "TCP"}]},
            {"name": "gone"},
            {"name": "injected"},
        ]});
        let expected = json!({"containers": [
            {"name": "a", "image": "x:2", "ports": [{"containerPort": 80, "protocol": "TCP"}]},
            {"name": "injected"},
        ]});
        assert_eq!(three_way(&last, &modified, &live, true), expected);
    }

    #[test]
    fn lists_of_custom_kinds_are_one_value() {
        let live = json!({"routes": [{"name": "a", "extra": 1}]});
        let modified = json!({"routes": [{"name": "a"}]});
        assert_eq!(three_way(&Value::Null, &modified, &live, false), modified);
    }
}
