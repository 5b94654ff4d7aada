//! The named types of a document: the kinds, their lists, and every type that these refer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Kind;
use super::render::Dialect;
use crate::schema::Origin;
use crate::schema::builtin;
use crate::schema::node::{Child, Named, Node};

/// The types that every document has, since its operations speak of them.
const SHARED: [&str; 4] = ["DeleteOptions", "ListMeta", "ObjectMeta", "Status"];

pub(super) const STATUS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
pub(super) const DELETE_OPTIONS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
pub(super) const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

/// The name of a kind's type: the built-in one's own, else the group's parts in reverse order, the version and the kind.
pub(super) fn type_name(kind: &Kind) -> String {
    if let (Origin::BuiltIn, Child::Named(named)) = (kind.schema.origin(), kind.schema.root_child()) {
        return named.name.to_string();
    }
    let mut parts: Vec<&str> = kind.group.split('.').rev().collect();
    parts.extend([kind.version.as_str(), kind.kind.as_str()]);
    parts.join(".")
}

/// Calls `write` with each type's name and schema, sorted by name.
pub(super) fn each(kinds: &[Kind], dialect: Dialect, mut write: impl FnMut(&str, &Value)) {
    let mut named: BTreeMap<String, Arc<Named>> = BTreeMap::new();
    let scale = kinds.iter().any(|kind| kind.scale).then_some("Scale");
    for part in SHARED.into_iter().chain(scale).filter_map(builtin::named_type) {
        collect(&Child::Named(part), &mut named);
    }
    // Kinds and lists first: a kind's type carries what the registry of types does not know.
    let mut own: BTreeMap<String, Value> = BTreeMap::new();
    own.insert(
        PATCH.to_owned(),
        json!({
            "description": "Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.",
            "type": "object",
        }),
    );
    for kind in kinds {
        let name = type_name(kind);
        collect(kind.schema.root_child(), &mut named);
        named.remove(&name);
        let mut schema = dialect.node(kind.schema.root());
        let mark = json!([{"group": kind.group, "kind": kind.kind, "version": kind.version}]);
        schema["x-kubernetes-group-version-kind"] = mark;
        if kind.verbs.contains(&"list") {
            own.insert(format!("{name}List"), list(kind, &name, dialect));
        }
        own.insert(name, schema);
    }
    let mut names: Vec<&String> = named.keys().chain(own.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        match (own.get(name), named.get(name)) {
            (Some(schema), _) => write(name, schema),
            (None, Some(named)) => write(name, &dialect.node(Child::Named(named.clone()).node())),
            (None, None) => {}
        }
    }
}

fn list(kind: &Kind, name: &str, dialect: Dialect) -> Value {
    let text = |text: String| json!({"type": "string", "description": text});
    let mut metadata = dialect.reference(LIST_META);
    if dialect == Dialect::V3 {
        metadata = json!({"allOf": [metadata]});
    }
    metadata["description"] = json!("What the server says of the list: its resource version, and where it continues.");
    json!({
        "description": format!("A list of objects of kind {}.", kind.kind),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": text(format!("Always {}.", kind.api_version())),
            "kind": text(format!("Always {}List.", kind.kind)),
            "metadata": metadata,
            "items": {"type": "array", "description": "The objects.", "items": dialect.reference(name)},
        },
        "x-kubernetes-group-version-kind": [
            {"group": kind.group, "kind": format!("{}List", kind.kind), "version": kind.version},
        ],
    })
}

fn collect(child: &Child, found: &mut BTreeMap<String, Arc<Named>>) {
    if let Child::Named(named) = child {
        if found.contains_key(&*named.name) {
            return;
        }
        found.insert(named.name.to_string(), named.clone());
    }
    within(child.node(), found);
}

fn within(node: &Node, found: &mut BTreeMap<String, Arc<Named>>) {
    for field in &node.fields {
        collect(&field.schema, found);
    }
    for child in node.additional.iter().chain(&node.items) {
        collect(child, found);
    }
}
