//! Lists that are sets or maps must not name an entry twice.

use serde_json::Value;

use super::FieldError;
use super::node::{ListType, Node};

/// Appends a `Duplicate value` for each entry that repeats an earlier one.
pub(super) fn check(value: &Value, node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if path.is_empty() && key == "metadata" {
                    continue;
                }
                let Some(child) = node.child(key) else { continue };
                let place = match (path.is_empty(), node.field(key).is_some()) {
                    (true, _) => key.clone(),
                    (false, true) => format!("{path}.{key}"),
                    (false, false) => format!("{path}[{key}]"),
                };
                check(value, child, &place, errors);
            }
        }
        Value::Array(items) => {
            match &node.list {
                ListType::Atomic => {}
                ListType::Set => repeated(items, Clone::clone, path, errors),
                ListType::Map(keys) => {
                    let stranger = items.iter().position(|item| !item.is_object() && !item.is_null());
                    if let Some(i) = stranger {
                        let detail = "must be an object for an array of list-type map";
                        errors.push(FieldError::invalid(format!("{path}[{i}]"), &items[i], detail));
                    } else {
                        let key_of = |item: &Value| {
                            let pairs =
                                keys.iter().filter_map(|key| Some((key.to_string(), item.get(&**key)?.clone())));
                            Value::Object(pairs.collect())
                        };
                        repeated(items, key_of, path, errors);
                    }
                }
            }
            if let Some(node) = node.item() {
                for (i, item) in items.iter().enumerate() {
                    check(item, node, &format!("{path}[{i}]"), errors);
                }
            }
        }
        _ => {}
    }
}

/// Reports the second occurrence of each identity, and no later ones, as kube-apiserver does.
fn repeated(items: &[Value], identity: impl Fn(&Value) -> Value, path: &str, errors: &mut Vec<FieldError>) {
    let mut seen: std::collections::HashMap<Value, usize> = std::collections::HashMap::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let identity = identity(item);
        let times = seen.entry(identity.clone()).or_insert(0);
        *times += 1;
        if *times == 2 {
            errors.push(FieldError::duplicate(format!("{path}[{i}]"), &identity));
        }
    }
}
