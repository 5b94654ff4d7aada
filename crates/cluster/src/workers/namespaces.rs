//! Namespaces on their way out: everything in them is deleted, and then they are.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::registry::Resource;
use crate::rest::{self, Api, DeleteOptions, Propagation, WriteOptions};
use crate::store::{Event, Key, Object};

/// Does what a namespace needs now.
pub(super) async fn review(api: &Arc<Api>, namespace: &Object) {
    let value = namespace.metadata();
    if value["metadata"]["deletionTimestamp"].is_null() {
        return;
    }
    // The event may be old: the namespace may be gone, and another of that name be there.
    let live = api.store.get(&Key::new("/namespaces", "", &namespace.name));
    if live.is_none_or(|live| live.metadata()["metadata"]["uid"] != value["metadata"]["uid"]) {
        return;
    }
    let served = api.registry.served();
    let mut left = 0;
    for storage in api.store.resources() {
        let objects = api.store.list(&storage, Some(&namespace.name)).objects;
        let Some(resource) = served.stored_as(&storage).filter(|resource| resource.namespaced) else { continue };
        for object in objects {
            left += 1;
            remove(api, &resource, &object).await;
        }
    }
    if left > 0 {
        // Some may have gone at once; those that did not come back here by their own deletion.
        let resources = api.store.resources();
        let namespaced = |storage: &Arc<str>| served.stored_as(storage).is_some_and(|resource| resource.namespaced);
        left = resources
            .iter()
            .filter(|storage| namespaced(storage))
            .map(|storage| api.store.list(storage, Some(&namespace.name)).objects.len())
            .sum();
    }
    if left == 0 {
        finalize(api, &namespace.name).await;
    }
}

async fn remove(api: &Api, resource: &Arc<Resource>, object: &Object) {
    let options = DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
    if let Err(error) = rest::delete(api, resource, &object.namespace, &object.name, &options).await
        && error.code != 404
    {
        tracing::warn!(resource = %resource.plural, name = %object.name, error = error.message, "cannot empty a namespace");
    }
}

async fn finalize(api: &Api, name: &str) {
    let Some(resource) = api.registry.served().find("", "v1", "namespaces") else { return };
    let options = WriteOptions { manager: "serin".into(), subresource: Some("finalize"), ..WriteOptions::default() };
    let outcome = rest::update(api, &resource, "", name, &options, |live| {
        let mut new = live.clone();
        let others: Vec<Value> = live["spec"]["finalizers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|f| *f != "kubernetes")
            .cloned()
            .collect();
        new["spec"]["finalizers"] = json!(others);
        Ok(new)
    })
    .await;
    if let Err(error) = outcome
        && error.code != 404
    {
        tracing::warn!(name, error = error.message, "cannot finish the deletion of a namespace");
    }
}

/// Looks again at a namespace in which something has gone.
pub(super) async fn after_deletion(api: &Arc<Api>, event: &Event) {
    if event.object.namespace.is_empty() {
        return;
    }
    if let Some(namespace) = api.store.get(&Key::new("/namespaces", "", &event.object.namespace)) {
        review(api, &namespace).await;
    }
}
