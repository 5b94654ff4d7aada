//! What can be done with objects, independent of HTTP: create, update, patch, delete, each with the rules of
//! kube-apiserver's generic registry. The server's verbs and its own workers (garbage collection, namespaces) call these.

mod admission;
mod cluster_ip;
mod create;
mod delete;
mod error;
mod metadata;
mod patch;
mod scale;
mod strategy;
mod update;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

pub use create::create;
pub use delete::{DeleteOptions, Deleted, FOREGROUND, ORPHAN, Propagation, delete};
pub use error::ApiError;
pub use metadata::now;
pub use patch::{PatchKind, patch, patched_scale};
pub use scale::{get_scale, patch_scale, put_scale};
pub use update::{remove_finalizer, replace, update};

use crate::registry::{Registry, Resource};
use crate::store::{Key, Object, Store};

/// The state behind the API.
pub struct Api {
    /// All objects.
    pub store: Arc<Store>,
    /// All kinds.
    pub registry: Arc<Registry>,
    /// Serialises the choice of cluster IPs.
    addresses: Mutex<()>,
    /// One change of an object at a time, so that many writers of one do not make each other start anew. Objects share
    /// these by the hash of their key.
    turns: [Mutex<()>; 64],
}

impl Api {
    /// An API over a store and the registry that observes it.
    pub fn new(store: Arc<Store>, registry: Arc<Registry>) -> Api {
        Api { store, registry, addresses: Mutex::new(()), turns: std::array::from_fn(|_| Mutex::new(())) }
    }

    /// Waits for one's turn to change an object.
    async fn turn(&self, key: &Key) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let index = hasher.finish() as usize % self.turns.len();
        self.turns[index].lock().await
    }

    /// The stored object.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Result<Arc<Object>, ApiError> {
        self.store.get(&key(resource, namespace, name)).ok_or_else(|| ApiError::not_found(resource, name))
    }
}

/// The key of an object.
pub fn key(resource: &Resource, namespace: &str, name: &str) -> Key {
    Key::new(resource.storage.clone(), namespace, name)
}

/// How strictly fields that the schema does not know are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// Drop them.
    Ignore,
    /// Drop them and say so.
    #[default]
    Warn,
    /// Refuse the object.
    Strict,
}

/// How a write is to be made.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// Do everything but store it.
    pub dry_run: bool,
    /// Who writes, for `metadata.managedFields`.
    pub manager: String,
    /// Take fields over from other managers (server-side apply).
    pub force: bool,
    /// What to do about unknown fields.
    pub validation: FieldValidation,
    /// The subresource written through, such as `status`.
    pub subresource: Option<&'static str>,
    /// Fields that the body names twice, as messages.
    pub duplicates: Vec<String>,
}

/// The object a write led to.
pub struct Written {
    /// As stored, or as it would have been in a dry run.
    pub object: Arc<Object>,
    /// Whether it was created.
    pub created: bool,
    /// Texts for `Warning` headers.
    pub warnings: Vec<String>,
}

/// Sets `apiVersion` and `kind` to those of `resource`, or says why they cannot be.
fn check_type(resource: &Resource, value: &mut Value) -> Result<(), ApiError> {
    let api_version = resource.api_version();
    let Some(object) = value.as_object_mut() else {
        return Err(ApiError::bad_request("the object provided is not a JSON object"));
    };
    match object.get("apiVersion").and_then(Value::as_str) {
        Some(given) if !given.is_empty() && given != api_version => {
            return Err(ApiError::bad_request(format!(
                "the API version in the data ({given}) does not match the expected API version ({api_version})"
            )));
        }
        _ => object.insert("apiVersion".into(), api_version.into()),
    };
    match object.get("kind").and_then(Value::as_str) {
        Some(given) if !given.is_empty() && given != &*resource.kind => {
            return Err(ApiError::bad_request(format!(
                "the kind in the data ({given}) does not match the expected kind ({})",
                resource.kind
            )));
        }
        _ => object.insert("kind".into(), Value::from(&*resource.kind)),
    };
    match object.get("metadata") {
        None | Some(Value::Null) => object.insert("metadata".into(), Value::Object(Default::default())),
        Some(Value::Object(_)) => None,
        Some(_) => return Err(ApiError::bad_request("metadata: must be an object")),
    };
    Ok(())
}

/// Refuses metadata of the wrong types before anything looks into it.
fn check_metadata(resource: &Resource, value: &Value) -> Result<(), ApiError> {
    let wrong = |message: String| {
        ApiError::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {message}",
            resource.kind, resource.version, resource.kind
        ))
    };
    resource.schema().decode_error(value).map_or(Ok(()), |message| Err(wrong(message)))
}
