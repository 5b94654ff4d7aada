//! Filling in the values that a schema, or Kubernetes itself for its own kinds, says are meant when nothing is said.

use serde_json::{Map, Value};

use super::node::{Field, Node, Type};
use super::{Origin, Schema, builtin};

impl Schema {
    /// Fills in defaults. For a custom kind, nulls where null is not allowed count as absent, as in kube-apiserver; for
    /// a built-in kind every null does, and the defaults are those of Kubernetes' own code.
    pub fn apply_defaults(&self, object: &mut Value) {
        match self.origin {
            Origin::Custom => {
                drop_nulls(object, self.root());
                fill(object, self.root());
            }
            Origin::BuiltIn => {
                drop_typed_nulls(object, self.root());
                builtin::defaults::apply(&self.kind, object);
            }
        }
    }
}

fn is_nullable(field: &Field) -> bool {
    field.schema.node().nullable
}

fn drop_nulls(value: &mut Value, node: &Node) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| match (node.field(key), node.additional.as_ref()) {
                (Some(field), _) => !value.is_null() || is_nullable(field) || field.default.is_some(),
                (None, Some(additional)) => !value.is_null() || additional.node().nullable,
                (None, None) => true,
            });
            for (key, value) in map {
                if let Some(child) = node.child(key) {
                    drop_nulls(value, child);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = node.item() {
                items.iter_mut().for_each(|item| drop_nulls(item, node));
            }
        }
        _ => {}
    }
}

/// Go's decoder makes null the zero value: left out when the object is written, and in a list of objects an empty one.
fn drop_typed_nulls(value: &mut Value, node: &Node) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| !(value.is_null() && node.field(key).is_some()));
            for (key, value) in map {
                if let Some(child) = node.child(key) {
                    drop_typed_nulls(value, child);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = node.item() {
                for item in items {
                    if item.is_null() && node.ty == Type::Object {
                        *item = Value::Object(Map::new());
                    }
                    drop_typed_nulls(item, node);
                }
            }
        }
        _ => {}
    }
}

fn fill(value: &mut Value, node: &Node) {
    match value {
        Value::Object(map) => {
            for field in &node.fields {
                let Some(default) = &field.default else { continue };
                if map.get(&*field.name).is_none_or(|value| value.is_null() && !is_nullable(field)) {
                    map.insert(field.name.to_string(), (**default).clone());
                }
            }
            for (key, value) in map {
                if let Some(child) = node.child(key) {
                    fill(value, child);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = node.item() {
                items.iter_mut().for_each(|item| fill(item, node));
            }
        }
        _ => {}
    }
}
