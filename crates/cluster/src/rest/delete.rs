//! Deleting objects: preconditions, grace, propagation and finalizers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Api, ApiError, key, metadata};
use crate::registry::{self, Resource};
use crate::store::{Change, Expect, Object, WriteError};

/// Waits, in kube-apiserver's words, until the dependents are deleted.
pub const FOREGROUND: &str = "foregroundDeletion";
/// Waits until the dependents no longer name the object as their owner.
pub const ORPHAN: &str = "orphan";
const ATTEMPTS: usize = 16;

/// What happens to dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted afterwards.
    Background,
    /// They are deleted first.
    Foreground,
    /// They stay.
    Orphan,
}

/// How to delete.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// Seconds a pod gets to end.
    pub grace: Option<i64>,
    /// What happens to dependents.
    pub propagation: Option<Propagation>,
    /// The uid it must have.
    pub uid: Option<String>,
    /// The resourceVersion it must have.
    pub revision: Option<String>,
    /// Only check.
    pub dry_run: bool,
}

/// What became of it.
pub enum Deleted {
    /// It is gone; its last state.
    Gone(Arc<Object>),
    /// It is marked, and goes when its finalizers or its grace are done.
    Marked(Arc<Object>),
}

/// Deletes an object, or marks it for deletion.
///
/// # Errors
/// 404 when there is none, 409 when a precondition does not hold.
pub async fn delete(
    api: &Api,
    resource: &Arc<Resource>,
    namespace: &str,
    name: &str,
    options: &DeleteOptions,
) -> Result<Deleted, ApiError> {
    let _turn = api.turn(&key(resource, namespace, name)).await;
    for _ in 0..ATTEMPTS {
        let live = api.get(resource, namespace, name)?;
        let old = live.value();
        check_preconditions(resource, name, &old, options)?;
        let mut new = old.clone();
        set_propagation_finalizer(&mut new, options.propagation);
        let grace = grace_of(resource, &old, options);
        let pending = new["metadata"]["finalizers"].as_array().is_some_and(|list| !list.is_empty())
            || (&*resource.storage == "/namespaces"
                && new["spec"]["finalizers"].as_array().is_some_and(|list| !list.is_empty()));
        let change = if grace > 0 || pending {
            mark(resource, &mut new, grace);
            if new == old {
                return Ok(Deleted::Marked(live));
            }
            Change::Put { value: new.clone(), expect: Expect::Revision(live.revision), in_live_namespace: false }
        } else {
            Change::Delete { value: old, revision: live.revision }
        };
        let marked = matches!(change, Change::Put { .. });
        let key = key(resource, namespace, name);
        if options.dry_run {
            let object = Arc::new(Object::unstored(&key, new));
            return Ok(if marked { Deleted::Marked(object) } else { Deleted::Gone(object) });
        }
        match api.store.write(key, change).await {
            Ok(object) if marked => return Ok(Deleted::Marked(object)),
            Ok(object) => return Ok(Deleted::Gone(object)),
            Err(WriteError::Conflict) => {}
            Err(error) => return Err(ApiError::of_write(&error, resource, namespace, name)),
        }
    }
    Err(ApiError::modified(resource, name))
}

fn check_preconditions(resource: &Resource, name: &str, old: &Value, options: &DeleteOptions) -> Result<(), ApiError> {
    let meta = &old["metadata"];
    for (what, wanted, field) in
        [("UID", &options.uid, "uid"), ("ResourceVersion", &options.revision, "resourceVersion")]
    {
        let found = meta[field].as_str().unwrap_or_default();
        if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != found) {
            let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}");
            return Err(ApiError::conflict(resource, name, &why));
        }
    }
    Ok(())
}

fn set_propagation_finalizer(value: &mut Value, propagation: Option<Propagation>) {
    let Some(propagation) = propagation else { return };
    let wanted = match propagation {
        Propagation::Background => None,
        Propagation::Foreground => Some(FOREGROUND),
        Propagation::Orphan => Some(ORPHAN),
    };
    let list = value["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let mut list: Vec<Value> = list.into_iter().filter(|f| f != FOREGROUND && f != ORPHAN).collect();
    list.extend(wanted.map(Value::from));
    match value["metadata"].as_object_mut() {
        Some(meta) if list.is_empty() => drop(meta.remove("finalizers")),
        Some(meta) => drop(meta.insert("finalizers".into(), list.into())),
        None => {}
    }
}

/// Seconds until the object may go. Only pods take their time.
fn grace_of(resource: &Resource, old: &Value, options: &DeleteOptions) -> i64 {
    if &*resource.storage != "/pods" {
        return 0;
    }
    let unscheduled = old["spec"]["nodeName"].as_str().unwrap_or_default().is_empty();
    let ended = matches!(old["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if unscheduled || ended {
        return 0;
    }
    let wanted = options.grace.or_else(|| old["spec"]["terminationGracePeriodSeconds"].as_i64()).unwrap_or(30);
    wanted.max(0)
}

fn mark(resource: &Resource, value: &mut Value, grace: i64) {
    let again = !value["metadata"]["deletionTimestamp"].is_null();
    let before = value["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
    if again && (grace >= before || &*resource.storage != "/pods") {
        return;
    }
    let delay = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
    value["metadata"]["deletionTimestamp"] = metadata::at(delay).into();
    value["metadata"]["deletionGracePeriodSeconds"] = grace.into();
    if let Some(generation) = value["metadata"]["generation"].as_i64() {
        value["metadata"]["generation"] = (generation + 1).into();
    }
    match &*resource.storage {
        "/namespaces" => value["status"]["phase"] = json!("Terminating"),
        registry::CRDS => registry::crd::set_condition(
            &mut value["status"],
            &metadata::now(),
            "Terminating",
            "True",
            "InstanceDeletionPending",
            "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        ),
        _ => {}
    }
}
