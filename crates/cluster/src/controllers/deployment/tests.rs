//! Whole rollouts, step by step, in a world where pods come up when the test says so.

use super::plan::{Observed, Plan, plan};
use super::revision::{POD_TEMPLATE_HASH, revision};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, ReplicaSet, ReplicaSetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use serde_json::json;

struct World {
    deployment: Deployment,
    sets: Vec<ReplicaSet>,
    now: Timestamp,
}

impl World {
    fn new(replicas: i32) -> World {
        let deployment = json!({
            "metadata": {"name": "echo", "namespace": "ns", "uid": "d", "generation": 1},
            "spec": {"replicas": replicas, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 2,
                "selector": {"matchLabels": {"app": "echo"}},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
                "template": {"metadata": {"labels": {"app": "echo"}}, "spec": {"containers": [{"name": "c", "image": "v1"}]}}},
        });
        let deployment = serde_json::from_value(deployment).unwrap();
        World { deployment, sets: Vec::new(), now: "2026-01-01T00:00:00Z".parse().unwrap() }
    }

    fn change(&mut self, change: impl FnOnce(&mut k8s_openapi::api::apps::v1::DeploymentSpec)) {
        change(self.deployment.spec.as_mut().unwrap());
        *self.deployment.metadata.generation.as_mut().unwrap() += 1;
    }

    fn image(&mut self, image: &str) {
        self.change(|spec| spec.template.spec.as_mut().unwrap().containers[0].image = Some(image.to_owned()));
    }

    /// One round of the controller; what it plans comes true.
    fn step(&mut self) -> Plan {
        self.now += SignedDuration::from_secs(1);
        let with_pods: Vec<String> = self.sets.iter().filter(|set| pods(set) > 0).map(ResourceExt::name_any).collect();
        let observed = Observed {
            deployment: &self.deployment,
            replica_sets: &self.sets,
            sets_with_pods: &with_pods,
            now: self.now,
        };
        let plan = plan(&observed);
        self.sets.retain(|set| plan.delete.iter().all(|gone| gone.metadata.name != set.metadata.name));
        for update in &plan.update {
            let set = self.sets.iter_mut().find(|set| set.metadata.name == update.metadata.name).unwrap();
            *set = update.clone();
        }
        if let Some(mut set) = plan.create.clone() {
            set.metadata.creation_timestamp = Some(Time(self.now));
            self.sets.push(set);
        }
        if let Some(revision) = &plan.revision {
            self.deployment.annotations_mut().insert(super::revision::REVISION.to_owned(), revision.clone());
        }
        self.deployment.status = Some(plan.status.clone());
        plan
    }

    /// All pods are as their sets want them, and available unless their image is `bad`.
    fn settle(&mut self) {
        for set in &mut self.sets {
            let spec = set.spec.as_ref().unwrap();
            let image = spec.template.as_ref().unwrap().spec.as_ref().unwrap().containers[0].image.clone();
            let available = if image.as_deref() == Some("bad") { 0 } else { spec.replicas.unwrap() };
            set.status = Some(ReplicaSetStatus {
                replicas: spec.replicas.unwrap(),
                ready_replicas: Some(available),
                available_replicas: Some(available),
                ..Default::default()
            });
        }
    }

    fn run(&mut self) {
        for _ in 0..30 {
            self.step();
            self.settle();
        }
    }

    fn condition(&self, kind: &str) -> DeploymentCondition {
        let conditions = self.deployment.status.as_ref().unwrap().conditions.as_ref().unwrap();
        conditions.iter().find(|condition| condition.type_ == kind).cloned().unwrap()
    }

    fn reason(&self, kind: &str) -> String {
        let condition = self.condition(kind);
        format!("{} {}", condition.status, condition.reason.unwrap())
    }

    /// Revision and size of each set.
    fn sizes(&self) -> Vec<(i64, i32)> {
        let mut sizes: Vec<_> = self.sets.iter().map(|set| (revision(&set.metadata), wanted(set))).collect();
        sizes.sort_unstable();
        sizes
    }
}

fn wanted(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().unwrap().replicas.unwrap()
}

fn pods(set: &ReplicaSet) -> i32 {
    set.status.as_ref().map_or(0, |status| status.replicas)
}

#[test]
fn a_first_rollout_goes_from_created_to_available() {
    let mut world = World::new(3);
    let first = world.step();
    let set = first.create.unwrap();
    let hash = &set.labels()[POD_TEMPLATE_HASH];
    assert_eq!(set.name_any(), format!("echo-{hash}"));
    assert_eq!(set.spec.as_ref().unwrap().selector.match_labels.as_ref().unwrap()[POD_TEMPLATE_HASH], *hash);
    assert_eq!(first.scaled, [(set.name_any(), 0, 3)]);
    assert_eq!(first.revision.as_deref(), Some("1"));
    assert_eq!(world.reason("Progressing"), "True NewReplicaSetCreated");
    assert_eq!(world.reason("Available"), "False MinimumReplicasUnavailable");
    world.run();
    assert_eq!(world.reason("Progressing"), "True NewReplicaSetAvailable");
    assert_eq!(world.reason("Available"), "True MinimumReplicasAvailable");
    let status = world.deployment.status.clone().unwrap();
    assert_eq!(
        (status.updated_replicas, status.available_replicas, status.unavailable_replicas),
        (Some(3), Some(3), None)
    );
    let idle = world.step();
    assert!(idle.create.is_none() && idle.update.is_empty() && idle.scaled.is_empty());
    assert_eq!(idle.status, status);
}

#[test]
fn a_new_template_rolls_out_and_an_old_one_comes_back_as_a_new_revision() {
    let mut world = World::new(4);
    world.run();
    world.image("v2");
    world.run();
    assert_eq!(world.sizes(), [(1, 0), (2, 4)]);
    world.image("v1");
    world.run();
    assert_eq!(world.sizes(), [(2, 0), (3, 4)]);
}

#[test]
fn the_history_keeps_as_many_as_it_shall() {
    let mut world = World::new(1);
    for image in ["v1", "v2", "v3", "v4", "v5"] {
        world.image(image);
        world.run();
    }
    assert_eq!(world.sizes(), [(3, 0), (4, 0), (5, 1)]);
}

#[test]
fn a_paused_deployment_is_scaled_but_not_rolled() {
    let mut world = World::new(2);
    world.run();
    world.change(|spec| (spec.paused, spec.replicas) = (Some(true), Some(5)));
    world.image("v2");
    world.run();
    assert_eq!(world.sizes(), [(1, 5)]);
    assert_eq!(world.reason("Progressing"), "Unknown DeploymentPaused");
    world.change(|spec| spec.paused = None);
    world.run();
    assert_eq!(world.sizes(), [(1, 0), (2, 5)]);
    assert_eq!(world.reason("Progressing"), "True NewReplicaSetAvailable");
}

#[test]
fn a_rollout_that_gets_stuck_keeps_what_serves_and_says_so_after_the_deadline() {
    let mut world = World::new(4);
    world.run();
    world.image("bad");
    world.run();
    // One more than wanted, and one fewer that serves: as far as the limits let it go.
    assert_eq!(world.sizes(), [(1, 3), (2, 2)]);
    assert_eq!(world.reason("Available"), "True MinimumReplicasAvailable");
    assert_eq!(world.reason("Progressing"), "True ReplicaSetUpdated");
    let again = world.step().look_again.unwrap();
    world.now += SignedDuration::try_from(again).unwrap();
    world.step();
    assert_eq!(world.reason("Progressing"), "False ProgressDeadlineExceeded");
    world.image("v1");
    world.run();
    assert_eq!(world.sizes(), [(2, 0), (3, 4)]);
    assert_eq!(world.reason("Progressing"), "True NewReplicaSetAvailable");
}

#[test]
fn recreate_waits_until_the_old_pods_are_gone() {
    let mut world = World::new(2);
    world.change(|spec| {
        let strategy = spec.strategy.as_mut().unwrap();
        (strategy.type_, strategy.rolling_update) = (Some("Recreate".to_owned()), None);
    });
    world.run();
    world.image("v2");
    world.step();
    assert_eq!(world.sizes(), [(1, 0)]);
    world.step();
    assert_eq!(world.sizes(), [(1, 0)]);
    world.settle();
    world.step();
    assert_eq!(world.sizes(), [(1, 0), (2, 2)]);
}
