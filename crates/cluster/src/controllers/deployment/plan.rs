//! What a Deployment's ReplicaSets shall look like next, given how they are.

use super::revision::{
    desired_replicas, make_latest, max_replicas, new_replica_set, note_size, revision, same_template,
};
use super::rollout::{Limits, Set, is_recreate};
use super::status::{NewSet, available_replicas, is_complete, look_again, status};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStatus, ReplicaSet};
use kube::ResourceExt;
use std::cmp::Reverse;
use std::time::Duration;

/// How many old ReplicaSets are kept when the Deployment does not say.
const DEFAULT_HISTORY: i32 = 10;

/// What the controller knows of one Deployment.
pub(super) struct Observed<'a> {
    pub(super) deployment: &'a Deployment,
    /// The ReplicaSets it controls.
    pub(super) replica_sets: &'a [ReplicaSet],
    /// Names of ReplicaSets that still have pods which have not ended.
    pub(super) sets_with_pods: &'a [String],
    pub(super) now: Timestamp,
}

/// What is to be done for it.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// A ReplicaSet to make.
    pub(super) create: Option<ReplicaSet>,
    /// ReplicaSets as they shall be; those not named stay as they are.
    pub(super) update: Vec<ReplicaSet>,
    /// ReplicaSets that the history has no room for.
    pub(super) delete: Vec<ReplicaSet>,
    /// The revision that the Deployment is annotated with.
    pub(super) revision: Option<String>,
    pub(super) status: DeploymentStatus,
    /// Changes of size: name, from, to.
    pub(super) scaled: Vec<(String, i32, i32)>,
    pub(super) look_again: Option<Duration>,
}

pub(super) fn plan(observed: &Observed) -> Plan {
    let deployment = observed.deployment;
    let Some(spec) = &deployment.spec else { return Plan::default() };
    let mut sets: Vec<ReplicaSet> = observed.replica_sets.to_vec();
    sets.sort_by_key(|set| (set.metadata.creation_timestamp.clone(), set.name_any()));
    let present = sets.iter().position(|set| {
        let template = set.spec.as_ref().and_then(|spec| spec.template.as_ref());
        template.is_some_and(|template| same_template(template, &spec.template))
    });
    let mut rollout = Rollout {
        new: present.map(|at| sets.remove(at)),
        old: sets,
        limits: Limits::of(spec),
        came: if present.is_some() { NewSet::Found } else { NewSet::None },
    };
    if deployment.metadata.deletion_timestamp.is_none() {
        rollout.advance(observed, spec);
    }
    rollout.into_plan(observed, spec)
}

/// The ReplicaSets on their way from how they are to how they shall be.
struct Rollout {
    new: Option<ReplicaSet>,
    /// Oldest first.
    old: Vec<ReplicaSet>,
    limits: Limits,
    came: NewSet,
}

impl Rollout {
    fn advance(&mut self, observed: &Observed, spec: &DeploymentSpec) {
        let deployment = observed.deployment;
        let wants_resize = self
            .all()
            .any(|set| wanted(set) > 0 && desired_replicas(set).is_some_and(|desired| desired != self.limits.replicas));
        if spec.paused == Some(true) || wants_resize {
            if let Some(new) = &mut self.new
                && spec.paused != Some(true)
            {
                make_latest(new, deployment, &self.old);
            }
            self.resize();
            return;
        }
        if is_recreate(spec) {
            for set in &mut self.old {
                resize_set(set, 0);
            }
            let new_name = self.new.as_ref().map(ResourceExt::name_any);
            let in_the_way = observed.sets_with_pods.iter().any(|name| Some(name) != new_name.as_ref())
                || self.old.iter().any(|set| set.status.as_ref().is_some_and(|status| status.replicas > 0));
            if in_the_way {
                return;
            }
            self.ensure_new(deployment);
            if let Some(new) = &mut self.new {
                resize_set(new, self.limits.replicas);
            }
        } else {
            self.ensure_new(deployment);
            self.roll();
        }
        for set in self.new.iter_mut().chain(&mut self.old).filter(|set| wanted(set) > 0) {
            note_size(set, self.limits.replicas, self.limits.max_total());
        }
    }

    fn all(&self) -> impl Iterator<Item = &ReplicaSet> {
        self.old.iter().chain(&self.new)
    }

    fn total(&self) -> i32 {
        self.all().map(wanted).sum()
    }

    fn ensure_new(&mut self, deployment: &Deployment) {
        if self.new.is_none() {
            self.new = new_replica_set(deployment);
            self.came = NewSet::Created;
        }
        if let Some(new) = &mut self.new {
            make_latest(new, deployment, &self.old);
            if let (Some(of_set), Some(spec)) = (&mut new.spec, &deployment.spec) {
                of_set.min_ready_seconds = spec.min_ready_seconds;
            }
        }
    }

    fn roll(&mut self) {
        let total = self.total();
        let Some(new) = &mut self.new else { return };
        let before = wanted(new);
        resize_set(new, self.limits.new_set(before, total));
        if wanted(new) != before {
            // As in Kubernetes, one step at a time: what is old waits until this is known to have happened.
            return;
        }
        let new = Set { wanted: wanted(new), available: available_replicas(new).min(wanted(new)) };
        let old: Vec<Set> = self
            .old
            .iter()
            .map(|set| Set { wanted: wanted(set), available: available_replicas(set).min(wanted(set)) })
            .collect();
        for (set, size) in self.old.iter_mut().zip(self.limits.old_sets(new, &old)) {
            resize_set(set, size);
        }
    }

    /// Follows a change of the Deployment's size without going on with its rollout.
    fn resize(&mut self) {
        let (replicas, max_total) = (self.limits.replicas, self.limits.max_total());
        let active: Vec<usize> = (0..self.old.len()).filter(|&at| wanted(&self.old[at]) > 0).collect();
        let new_is_active = self.new.as_ref().is_some_and(|set| wanted(set) > 0);
        if active.len() + usize::from(new_is_active) <= 1 {
            let only = match (active.first(), &mut self.new) {
                (Some(&at), _) => Some(&mut self.old[at]),
                (None, Some(new)) => Some(new),
                (None, None) => self.old.last_mut(),
            };
            if let Some(set) = only {
                resize_set(set, replicas);
                note_size(set, replicas, max_total);
            }
            return;
        }
        if self.new.as_ref().is_some_and(|new| {
            desired_replicas(new) == Some(replicas) && wanted(new) == replicas && available_replicas(new) == replicas
        }) {
            for set in &mut self.old {
                resize_set(set, 0);
            }
            return;
        }
        if self.limits.max_surge == 0 && self.limits.max_unavailable == 0 && replicas > 0 {
            return;
        }
        let mut sets: Vec<&mut ReplicaSet> =
            self.old.iter_mut().chain(&mut self.new).filter(|set| wanted(set) > 0).collect();
        let total: i32 = sets.iter().map(|set| wanted(set)).sum();
        // What is left over goes to the largest; among equals to the newest when growing and the oldest when shrinking.
        if max_total > total {
            sets.reverse();
        }
        sets.sort_by_key(|set| Reverse(wanted(set)));
        let sizes: Vec<(i32, i32)> = sets.iter().map(|set| (wanted(set), max_replicas(set))).collect();
        for (set, size) in sets.into_iter().zip(self.limits.proportional(&sizes)) {
            resize_set(set, size);
            note_size(set, replicas, max_total);
        }
    }

    fn into_plan(self, observed: &Observed, spec: &DeploymentSpec) -> Plan {
        let deployment = observed.deployment;
        let status = status(deployment, self.new.as_ref(), &self.old, self.came, observed.now);
        let mut plan = Plan { look_again: look_again(deployment, &status, observed.now), ..Plan::default() };
        if let Some(new) = &self.new {
            let latest = revision(&new.metadata);
            plan.revision = (latest > 0 && revision(&deployment.metadata) != latest).then(|| latest.to_string());
        }
        let complete = is_complete(deployment, &status) && spec.paused != Some(true);
        plan.status = status;
        if complete && deployment.metadata.deletion_timestamp.is_none() {
            plan.delete = superfluous(&self.old, spec.revision_history_limit.unwrap_or(DEFAULT_HISTORY));
        }
        for set in self.old.into_iter().chain(self.new) {
            let before = observed.replica_sets.iter().find(|before| before.metadata.name == set.metadata.name);
            let (from, to) = (before.map_or(0, wanted), wanted(&set));
            if from != to {
                plan.scaled.push((set.name_any(), from, to));
            }
            match before {
                None => plan.create = Some(set),
                Some(before) if *before != set => plan.update.push(set),
                Some(_) => {}
            }
        }
        plan
    }
}

/// The oldest of the old sets, as many as the history is too long.
fn superfluous(old: &[ReplicaSet], limit: i32) -> Vec<ReplicaSet> {
    let mut kept: Vec<&ReplicaSet> = old.iter().filter(|set| set.metadata.deletion_timestamp.is_none()).collect();
    kept.sort_by_key(|set| revision(&set.metadata));
    let excess = kept.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    let idle = |set: &&ReplicaSet| {
        let status = set.status.as_ref();
        let observed = status.and_then(|status| status.observed_generation);
        wanted(set) == 0 && status.is_none_or(|status| status.replicas == 0) && observed >= set.metadata.generation
    };
    kept.into_iter().take(excess).filter(idle).cloned().collect()
}

/// How many pods a set shall have.
fn wanted(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

fn resize_set(set: &mut ReplicaSet, size: i32) {
    if let Some(spec) = &mut set.spec
        && spec.replicas != Some(size)
    {
        spec.replicas = Some(size);
    }
}
