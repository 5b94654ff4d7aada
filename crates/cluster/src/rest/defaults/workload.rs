//! Defaults of Deployments, ReplicaSets and other owners of a pod template.

use serde_json::{Value, json};

use super::{default, pod};

/// Fills in the pod template of a workload's spec.
pub(super) fn template(spec: &mut Value) {
    let Some(template) = spec.get_mut("template") else { return };
    default(template, "metadata", json!({}));
    if let Some(spec) = template.get_mut("spec") {
        pod::spec(spec);
    }
}

pub(super) fn deployment(value: &mut Value) {
    let Some(spec) = value.get_mut("spec") else { return };
    default(spec, "replicas", 1);
    default(spec, "strategy", json!({}));
    default(&mut spec["strategy"], "type", "RollingUpdate");
    if spec["strategy"]["type"] == "RollingUpdate" {
        default(&mut spec["strategy"], "rollingUpdate", json!({}));
        default(&mut spec["strategy"]["rollingUpdate"], "maxSurge", "25%");
        default(&mut spec["strategy"]["rollingUpdate"], "maxUnavailable", "25%");
    }
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "progressDeadlineSeconds", 600);
    template(spec);
    default(value, "status", json!({}));
}

pub(super) fn replica_set(value: &mut Value) {
    let Some(spec) = value.get_mut("spec") else { return };
    default(spec, "replicas", 1);
    template(spec);
    default(value, "status", json!({"replicas": 0}));
}
