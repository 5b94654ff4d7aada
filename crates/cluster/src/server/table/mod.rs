//! The forms of answers: objects as they are, their metadata only, or tables for people (`metav1.Table`).

mod age;
mod cluster_kinds;
mod columns;
mod custom;
mod jsonpath;
mod network;
mod pods;
mod workloads;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

pub use jsonpath::JsonPath;

use super::negotiate::Form;
use super::verbs::{Call, ListMeta};
use crate::registry;
use crate::store::Object;

/// One object in the form that is wanted.
pub(super) fn present(call: &Call, object: &Object, form: Form) -> Bytes {
    match form {
        Form::Object => registry::json(&call.resource, object),
        Form::Metadata => metadata(object).to_string().into(),
        Form::Table => {
            let meta = json!({"resourceVersion": object.revision.to_string()});
            build(call, &meta, &[object], true).to_string().into()
        }
    }
}

fn metadata(object: &Object) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.metadata()["metadata"]})
}

/// A list of metadata.
pub(super) fn metadata_list(meta: &ListMeta, objects: &[Arc<Object>]) -> String {
    let items: Vec<_> = objects.iter().map(|object| metadata(object)).collect();
    json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta.value(), "items": items})
        .to_string()
}

/// A list as a table.
pub(super) fn table(call: &Call, meta: &ListMeta, objects: &[Arc<Object>]) -> String {
    let objects: Vec<&Object> = objects.iter().map(|object| &**object).collect();
    build(call, &meta.value(), &objects, true).to_string()
}

/// A table of one row, for an event of a watch; only the first says what its columns are.
pub(super) fn watch_row(call: &Call, object: &Object, with_columns: bool) -> Bytes {
    let meta = json!({"resourceVersion": object.revision.to_string()});
    build(call, &meta, &[object], with_columns).to_string().into()
}

/// The empty table that bookmarks of a watch of tables carry.
pub(super) fn bookmark(metadata: &Value) -> Value {
    let row = json!({"cells": [], "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}});
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": [], "rows": [row]})
}

fn build(call: &Call, meta: &Value, objects: &[&Object], with_columns: bool) -> Value {
    let resource = &*call.resource;
    let layout = columns::layout(resource);
    let include = call.query.get("includeObject").unwrap_or("Metadata");
    let now = jiff::Timestamp::now();
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let value = registry::convert(resource, object.value());
            let mut row = json!({"cells": layout.cells(&value, now)});
            match include {
                "None" => {}
                "Object" => row["object"] = value,
                _ => row["object"] = metadata(object),
            }
            row
        })
        .collect();
    let columns = if with_columns { layout.definitions() } else { Value::Array(Vec::new()) };
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": columns, "rows": rows})
}
