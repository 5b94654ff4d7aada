//! Defaults of the kinds that make pods.

use serde_json::{Value, json};

use super::{always, inner, make, pod, set};

pub(super) fn apply(kind: &str, object: &mut Value) {
    if kind == "CronJob" {
        return cron_job(object);
    }
    labels_from_template(kind, object);
    let Some(spec) = inner(object, "spec") else { return };
    if let Some(template) = inner(spec, "template") {
        always(template, "metadata", json!({}));
        pod::template(template);
    }
    match kind {
        "Deployment" => deployment(spec),
        "ReplicaSet" | "ReplicationController" => always(spec, "replicas", json!(1)),
        "StatefulSet" => stateful_set(spec),
        "DaemonSet" => daemon_set(spec),
        "Job" => job(spec),
        _ => {}
    }
    always(
        object,
        "status",
        match kind {
            "ReplicaSet" | "ReplicationController" => json!({"replicas": 0}),
            "StatefulSet" => json!({"replicas": 0, "availableReplicas": 0}),
            "DaemonSet" => json!({
                "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
            }),
            _ => json!({}),
        },
    );
}

fn labels_from_template(kind: &str, object: &mut Value) {
    let labels = object["spec"]["template"]["metadata"]["labels"].clone();
    if !matches!(kind, "ReplicationController" | "Job") || !labels.is_object() {
        return;
    }
    if kind == "ReplicationController"
        && let Some(spec) = inner(object, "spec")
    {
        always(spec, "selector", labels.clone());
    }
    if let Some(metadata) = inner(object, "metadata") {
        always(metadata, "labels", labels);
    }
}

fn deployment(spec: &mut Value) {
    always(spec, "replicas", json!(1));
    always(spec, "revisionHistoryLimit", json!(10));
    always(spec, "progressDeadlineSeconds", json!(600));
    let Some(strategy) = make(spec, "strategy") else { return };
    set(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate"
        && let Some(rolling) = make(strategy, "rollingUpdate")
    {
        always(rolling, "maxUnavailable", json!("25%"));
        always(rolling, "maxSurge", json!("25%"));
    }
}

fn stateful_set(spec: &mut Value) {
    set(spec, "podManagementPolicy", json!("OrderedReady"));
    always(spec, "replicas", json!(1));
    always(spec, "revisionHistoryLimit", json!(10));
    if let Some(strategy) = make(spec, "updateStrategy") {
        if strategy["type"].as_str().unwrap_or_default().is_empty() {
            set(strategy, "type", json!("RollingUpdate"));
            always(strategy, "rollingUpdate", json!({}));
        }
        if strategy["type"] == "RollingUpdate"
            && let Some(rolling) = inner(strategy, "rollingUpdate")
        {
            always(rolling, "partition", json!(0));
        }
    }
    if let Some(policy) = make(spec, "persistentVolumeClaimRetentionPolicy") {
        set(policy, "whenDeleted", json!("Retain"));
        set(policy, "whenScaled", json!("Retain"));
    }
}

fn daemon_set(spec: &mut Value) {
    always(spec, "revisionHistoryLimit", json!(10));
    let Some(strategy) = make(spec, "updateStrategy") else { return };
    set(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate"
        && let Some(rolling) = make(strategy, "rollingUpdate")
    {
        always(rolling, "maxUnavailable", json!(1));
        always(rolling, "maxSurge", json!(0));
    }
}

fn job(spec: &mut Value) {
    if spec["parallelism"].is_null() && spec["completions"].is_null() {
        always(spec, "completions", json!(1));
    }
    always(spec, "parallelism", json!(1));
    let limit = if spec["backoffLimitPerIndex"].is_null() { 6 } else { i32::MAX };
    always(spec, "backoffLimit", json!(limit));
    always(spec, "completionMode", json!("NonIndexed"));
    always(spec, "suspend", json!(false));
    always(spec, "manualSelector", json!(false));
    let replacement = if spec["podFailurePolicy"].is_null() { "TerminatingOrFailed" } else { "Failed" };
    always(spec, "podReplacementPolicy", json!(replacement));
}

fn cron_job(object: &mut Value) {
    always(object, "status", json!({}));
    let Some(spec) = inner(object, "spec") else { return };
    set(spec, "concurrencyPolicy", json!("Allow"));
    always(spec, "suspend", json!(false));
    always(spec, "successfulJobsHistoryLimit", json!(3));
    always(spec, "failedJobsHistoryLimit", json!(1));
    let template = inner(spec, "jobTemplate").and_then(|job| inner(job, "spec")).and_then(|job| inner(job, "template"));
    if let Some(template) = template {
        pod::template(template);
    }
}
