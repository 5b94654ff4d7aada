//! Deployment → ReplicaSet, as `kube-controller-manager` does it.

mod plan;
mod revision;
mod rollout;
mod status;

use super::difference::merge_patch;
use super::events::EventRecorder;
use super::ownership::{Claim, LabelMatcher, claim, controlled_by, controller_of};
use super::pod_facts::has_ended;
use super::{Informers, Reconcile, WorkQueue, is_conflict, is_not_found, update_owners};
use crate::informer::ObjectKey;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};

use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, ResourceExt};
use plan::{Observed, Plan, plan};
use serde_json::json;
use std::sync::Arc;

pub(super) struct DeploymentController {
    pub(super) client: Client,
    pub(super) informers: Arc<Informers>,
    pub(super) events: EventRecorder,
    pub(super) queue: Arc<WorkQueue>,
}

impl DeploymentController {
    /// Has every change that may concern a Deployment put it into the queue.
    pub(super) fn listen(&self) {
        let queue = self.queue.clone();
        self.informers.deployments.on_change(move |change| queue.add(change.key.clone()));
        let (queue, informers) = (self.queue.clone(), Arc::downgrade(&self.informers));
        self.informers.replica_sets.on_change(move |change| {
            for set in change.both() {
                if let Some(owner) = controller_of(&set.metadata).filter(|owner| owner.kind == "Deployment") {
                    queue.add(ObjectKey::new(&change.key.namespace, &owner.name));
                } else if let Some(informers) = informers.upgrade() {
                    // Nobody's: whoever's selector matches may want it.
                    for deployment in informers.deployments.list(&change.key.namespace) {
                        if matcher(&deployment).matches(set.metadata.labels.as_ref()) {
                            queue.add(ObjectKey::of(&*deployment));
                        }
                    }
                }
            }
        });
        // Strategy Recreate waits for the last old pod to be gone.
        let (queue, informers) = (self.queue.clone(), Arc::downgrade(&self.informers));
        self.informers.pods.on_change(move |change| {
            let (Some(informers), Some(pod)) = (informers.upgrade(), change.latest()) else { return };
            if change.new.as_ref().is_some_and(|pod| !has_ended(pod)) {
                return;
            }
            let Some(owner) = controller_of(&pod.metadata).filter(|owner| owner.kind == "ReplicaSet") else { return };
            let set = informers.replica_sets.get(&ObjectKey::new(&change.key.namespace, &owner.name));
            if let Some(owner) = set.as_ref().and_then(|set| controller_of(&set.metadata)) {
                queue.add(ObjectKey::new(&change.key.namespace, &owner.name));
            }
        });
    }

    /// The ReplicaSets that are the Deployment's, after it has adopted and released some.
    async fn claimed(&self, deployment: &Deployment) -> kube::Result<Vec<Arc<ReplicaSet>>> {
        let namespace = deployment.namespace().unwrap_or_default();
        let selector = matcher(deployment);
        let mut owned = Vec::new();
        for set in self.informers.replica_sets.list(&namespace) {
            let api = || Api::<ReplicaSet>::namespaced(self.client.clone(), &namespace);
            match claim(&deployment.metadata, &selector, &set.metadata) {
                Claim::Owned => owned.push(set),
                Claim::Adopt => {
                    let owner = controlled_by("apps/v1", "Deployment", &deployment.metadata);
                    let adopted = update_owners(&api(), &*set, |owners| owners.push(owner)).await?;
                    owned.push(self.informers.replica_sets.wrote(adopted));
                }
                Claim::Release => {
                    let uid = deployment.metadata.uid.clone().unwrap_or_default();
                    let released = update_owners(&api(), &*set, |owners| owners.retain(|o| o.uid != uid)).await?;
                    self.informers.replica_sets.wrote(released);
                }
                Claim::Foreign => {}
            }
        }
        Ok(owned)
    }

    fn sets_with_pods(&self, namespace: &str, sets: &[ReplicaSet]) -> Vec<String> {
        let mut names = Vec::new();
        for pod in self.informers.pods.list(namespace) {
            let Some(owner) = controller_of(&pod.metadata) else { continue };
            if !has_ended(&pod) && sets.iter().any(|set| set.metadata.uid.as_ref() == Some(&owner.uid)) {
                names.push(owner.name.clone());
            }
        }
        names.dedup();
        names
    }

    async fn carry_out(&self, deployment: &Deployment, before: &[ReplicaSet], plan: Plan) -> kube::Result<()> {
        let namespace = deployment.namespace().unwrap_or_default();
        let name = deployment.name_any();
        let sets: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &namespace);
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), &namespace);
        if let Some(set) = &plan.create {
            match sets.create(&PostParams::default(), set).await {
                Ok(set) => {
                    self.informers.replica_sets.wrote(set);
                }
                Err(error) if is_conflict(&error) => return self.note_collision(&deployments, deployment).await,
                Err(error) => {
                    let message = format!("Failed to create new replica set \"{}\": {error}", set.name_any());
                    self.events.warning(deployment, "ReplicaSetCreateError", message);
                    return Err(error);
                }
            }
        }
        for set in &plan.update {
            let Some(old) = before.iter().find(|old| old.metadata.name == set.metadata.name) else { continue };
            if let Some(patch) = merge_patch(old, set) {
                let set = sets.patch(&set.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?;
                self.informers.replica_sets.wrote(set);
            }
        }
        for (set, from, to) in &plan.scaled {
            let direction = if to > from { "up" } else { "down" };
            let message = format!("Scaled {direction} replica set {set} from {from} to {to}");
            self.events.normal(deployment, "ScalingReplicaSet", message);
        }
        if let Some(revision) = &plan.revision {
            let patch = json!({"metadata": {"annotations": {revision::REVISION: revision}}});
            let written = deployments.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
            self.informers.deployments.wrote(written);
        }
        for set in &plan.delete {
            let uid = set.metadata.uid.clone();
            let only = Preconditions { uid: uid.clone(), resource_version: None };
            match sets.delete(&set.name_any(), &DeleteParams::background().preconditions(only)).await {
                Ok(_) => self.informers.replica_sets.removed(&ObjectKey::of(set), uid.as_deref()),
                Err(error) if is_not_found(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let former = deployment.status.clone().unwrap_or_default();
        if let Some(patch) = merge_patch(&former, &plan.status) {
            let patch = json!({"status": patch});
            let written = deployments.patch_status(&name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
            self.informers.deployments.wrote(written);
        }
        if let Some(delay) = plan.look_again {
            self.queue.add_after(ObjectKey::of(deployment), delay);
        }
        Ok(())
    }

    /// The name for a new ReplicaSet is taken by something else: the next try uses another one.
    async fn note_collision(&self, api: &Api<Deployment>, deployment: &Deployment) -> kube::Result<()> {
        let count = deployment.status.as_ref().and_then(|status| status.collision_count).unwrap_or(0) + 1;
        let patch = json!({"status": {"collisionCount": count}});
        let name = deployment.name_any();
        let written = api.patch_status(&name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        self.informers.deployments.wrote(written);
        Ok(())
    }
}

impl Reconcile for DeploymentController {
    /// Brings one Deployment a step further.
    async fn reconcile(&self, key: &ObjectKey) -> kube::Result<()> {
        let Some(deployment) = self.informers.deployments.get(key) else { return Ok(()) };
        let mut sets = Vec::new();
        for set in self.claimed(&deployment).await? {
            sets.push(ReplicaSet::clone(&set));
        }
        let sets_with_pods = self.sets_with_pods(&key.namespace, &sets);
        let observed = Observed {
            deployment: &deployment,
            replica_sets: &sets,
            sets_with_pods: &sets_with_pods,
            now: jiff::Timestamp::now(),
        };
        let plan = plan(&observed);
        self.carry_out(&deployment, &sets, plan).await
    }
}

fn matcher(deployment: &Deployment) -> LabelMatcher {
    deployment.spec.as_ref().map_or_else(|| LabelMatcher::new(&Default::default()), |s| LabelMatcher::new(&s.selector))
}

#[cfg(test)]
mod tests;
