//! The difference between two objects as a merge patch, so that a write says no more than what changed.

use serde::Serialize;
use serde_json::{Map, Value};

/// The merge patch (RFC 7386) that makes `before` into `after`; `None` when they are the same.
pub(crate) fn merge_patch(before: &impl Serialize, after: &impl Serialize) -> Option<Value> {
    // Kubernetes' types have string keys only, so they always serialise.
    let before = serde_json::to_value(before).ok()?;
    let after = serde_json::to_value(after).ok()?;
    difference(&before, &after)
}

fn difference(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return Some(after.clone()) };
    let mut patch = Map::new();
    for (key, value) in after {
        let changed = match before.get(key) {
            Some(old) => difference(old, value),
            None => Some(value.clone()),
        };
        if let Some(changed) = changed {
            patch.insert(key.clone(), changed);
        }
    }
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_changed_is_said() {
        let before = json!({"a": 1, "b": {"c": 1, "d": 2}, "e": [1], "f": 0});
        let after = json!({"a": 1, "b": {"c": 1, "d": 3}, "e": [2], "g": {"h": 1}});
        let patch = merge_patch(&before, &after).unwrap();
        assert_eq!(patch, json!({"b": {"d": 3}, "e": [2], "f": null, "g": {"h": 1}}));
        assert_eq!(crate::patch::merge_patch(&before, &patch), after);
        assert_eq!(merge_patch(&after, &after), None);
    }
}
