//! What the store keeps: an object as its JSON text, and the few of its fields that are needed without parsing it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

/// Where an object lives: `group/plural` (core: `/plural`), its namespace (empty for cluster scope) and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// `group/plural`.
    pub resource: Arc<str>,
    /// Empty for cluster-scoped kinds.
    pub namespace: Box<str>,
    /// The object's name.
    pub name: Box<str>,
}

impl Key {
    /// The key of `name` in `namespace` of `resource`.
    pub fn new(resource: impl Into<Arc<str>>, namespace: &str, name: &str) -> Key {
        Key { resource: resource.into(), namespace: namespace.into(), name: name.into() }
    }

    /// The key as it stands on disk.
    pub(super) fn to_disk(&self) -> String {
        self.to_string()
    }

    pub(super) fn from_disk(text: &str) -> Option<Key> {
        let mut parts = text.split('/');
        let (group, plural, namespace, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || plural.is_empty() || name.is_empty() {
            return None;
        }
        Some(Key::new(format!("{group}/{plural}"), namespace, name))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.resource, self.namespace, self.name)
    }
}

#[derive(Deserialize)]
struct Metadata {
    metadata: Value,
}

#[derive(Deserialize)]
struct Partial {
    metadata: PartialMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialMetadata {
    resource_version: Box<str>,
    labels: Option<BTreeMap<Box<str>, Option<Box<str>>>>,
}

/// One stored version of an object.
#[derive(Debug)]
pub struct Object {
    /// Its `resourceVersion`.
    pub revision: u64,
    /// Its namespace; empty for cluster scope.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its labels, sorted by key.
    pub labels: Box<[(Box<str>, Box<str>)]>,
    /// The whole object as compact JSON.
    pub json: Bytes,
}

impl Object {
    /// Builds the stored form of `value`, which gets `revision` as its resourceVersion.
    pub(super) fn new(key: &Key, mut value: Value, revision: u64) -> Object {
        value["metadata"]["resourceVersion"] = Value::String(revision.to_string());
        Object { revision, ..Object::unstored(key, value) }
    }

    /// An object as it would be stored, for a dry run.
    pub fn unstored(key: &Key, value: Value) -> Object {
        let labels = labels_of(&value);
        Object {
            revision: 0,
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            labels,
            json: Bytes::from(value.to_string().into_boxed_str().into_boxed_bytes()),
        }
    }

    /// Reads an object back from disk.
    pub(super) fn from_json(key: &Key, json: &[u8]) -> Option<Object> {
        let Partial { metadata } = serde_json::from_slice(json).ok()?;
        let labels = metadata.labels.unwrap_or_default();
        Some(Object {
            revision: metadata.resource_version.parse().ok()?,
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            labels: labels.into_iter().map(|(k, v)| (k, v.unwrap_or_default())).collect(),
            json: Bytes::copy_from_slice(json),
        })
    }

    /// The object with nothing but its `metadata`, as a JSON value of its own: all the rest is not even made.
    pub fn metadata(&self) -> Value {
        let Ok(Metadata { metadata }) = serde_json::from_slice(&self.json) else { return Value::Null };
        serde_json::json!({"metadata": metadata})
    }

    /// The object as a JSON value of its own.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.json).unwrap_or(Value::Null)
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(k, _)| &**k == key).map(|(_, v)| &**v)
    }
}

fn labels_of(value: &Value) -> Box<[(Box<str>, Box<str>)]> {
    let Some(labels) = value["metadata"]["labels"].as_object() else { return Box::new([]) };
    labels.iter().map(|(k, v)| (k.as_str().into(), v.as_str().unwrap_or_default().into())).collect()
}
