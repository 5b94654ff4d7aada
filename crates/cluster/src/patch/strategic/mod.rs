//! Kubernetes' strategic merge patch: a merge patch that knows, from the kind's schema, which lists are merged item by
//! item and by which key, and that may carry directives (`$patch`, `$retainKeys`, `$setElementOrder/…`,
//! `$deleteFromPrimitiveList/…`).
//!
//! The results, also in odd cases, are those of `k8s.io/apimachinery/pkg/util/strategicpatch`.

mod directives;
mod list;

use serde_json::{Map, Value};

use self::directives::Directive;
use super::PatchError;
use crate::schema::Schema;
use crate::schema::node::{Field, Node, PatchMarker};

/// Applies a strategic merge patch.
///
/// # Errors
/// [`PatchError::Malformed`] when the patch's directives make no sense or a list item lacks its merge key.
pub fn strategic_merge_patch(document: &Value, patch: &Value, schema: &Schema) -> Result<Value, PatchError> {
    let Value::Object(patch) = patch else {
        return Err(malformed("a strategic merge patch must be an object"));
    };
    let original = document.as_object().cloned().unwrap_or_default();
    merge_map(original, patch.clone(), Some(schema.root())).map(Value::Object)
}

fn malformed(text: impl Into<String>) -> PatchError {
    PatchError::Malformed(text.into())
}

/// What the schema says of the value under `key`: how to merge it, and what it holds.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    patch: Option<&'a PatchMarker>,
    node: Option<&'a Node>,
}

impl<'a> Place<'a> {
    fn of(parent: Option<&'a Node>, key: &str) -> Self {
        let field: Option<&Field> = parent.and_then(|node| node.field(key));
        Self { patch: field.and_then(|field| field.patch.as_deref()), node: parent.and_then(|node| node.child(key)) }
    }

    fn merges(self) -> bool {
        self.patch.is_some_and(|patch| patch.merge)
    }

    fn merge_key(self) -> Option<&'a str> {
        self.patch.and_then(|patch| patch.merge_key.as_deref())
    }

    fn item(self) -> Option<&'a Node> {
        self.node.and_then(Node::item)
    }
}

fn merge_map(
    mut original: Map<String, Value>,
    mut patch: Map<String, Value>,
    node: Option<&Node>,
) -> Result<Map<String, Value>, PatchError> {
    if let Some(directive) = patch.remove(directives::PATCH) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Map::new()),
            _ => Err(malformed(format!("unknown patch type: {directive} in map"))),
        };
    }
    directives::retain_keys(&mut original, &mut patch)?;
    list::set_element_order(&mut original, &mut patch, node)?;
    for (key, value) in patch {
        match Directive::parse(&key)? {
            Directive::DeleteFromPrimitiveList(field) => {
                if let Some(current) = original.get_mut(field) {
                    list::delete_primitives(current, &value)?;
                }
            }
            // Handled above; one whose list is absent has nothing to order.
            Directive::SetElementOrder(_) => {}
            Directive::None => merge_field(&mut original, &key, value, node)?,
        }
    }
    Ok(original)
}

fn merge_field(
    original: &mut Map<String, Value>,
    key: &str,
    mut value: Value,
    node: Option<&Node>,
) -> Result<(), PatchError> {
    if value.is_null() {
        original.remove(key);
        return Ok(());
    }
    let place = Place::of(node, key);
    let merged = match (original.remove(key), value) {
        (Some(Value::Object(current)), Value::Object(patch)) => {
            Some(Value::Object(merge_map(current, patch, place.node)?))
        }
        (Some(Value::Array(current)), Value::Array(patch)) => {
            Some(Value::Array(if place.merges() { list::merge(current, patch, place)? } else { patch }))
        }
        (Some(current), patch) if std::mem::discriminant(&current) == std::mem::discriminant(&patch) => Some(patch),
        (_, patch) => {
            value = patch;
            directives::drop_nulls(&mut value);
            directives::without(value)
        }
    };
    if let Some(merged) = merged {
        original.insert(key.to_owned(), merged);
    }
    Ok(())
}
