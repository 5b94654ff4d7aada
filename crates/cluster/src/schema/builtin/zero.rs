//! What Go's zero value of a kind looks like as JSON: structs that are not behind a pointer, and fields that are always
//! written, are there even when nothing was set. Ownership on creation is measured against it.

use serde_json::{Map, Value, json};

use crate::schema::node::{Node, Type};
use crate::schema::{Origin, Schema};

impl Schema {
    /// The object that a create is compared with to find who owns what: empty for custom kinds.
    pub fn zero_value(&self) -> Value {
        match self.origin() {
            Origin::Custom => json!({}),
            Origin::BuiltIn => zero(self.root(), true),
        }
    }
}

fn zero(node: &Node, top: bool) -> Value {
    let mut map = Map::new();
    for field in &node.fields {
        let child = field.schema.node();
        let always = node.required.contains(&field.name);
        let value = match child.ty {
            Type::Object if is_embedded(node.short_name(), &field.name, top) => zero(child, false),
            Type::String if always => json!(""),
            Type::Integer | Type::Number if always => json!(0),
            Type::Boolean if always => json!(false),
            _ if always => Value::Null,
            _ => continue,
        };
        map.insert(field.name.to_string(), value);
    }
    Value::Object(map)
}

/// Whether the field holds its struct itself, and not a pointer to it.
fn is_embedded(owner: &str, field: &str, top: bool) -> bool {
    match field {
        "metadata" => true,
        "spec" | "status" => top || matches!(owner, "PodTemplateSpec" | "JobTemplateSpec"),
        "template" => owner != "ReplicationControllerSpec",
        "strategy" | "updateStrategy" | "jobTemplate" | "loadBalancer" | "resources" | "roleRef" | "names"
        | "acceptedNames" | "involvedObject" | "source" | "target" | "scaleTargetRef" => !matches!(owner, "PodSpec"),
        _ => false,
    }
}
