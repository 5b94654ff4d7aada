//! A Deployment's status: counts, and the conditions `Available`, `Progressing` and `ReplicaFailure`.

use super::rollout::{Limits, replicas};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use std::time::Duration;

const AVAILABLE: &str = "Available";
const PROGRESSING: &str = "Progressing";
const REPLICA_FAILURE: &str = "ReplicaFailure";
const COMPLETE: &str = "NewReplicaSetAvailable";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const PAUSED: &str = "DeploymentPaused";
const RESUMED: &str = "DeploymentResumed";
const CREATED: &str = "NewReplicaSetCreated";
const FOUND: &str = "FoundNewReplicaSet";
const UPDATED: &str = "ReplicaSetUpdated";

/// How the present ReplicaSet came to be, in this round of the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NewSet {
    /// There is none yet, or the Deployment is paused.
    None,
    /// It was there already.
    Found,
    /// It has just been made.
    Created,
}

/// The status that follows from the ReplicaSets; the present one is `new`.
pub(super) fn status(
    deployment: &Deployment,
    new: Option<&ReplicaSet>,
    old: &[ReplicaSet],
    came: NewSet,
    now: Timestamp,
) -> DeploymentStatus {
    let former = deployment.status.clone().unwrap_or_default();
    let count = |of: fn(&ReplicaSet) -> i32| old.iter().chain(new).map(of).sum::<i32>();
    let total = count(|set| set.status.as_ref().map_or(0, |status| status.replicas));
    let ready = count(|set| set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0));
    let available = count(available_replicas);
    let updated = new.and_then(|set| set.status.as_ref()).map_or(0, |status| status.replicas);
    let some = |count: i32| Some(count).filter(|&count| count != 0);
    let mut status = DeploymentStatus {
        available_replicas: some(available),
        collision_count: former.collision_count,
        conditions: former.conditions.clone(),
        observed_generation: deployment.metadata.generation,
        ready_replicas: some(ready),
        replicas: some(total),
        terminating_replicas: None,
        unavailable_replicas: some((total - available).max(0)),
        updated_replicas: some(updated),
    };
    let mut conditions = Conditions { list: status.conditions.take().unwrap_or_default(), now };
    let spec = deployment.spec.as_ref();
    let enough = spec.is_none_or(|spec| available >= Limits::of(spec).min_available());
    if enough {
        conditions.set(AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.");
    } else {
        let message = "Deployment does not have minimum availability.";
        conditions.set(AVAILABLE, "False", "MinimumReplicasUnavailable", message);
    }
    if has_deadline(deployment) {
        progress(deployment, &former, &status, new, came, &mut conditions);
    } else {
        conditions.remove(PROGRESSING);
    }
    let failure = new.into_iter().chain(old).find_map(|set| {
        let conditions = set.status.as_ref()?.conditions.as_deref()?;
        conditions.iter().find(|condition| condition.type_ == REPLICA_FAILURE && condition.status == "True")
    });
    match failure {
        Some(failure) => {
            let reason = failure.reason.as_deref().unwrap_or("FailedCreate");
            conditions.set(REPLICA_FAILURE, "True", reason, failure.message.as_deref().unwrap_or_default());
        }
        None => conditions.remove(REPLICA_FAILURE),
    }
    status.conditions = Some(conditions.list);
    status
}

/// Pods of a set that are available.
pub(super) fn available_replicas(set: &ReplicaSet) -> i32 {
    set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0)
}

/// Whether everything runs in the present revision, and all of it is available.
pub(super) fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let wanted = replicas(deployment);
    [status.updated_replicas, status.replicas, status.available_replicas].iter().all(|n| n.unwrap_or(0) == wanted)
        && status.observed_generation >= deployment.metadata.generation
}

fn has_deadline(deployment: &Deployment) -> bool {
    // Kubernetes takes the largest i32 for "never".
    deadline(deployment).is_some_and(|seconds| seconds != i32::MAX)
}

fn deadline(deployment: &Deployment) -> Option<i32> {
    deployment.spec.as_ref()?.progress_deadline_seconds
}

fn progress(
    deployment: &Deployment,
    former: &DeploymentStatus,
    status: &DeploymentStatus,
    new: Option<&ReplicaSet>,
    came: NewSet,
    conditions: &mut Conditions,
) {
    let paused = deployment.spec.as_ref().and_then(|spec| spec.paused) == Some(true);
    let reason = conditions.get(PROGRESSING).and_then(|condition| condition.reason.clone()).unwrap_or_default();
    if paused {
        if reason != PAUSED && reason != TIMED_OUT {
            conditions.set(PROGRESSING, "Unknown", PAUSED, "Deployment is paused");
        }
        return;
    }
    if reason == PAUSED {
        conditions.set(PROGRESSING, "Unknown", RESUMED, "Deployment is resumed");
    }
    let subject = match new {
        Some(set) => format!("ReplicaSet \"{}\"", set.name_any()),
        None => format!("Deployment \"{}\"", deployment.name_any()),
    };
    match (came, new) {
        (NewSet::Created, Some(set)) => {
            let message = format!("Created new replica set \"{}\"", set.name_any());
            conditions.set(PROGRESSING, "True", CREATED, &message);
            return;
        }
        (NewSet::Found, Some(set)) if conditions.get(PROGRESSING).is_none() => {
            conditions.set(PROGRESSING, "True", FOUND, &format!("Found new replica set \"{}\"", set.name_any()));
        }
        _ => {}
    }
    let done_before = status.replicas == status.updated_replicas && reason == COMPLETE;
    if done_before {
        return;
    }
    let n = |count: Option<i32>| count.unwrap_or(0);
    let old_pods = |status: &DeploymentStatus| n(status.replicas) - n(status.updated_replicas);
    let moved = n(status.updated_replicas) > n(former.updated_replicas)
        || old_pods(status) < old_pods(former)
        || n(status.ready_replicas) > n(former.ready_replicas)
        || n(status.available_replicas) > n(former.available_replicas);
    if is_complete(deployment, status) {
        conditions.set(PROGRESSING, "True", COMPLETE, &format!("{subject} has successfully progressed."));
    } else if moved {
        conditions.renew(PROGRESSING, "True", UPDATED, &format!("{subject} is progressing."));
    } else if time_left(deployment, &conditions.list, conditions.now) == Some(SignedDuration::ZERO) {
        conditions.set(PROGRESSING, "False", TIMED_OUT, &format!("{subject} has timed out progressing."));
    }
}

/// How long the Deployment may still take before it counts as stuck; `None` when it is not under way.
fn time_left(deployment: &Deployment, conditions: &[DeploymentCondition], now: Timestamp) -> Option<SignedDuration> {
    let condition = conditions.iter().find(|condition| condition.type_ == PROGRESSING)?;
    if matches!(condition.reason.as_deref(), Some(COMPLETE | TIMED_OUT | PAUSED)) {
        return None;
    }
    let since = condition.last_update_time.as_ref()?.0;
    let until = since + SignedDuration::from_secs(i64::from(deadline(deployment)?));
    Some(until.duration_since(now).max(SignedDuration::ZERO))
}

/// When to look again, because the Deployment may have got stuck by then.
pub(super) fn look_again(deployment: &Deployment, status: &DeploymentStatus, now: Timestamp) -> Option<Duration> {
    if !has_deadline(deployment) || is_complete(deployment, status) {
        return None;
    }
    let left = time_left(deployment, status.conditions.as_deref()?, now)?;
    // A second more, since times in conditions are whole seconds.
    Some(Duration::try_from(left).unwrap_or_default() + Duration::from_secs(1))
}

struct Conditions {
    list: Vec<DeploymentCondition>,
    now: Timestamp,
}

impl Conditions {
    fn get(&self, kind: &str) -> Option<&DeploymentCondition> {
        self.list.iter().find(|condition| condition.type_ == kind)
    }

    /// Sets a condition, unless it stands there with this status and reason already.
    fn set(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let same = |c: &DeploymentCondition| c.status == status && c.reason.as_deref() == Some(reason);
        if !self.get(kind).is_some_and(same) {
            self.renew(kind, status, reason, message);
        }
    }

    /// Sets a condition and the time of its last update.
    fn renew(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let now = Time(self.now);
        let former = self.get(kind).filter(|condition| condition.status == status);
        let condition = DeploymentCondition {
            last_transition_time: former.and_then(|c| c.last_transition_time.clone()).or(Some(now.clone())),
            last_update_time: Some(now),
            message: Some(message.to_owned()),
            reason: Some(reason.to_owned()),
            status: status.to_owned(),
            type_: kind.to_owned(),
        };
        match self.list.iter_mut().find(|condition| condition.type_ == kind) {
            Some(place) => *place = condition,
            None => self.list.push(condition),
        }
    }

    fn remove(&mut self, kind: &str) {
        self.list.retain(|condition| condition.type_ != kind);
    }
}
