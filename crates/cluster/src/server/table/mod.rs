//! The forms of answers: objects as they are, their metadata only, or tables for people.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::negotiate::Form;
use super::verbs::{Call, ListMeta};
use crate::registry;
use crate::store::Object;

/// One object in the form that is wanted.
pub(super) fn present(call: &Call, object: &Object, form: Form) -> Bytes {
    match form {
        Form::Object | Form::Table => registry::json(&call.resource, object),
        Form::Metadata => metadata(object).to_string().into(),
    }
}

fn metadata(object: &Object) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.value()["metadata"]})
}

/// A list of metadata.
pub(super) fn metadata_list(meta: &ListMeta, objects: &[Arc<Object>]) -> String {
    let items: Vec<_> = objects.iter().map(|object| metadata(object)).collect();
    json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta.value(), "items": items})
        .to_string()
}

/// A list as a table.
pub(super) fn table(call: &Call, meta: &ListMeta, objects: &[Arc<Object>]) -> String {
    let items: Vec<_> = objects.iter().map(|o| registry::convert(&call.resource, o.value())).collect();
    json!({"kind": &*call.resource.list_kind, "apiVersion": call.resource.api_version(), "metadata": meta.value(), "items": items})
        .to_string()
}

/// A table of one row, for an event of a watch.
pub(super) fn watch_row(call: &Call, object: &Object, _columns: bool) -> Bytes {
    registry::json(&call.resource, object)
}

/// The empty table that bookmarks of a watch of tables carry.
pub(super) fn bookmark(metadata: &Value) -> Value {
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": [], "rows": []})
}
