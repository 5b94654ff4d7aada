//! Garbage collection by owner references, with the rules of kube-controller-manager's collector.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::registry::Resource;
use crate::rest::{self, Api, DeleteOptions, FOREGROUND, ORPHAN, Propagation, WriteOptions};
use crate::store::{Event, EventKind, Key, Object};

/// Who depends on whom.
pub(super) struct Garbage {
    api: Arc<Api>,
    /// Dependents by the uid of their owner.
    dependents: HashMap<Box<str>, HashSet<Key>>,
    /// Owners by dependent, to take back what was noted.
    owners: HashMap<Key, Vec<Box<str>>>,
}

impl Garbage {
    pub(super) fn new(api: Arc<Api>) -> Garbage {
        Garbage { api, dependents: HashMap::new(), owners: HashMap::new() }
    }

    /// Notes all there is, and finishes what an earlier process left undone.
    pub(super) async fn start(&mut self) {
        let mut all = Vec::new();
        for storage in self.api.store.resources() {
            for object in self.api.store.list(&storage, None).objects {
                let key = Key::new(storage.clone(), &object.namespace, &object.name);
                let value = object.metadata();
                self.note(&key, &value);
                if interesting(&value) {
                    all.push((key, object));
                }
            }
        }
        for (key, object) in all {
            self.review(&key, &object.metadata()).await;
        }
    }

    pub(super) async fn handle(&mut self, event: &Event) {
        let key = Key::new(event.resource.clone(), &event.object.namespace, &event.object.name);
        let value = event.object.metadata();
        if event.kind == EventKind::Deleted {
            self.note(&key, &Value::Null);
            self.orphaned(text(&value["metadata"]["uid"])).await;
            // A waiting owner may have lost its last dependent.
            for owner in owner_list(&value) {
                self.review_owner(&key.namespace, owner).await;
            }
            return;
        }
        self.note(&key, &value);
        if interesting(&value) {
            self.review(&key, &value).await;
        }
    }

    fn note(&mut self, key: &Key, value: &Value) {
        let uids: Vec<Box<str>> = owner_list(value).iter().map(|owner| text(&owner["uid"]).into()).collect();
        if self.owners.get(key).map_or(uids.is_empty(), |before| *before == uids) {
            return;
        }
        for uid in self.owners.remove(key).unwrap_or_default() {
            if let Some(set) = self.dependents.get_mut(&uid) {
                set.remove(key);
                if set.is_empty() {
                    self.dependents.remove(&uid);
                }
            }
        }
        for uid in &uids {
            self.dependents.entry(uid.clone()).or_default().insert(key.clone());
        }
        if !uids.is_empty() {
            self.owners.insert(key.clone(), uids);
        }
    }

    /// The dependents of an owner that has gone.
    async fn orphaned(&mut self, uid: &str) {
        let Some(keys) = self.dependents.get(uid) else { return };
        for key in keys.clone() {
            if let Some(object) = self.api.store.get(&key) {
                self.review(&key, &object.metadata()).await;
            }
        }
    }

    async fn review_owner(&self, namespace: &str, owner: &Value) {
        if let Some((resource, object)) = self.find_owner(namespace, owner) {
            let key = rest::key(&resource, &object.namespace, &object.name);
            self.finish_waiting(&key, &object.metadata()).await;
        }
    }

    /// Decides about one object.
    async fn review(&self, key: &Key, value: &Value) {
        if !value["metadata"]["deletionTimestamp"].is_null() {
            self.finish_waiting(key, value).await;
            return;
        }
        let owners = owner_list(value);
        let (mut solid, mut waiting, mut gone) = (0, 0, Vec::new());
        for owner in owners {
            // An unknown kind says nothing about its objects.
            if self.owner_resource(owner).is_none() {
                solid += 1;
                continue;
            }
            match self.find_owner(&key.namespace, owner) {
                Some((_, object))
                    if waits_for_dependents(&object.metadata()) && owner["blockOwnerDeletion"] == true =>
                {
                    waiting += 1
                }
                Some(_) => solid += 1,
                None => gone.push(text(&owner["uid"]).to_owned()),
            }
        }
        if gone.is_empty() && waiting == 0 {
            return;
        }
        let Some(resource) = self.api.registry.served().stored_as(&key.resource) else { return };
        if solid == 0 {
            let propagation = match (waiting > 0, has_finalizer(value, ORPHAN)) {
                (_, true) => Propagation::Orphan,
                (true, _) => Propagation::Foreground,
                (false, _) if has_finalizer(value, FOREGROUND) => Propagation::Foreground,
                _ => Propagation::Background,
            };
            let uid = Some(text(&value["metadata"]["uid"]).to_owned());
            let options = DeleteOptions { propagation: Some(propagation), uid, ..DeleteOptions::default() };
            report(rest::delete(&self.api, &resource, &key.namespace, &key.name, &options).await.map(drop), key);
        } else {
            self.drop_owners(&resource, key, &gone).await;
        }
    }

    async fn drop_owners(&self, resource: &Arc<Resource>, key: &Key, uids: &[String]) {
        let options = WriteOptions { manager: "serin".into(), ..WriteOptions::default() };
        let outcome = rest::update(&self.api, resource, &key.namespace, &key.name, &options, |live| {
            let mut new = live.clone();
            if let Some(list) = new["metadata"]["ownerReferences"].as_array_mut() {
                list.retain(|owner| !uids.iter().any(|uid| owner["uid"] == uid.as_str()));
            }
            if let Some(meta) = new["metadata"].as_object_mut() {
                meta.remove("resourceVersion");
            }
            Ok(new)
        });
        report(outcome.await.map(drop), key);
    }

    /// Sees to an object that is being deleted and waits for its dependents.
    async fn finish_waiting(&self, key: &Key, value: &Value) {
        if value["metadata"]["deletionTimestamp"].is_null() {
            return;
        }
        let uid = text(&value["metadata"]["uid"]);
        let dependents: Vec<_> = self.dependents.get(uid).into_iter().flatten().cloned().collect();
        let Some(resource) = self.api.registry.served().stored_as(&key.resource) else { return };
        if has_finalizer(value, ORPHAN) {
            for dependent in &dependents {
                if let Some(resource) = self.api.registry.served().stored_as(&dependent.resource) {
                    self.drop_owners(&resource, dependent, &[uid.to_owned()]).await;
                }
            }
            report(
                rest::remove_finalizer(&self.api, &resource, &key.namespace, &key.name, ORPHAN).await.map(drop),
                key,
            );
        } else if has_finalizer(value, FOREGROUND) {
            let mut blocked = false;
            for dependent in dependents {
                let Some(object) = self.api.store.get(&dependent) else { continue };
                let value = object.metadata();
                blocked |=
                    owner_list(&value).iter().any(|owner| owner["uid"] == uid && owner["blockOwnerDeletion"] == true);
                if value["metadata"]["deletionTimestamp"].is_null() {
                    Box::pin(self.review_dependent(&dependent, &value, uid)).await;
                }
            }
            if !blocked {
                report(
                    rest::remove_finalizer(&self.api, &resource, &key.namespace, &key.name, FOREGROUND).await.map(drop),
                    key,
                );
            }
        }
    }

    /// Deletes a dependent of an owner that waits, unless another owner keeps it.
    async fn review_dependent(&self, key: &Key, value: &Value, waiting: &str) {
        let kept = owner_list(value).iter().any(|owner| {
            owner["uid"] != waiting
                && self.find_owner(&key.namespace, owner).is_some_and(|(_, o)| !waits_for_dependents(&o.metadata()))
        });
        let Some(resource) = self.api.registry.served().stored_as(&key.resource) else { return };
        if kept {
            self.drop_owners(&resource, key, &[waiting.to_owned()]).await;
        } else {
            let options = DeleteOptions { propagation: Some(Propagation::Foreground), ..DeleteOptions::default() };
            report(rest::delete(&self.api, &resource, &key.namespace, &key.name, &options).await.map(drop), key);
        }
    }

    fn owner_resource(&self, owner: &Value) -> Option<Arc<Resource>> {
        self.api.registry.served().of_group_kind(text(&owner["apiVersion"]), text(&owner["kind"]))
    }

    fn find_owner(&self, namespace: &str, owner: &Value) -> Option<(Arc<Resource>, Arc<Object>)> {
        let resource = self.owner_resource(owner)?;
        let namespace = if resource.namespaced { namespace } else { "" };
        let object = self.api.get(&resource, namespace, text(&owner["name"])).ok()?;
        (object.metadata()["metadata"]["uid"] == owner["uid"]).then_some((resource, object))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn owner_list(value: &Value) -> &[Value] {
    value["metadata"]["ownerReferences"].as_array().map_or(&[], Vec::as_slice)
}

/// Whether an object has owners or waits for dependents.
fn interesting(value: &Value) -> bool {
    !owner_list(value).is_empty() || !value["metadata"]["deletionTimestamp"].is_null()
}

fn has_finalizer(value: &Value, finalizer: &str) -> bool {
    value["metadata"]["finalizers"].as_array().is_some_and(|list| list.iter().any(|f| f == finalizer))
}

fn waits_for_dependents(value: &Value) -> bool {
    !value["metadata"]["deletionTimestamp"].is_null() && has_finalizer(value, FOREGROUND)
}

fn report(outcome: Result<(), rest::ApiError>, key: &Key) {
    if let Err(error) = outcome
        && !matches!(error.code, 404 | 409)
    {
        tracing::warn!(%key, error = error.message, "garbage collection failed");
    }
}
