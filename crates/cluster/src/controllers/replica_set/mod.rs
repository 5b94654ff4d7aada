//! ReplicaSet → Pod, as `kube-controller-manager` does it.

mod plan;

use super::difference::merge_patch;
use super::events::EventRecorder;
use super::ownership::{Claim, LabelMatcher, claim, controlled_by, controller_of};
use super::{Informers, Reconcile, WorkQueue, is_not_found, update_owners};
use crate::informer::ObjectKey;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::response::Status;
use kube::{Api, Client, ResourceExt};
use plan::{plan, status};
use serde_json::json;
use std::sync::Arc;

pub(super) struct ReplicaSetController {
    pub(super) client: Client,
    pub(super) informers: Arc<Informers>,
    pub(super) events: EventRecorder,
    pub(super) queue: Arc<WorkQueue>,
}

impl ReplicaSetController {
    /// Has every change that may concern a ReplicaSet put it into the queue.
    pub(super) fn listen(&self) {
        let queue = self.queue.clone();
        self.informers.replica_sets.on_change(move |change| queue.add(change.key.clone()));
        let (queue, informers) = (self.queue.clone(), Arc::downgrade(&self.informers));
        self.informers.pods.on_change(move |change| {
            for pod in change.both() {
                if let Some(owner) = controller_of(&pod.metadata).filter(|owner| owner.kind == "ReplicaSet") {
                    queue.add(ObjectKey::new(&change.key.namespace, &owner.name));
                } else if let Some(informers) = informers.upgrade() {
                    for set in informers.replica_sets.list(&change.key.namespace) {
                        if matcher(&set).matches(pod.metadata.labels.as_ref()) {
                            queue.add(ObjectKey::of(&*set));
                        }
                    }
                }
            }
        });
    }

    fn owned(&self, set: &ReplicaSet) -> Vec<Arc<Pod>> {
        let mut pods = self.informers.pods.list(&set.namespace().unwrap_or_default());
        pods.retain(|pod| controller_of(&pod.metadata).is_some_and(|o| Some(&o.uid) == set.metadata.uid.as_ref()));
        pods
    }

    /// The pods that are the set's, after it has adopted and released some.
    async fn claimed(&self, set: &ReplicaSet) -> kube::Result<Vec<Arc<Pod>>> {
        let namespace = set.namespace().unwrap_or_default();
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &namespace);
        let selector = matcher(set);
        let mut owned = Vec::new();
        for pod in self.informers.pods.list(&namespace) {
            match claim(&set.metadata, &selector, &pod.metadata) {
                Claim::Owned => owned.push(pod),
                Claim::Adopt => {
                    let owner = controlled_by("apps/v1", "ReplicaSet", &set.metadata);
                    let adopted = update_owners(&api, &*pod, |owners| owners.push(owner)).await?;
                    owned.push(self.informers.pods.wrote(adopted));
                }
                Claim::Release => {
                    let uid = set.metadata.uid.clone().unwrap_or_default();
                    let released = update_owners(&api, &*pod, |owners| owners.retain(|o| o.uid != uid)).await?;
                    self.informers.pods.wrote(released);
                }
                Claim::Foreign => {}
            }
        }
        Ok(owned)
    }

    async fn create_pod(&self, set: &ReplicaSet) -> kube::Result<()> {
        let template = set.spec.as_ref().and_then(|spec| spec.template.clone()).unwrap_or_default();
        let of_template = template.metadata.unwrap_or_default();
        let namespace = set.namespace().unwrap_or_default();
        let pod = Pod {
            metadata: ObjectMeta {
                generate_name: Some(format!("{}-", set.name_any())),
                namespace: Some(namespace.clone()),
                labels: of_template.labels,
                annotations: of_template.annotations,
                finalizers: of_template.finalizers,
                owner_references: Some(vec![controlled_by("apps/v1", "ReplicaSet", &set.metadata)]),
                ..Default::default()
            },
            spec: template.spec,
            status: None,
        };
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &namespace);
        let pod = api.create(&PostParams::default(), &pod).await?;
        self.events.normal(set, "SuccessfulCreate", format!("Created pod: {}", pod.name_any()));
        self.informers.pods.wrote(pod);
        Ok(())
    }

    async fn delete_pod(&self, set: &ReplicaSet, pod: &Pod) -> kube::Result<()> {
        let key = ObjectKey::of(pod);
        let uid = pod.metadata.uid.clone();
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let only = Preconditions { uid: uid.clone(), resource_version: None };
        match api.delete(&key.name, &DeleteParams::background().preconditions(only)).await {
            Ok(answer) => {
                self.events.normal(set, "SuccessfulDelete", format!("Deleted pod: {}", key.name));
                match answer.left().filter(|pod| pod.metadata.deletion_timestamp.is_some()) {
                    Some(pod) => {
                        self.informers.pods.wrote(pod);
                    }
                    None => self.informers.pods.removed(&key, uid.as_deref()),
                }
                Ok(())
            }
            Err(kube::Error::Api(answer)) if Status::is_not_found(&answer) || Status::is_conflict(&answer) => {
                self.informers.pods.removed(&key, uid.as_deref());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

impl Reconcile for ReplicaSetController {
    /// Makes or deletes what is missing or too much, and says how things are.
    async fn reconcile(&self, key: &ObjectKey) -> kube::Result<()> {
        let Some(set) = self.informers.replica_sets.get(key) else { return Ok(()) };
        let pods = self.claimed(&set).await?;
        let plan = plan(&set, &pods, jiff::Timestamp::now());
        let mut failure = None;
        for _ in 0..plan.create {
            if let Err(error) = self.create_pod(&set).await {
                let message = format!("Error creating: {error}");
                self.events.warning(&*set, "FailedCreate", message.clone());
                failure = Some(("FailedCreate", message, error));
                break;
            }
        }
        for pod in &plan.delete {
            if let Err(error) = self.delete_pod(&set, pod).await {
                let message = format!("Error deleting: {error}");
                self.events.warning(&*set, "FailedDelete", message.clone());
                failure = Some(("FailedDelete", message, error));
                break;
            }
        }
        // What was just done is known already: no need to wait for the watch to count it.
        let pods = self.owned(&set);
        let reason = failure.as_ref().map(|(reason, message, _)| (*reason, message.clone()));
        let status = status(&set, &pods, reason, jiff::Timestamp::now());
        if let Some(patch) = merge_patch(&set.status.clone().unwrap_or_default(), &status) {
            let patch = Patch::Merge(json!({"status": patch}));
            let api: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &key.namespace);
            match api.patch_status(&key.name, &PatchParams::default(), &patch).await {
                Ok(set) => {
                    self.informers.replica_sets.wrote(set);
                }
                Err(error) if is_not_found(&error) => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(delay) = plan.look_again {
            self.queue.add_after(key.clone(), delay);
        }
        failure.map_or(Ok(()), |(_, _, error)| Err(error))
    }
}

fn matcher(set: &ReplicaSet) -> LabelMatcher {
    set.spec.as_ref().map_or_else(|| LabelMatcher::new(&Default::default()), |spec| LabelMatcher::new(&spec.selector))
}
