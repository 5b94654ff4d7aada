//! Deleted CustomResourceDefinitions: their objects go first.

use std::sync::Arc;

use crate::registry::{CRDS, Resource, crd};
use crate::rest::{self, Api, DeleteOptions};
use crate::store::{Event, Key, Object};

/// Does what a definition needs now.
pub(super) async fn review(api: &Arc<Api>, definition: &Object) {
    let value = definition.metadata();
    let waits =
        value["metadata"]["finalizers"].as_array().is_some_and(|list| list.iter().any(|f| f == crd::CLEANUP_FINALIZER));
    if value["metadata"]["deletionTimestamp"].is_null() || !waits {
        return;
    }
    let live = api.store.get(&Key::new(CRDS, "", &definition.name));
    if live.is_none_or(|live| live.metadata()["metadata"]["uid"] != value["metadata"]["uid"]) {
        return;
    }
    // The name of a definition is its kind's plural and its group.
    let Some((plural, group)) = definition.name.split_once('.') else { return };
    let storage = format!("{group}/{plural}");
    let served = api.registry.served();
    if let Some(resource) = served.stored_as(&storage) {
        for object in api.store.list(&storage, None).objects {
            remove(api, &resource, &object).await;
        }
    }
    if api.store.list(&storage, None).objects.is_empty()
        && let Some(resource) = served.find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
        && let Err(error) = rest::remove_finalizer(api, &resource, "", &definition.name, crd::CLEANUP_FINALIZER).await
        && error.code != 404
    {
        tracing::warn!(name = %definition.name, error = error.message, "cannot finish the deletion of a kind");
    }
}

async fn remove(api: &Api, resource: &Arc<Resource>, object: &Object) {
    let options = DeleteOptions::default();
    if let Err(error) = rest::delete(api, resource, &object.namespace, &object.name, &options).await
        && error.code != 404
    {
        tracing::warn!(resource = %resource.plural, name = %object.name, error = error.message, "cannot delete an object of a deleted kind");
    }
}

/// Looks again at a deleted definition when one of its objects has gone.
pub(super) async fn after_deletion(api: &Arc<Api>, event: &Event) {
    let Some((group, plural)) = event.resource.split_once('/') else { return };
    if let Some(definition) = api.store.get(&Key::new(CRDS, "", &format!("{plural}.{group}"))) {
        review(api, &definition).await;
    }
}
