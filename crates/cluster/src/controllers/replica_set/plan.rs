//! How many pods a ReplicaSet makes or gives up, which ones, and what its status says.

use super::super::pod_facts::{is_active, is_ready, phase, ready_since, until_available};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

/// Most pods that are made in one go.
const BURST: usize = 500;
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const REPLICA_FAILURE: &str = "ReplicaFailure";

/// What is to be done for a ReplicaSet.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// How many pods to make.
    pub(super) create: usize,
    /// Pods to delete.
    pub(super) delete: Vec<Arc<Pod>>,
    /// When a pod will have been ready for long enough.
    pub(super) look_again: Option<Duration>,
}

pub(super) fn plan(set: &ReplicaSet, pods: &[Arc<Pod>], now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let min_ready = set.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or(0);
    let waits = pods.iter().filter_map(|pod| until_available(pod, min_ready, now)).filter(|wait| !wait.is_zero());
    plan.look_again = waits.min().and_then(|wait| Duration::try_from(wait).ok());
    if set.metadata.deletion_timestamp.is_some() {
        return plan;
    }
    let wanted = usize::try_from(wanted(set)).unwrap_or(0);
    let mut active: Vec<&Arc<Pod>> = pods.iter().filter(|pod| is_active(pod)).collect();
    if active.len() <= wanted {
        plan.create = (wanted - active.len()).min(BURST);
    } else {
        let excess = active.len() - wanted;
        active.sort_by_cached_key(|pod| worth(pod));
        plan.delete = active.into_iter().take(excess).cloned().collect();
    }
    plan
}

/// How much a pod is worth, in Kubernetes' order: unassigned before assigned, pending before running, not ready before ready,
/// cheap before dear, ready for a short while before long, often restarted before seldom, young before old.
fn worth(pod: &Pod) -> impl Ord + use<> {
    let phase = match phase(pod) {
        Some("Running") => 2,
        Some("Unknown") => 1,
        _ => 0,
    };
    let cost = pod.annotations().get(DELETION_COST).and_then(|cost| cost.parse::<i32>().ok()).unwrap_or(0);
    let restarts = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    let restarts = restarts.into_iter().flatten().map(|container| container.restart_count).max().unwrap_or(0);
    (
        pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some()),
        phase,
        is_ready(pod),
        cost,
        Reverse(ready_since(pod)),
        Reverse(restarts),
        Reverse(pod.creation_timestamp()),
        pod.name_any(),
    )
}

/// The set's status; `failure` is why a pod could not be made or deleted, if that is so.
pub(super) fn status(
    set: &ReplicaSet,
    pods: &[Arc<Pod>],
    failure: Option<(&str, String)>,
    now: Timestamp,
) -> ReplicaSetStatus {
    let former = set.status.clone().unwrap_or_default();
    let spec = set.spec.as_ref();
    let min_ready = spec.and_then(|spec| spec.min_ready_seconds).unwrap_or(0);
    let template = spec.and_then(|spec| spec.template.as_ref()).and_then(|template| template.metadata.as_ref());
    let template_labels = template.and_then(|meta| meta.labels.as_ref());
    let (mut replicas, mut labelled, mut ready, mut available) = (0, 0, 0, 0);
    for pod in pods.iter().filter(|pod| is_active(pod)) {
        replicas += 1;
        labelled += i32::from(template_labels.into_iter().flatten().all(|(k, v)| pod.labels().get(k) == Some(v)));
        ready += i32::from(is_ready(pod));
        available += i32::from(until_available(pod, min_ready, now).is_some_and(|wait| wait.is_zero()));
    }
    let mut conditions = former.conditions.unwrap_or_default();
    let known = conditions.iter().any(|condition| condition.type_ == REPLICA_FAILURE);
    match failure {
        Some((reason, message)) if !known => conditions.push(ReplicaSetCondition {
            type_: REPLICA_FAILURE.to_owned(),
            status: "True".to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message),
            last_transition_time: Some(Time(now)),
        }),
        Some(_) => {}
        None => conditions.retain(|condition| condition.type_ != REPLICA_FAILURE),
    }
    let some = |count: i32| Some(count).filter(|&count| count != 0);
    ReplicaSetStatus {
        replicas,
        fully_labeled_replicas: some(labelled),
        ready_replicas: some(ready),
        available_replicas: some(available),
        conditions: Some(conditions).filter(|conditions| !conditions.is_empty()),
        observed_generation: set.metadata.generation,
        terminating_replicas: None,
    }
}

pub(super) fn wanted(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(replicas: i32, min_ready: i32) -> ReplicaSet {
        serde_json::from_value(json!({"metadata": {"name": "s"}, "spec": {
            "replicas": replicas, "minReadySeconds": min_ready, "selector": {},
            "template": {"metadata": {"labels": {"app": "a"}}},
        }}))
        .unwrap()
    }

    fn pod(name: &str, phase: &str, ready_since: Option<&str>) -> Arc<Pod> {
        let ready = ready_since.map(|since| json!([{"type": "Ready", "status": "True", "lastTransitionTime": since}]));
        let pod = json!({"metadata": {"name": name, "labels": {"app": "a"}}, "spec": {"nodeName": "n", "containers": []},
            "status": {"phase": phase, "conditions": ready}});
        Arc::new(serde_json::from_value(pod).unwrap())
    }

    fn now() -> Timestamp {
        "2026-01-01T00:01:00Z".parse().unwrap()
    }

    #[test]
    fn missing_pods_are_made_and_ended_ones_replaced() {
        let pods = [pod("a", "Running", None), pod("b", "Failed", None)];
        assert_eq!(plan(&set(3, 0), &pods, now()).create, 2);
        assert!(plan(&set(3, 0), &pods, now()).delete.is_empty());
    }

    #[test]
    fn the_least_useful_pods_go() {
        let pods = [
            pod("old", "Running", Some("2026-01-01T00:00:00Z")),
            pod("young", "Running", Some("2026-01-01T00:00:30Z")),
            pod("unready", "Running", None),
            pod("pending", "Pending", None),
        ];
        let names: Vec<_> = plan(&set(1, 0), &pods, now()).delete.iter().map(|pod| pod.name_any()).collect();
        assert_eq!(names, ["pending", "unready", "young"]);
    }

    #[test]
    fn a_pod_is_available_once_it_has_been_ready_for_long_enough() {
        let pods =
            [pod("a", "Running", Some("2026-01-01T00:00:30Z")), pod("b", "Running", Some("2026-01-01T00:00:55Z"))];
        let status = status(&set(2, 20), &pods, None, now());
        assert_eq!((status.replicas, status.ready_replicas, status.available_replicas), (2, Some(2), Some(1)));
        assert_eq!(plan(&set(2, 20), &pods, now()).look_again, Some(Duration::from_secs(15)));
    }

    #[test]
    fn a_failure_is_a_condition_until_it_is_over() {
        let mut set = set(1, 0);
        set.status = Some(status(&set, &[], Some(("FailedCreate", "no".into())), now()));
        let condition = &set.status.as_ref().unwrap().conditions.as_ref().unwrap()[0];
        assert_eq!((condition.type_.as_str(), condition.reason.as_deref()), (REPLICA_FAILURE, Some("FailedCreate")));
        assert_eq!(status(&set, &[], None, now()).conditions, None);
    }
}
