//! Fields that a schema does not name: finding them, and dropping them.

use serde_json::Value;

use super::Schema;
use super::node::Node;

impl Schema {
    /// The fields that the schema does not name, in the words of kube-apiserver's strict decoding errors:
    /// `unknown field "spec.routes[0].foo"`; sorted by path.
    pub fn unknown_fields(&self, object: &Value) -> Vec<String> {
        let mut paths = Vec::new();
        find(object, Some(self.root()), &mut String::new(), &mut paths);
        paths.sort();
        paths.into_iter().map(|path| format!("unknown field {}", super::quote(&path))).collect()
    }

    /// Drops the fields that the schema does not name.
    pub fn prune(&self, object: &mut Value) {
        drop_unknown(object, Some(self.root()));
    }
}

/// A map without a declared value type keeps everything below its keys; so does anything untyped.
fn keeps_all(node: &Node) -> bool {
    node.preserve_unknown && node.fields.is_empty() && node.additional.is_none() && node.items.is_none()
}

fn find(value: &Value, node: Option<&Node>, path: &mut String, found: &mut Vec<String>) {
    if node.is_some_and(keeps_all) {
        return;
    }
    let length = path.len();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                match node.and_then(|node| node.child(key)) {
                    Some(child) => find(value, Some(child), path, found),
                    None if node.is_some_and(|node| node.preserve_unknown) => {}
                    None => found.push(path.clone()),
                }
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                path.push_str(&format!("[{i}]"));
                find(item, node.and_then(Node::item), path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// Drops what `node` does not name, everywhere below `value`.
pub(super) fn drop_unknown(value: &mut Value, node: Option<&Node>) {
    if node.is_some_and(keeps_all) {
        return;
    }
    match value {
        Value::Object(map) => map.retain(|key, value| match node.and_then(|node| node.child(key)) {
            Some(child) => {
                drop_unknown(value, Some(child));
                true
            }
            None => node.is_some_and(|node| node.preserve_unknown),
        }),
        Value::Array(items) => {
            for item in items {
                drop_unknown(item, node.and_then(Node::item));
            }
        }
        _ => {}
    }
}
