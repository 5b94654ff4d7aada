//! Which known fields of an object nothing implements yet.

use serde_json::Value;

use crate::ResourceKind;

/// The fields of an object that exist in Gloo's API and are not implemented, each by its path from the object's root
/// (`spec.routes[0].options.timeout`), once per option.
pub fn unimplemented(_kind: ResourceKind, _object: &Value) -> Vec<String> {
    Vec::new()
}
