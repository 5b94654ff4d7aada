//! The columns of workloads.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age;
use super::columns::{
    Cells, Column, age, containers, integer, items, labels, name, number, or_none, selector, text, wide,
};
use crate::registry::Resource;

const CONTAINERS: Column = wide("Containers");
const IMAGES: Column = wide("Images");
const SELECTOR: Column = wide("Selector");

pub(super) fn layout(resource: &Resource) -> Option<(&'static [Column], Cells)> {
    let layout: (&'static [Column], Cells) = match &*resource.storage {
        "apps/deployments" => (
            const {
                &[
                    text("Name"),
                    text("Ready"),
                    integer("Up-to-date"),
                    integer("Available"),
                    text("Age"),
                    CONTAINERS,
                    IMAGES,
                    SELECTOR,
                ]
            },
            deployment,
        ),
        "apps/replicasets" => (
            const {
                &[
                    text("Name"),
                    integer("Desired"),
                    integer("Current"),
                    integer("Ready"),
                    text("Age"),
                    CONTAINERS,
                    IMAGES,
                    SELECTOR,
                ]
            },
            replica_set,
        ),
        "apps/statefulsets" => {
            (const { &[text("Name"), text("Ready"), text("Age"), CONTAINERS, IMAGES] }, stateful_set)
        }
        "apps/daemonsets" => (
            const {
                &[
                    text("Name"),
                    integer("Desired"),
                    integer("Current"),
                    integer("Ready"),
                    integer("Up-to-date"),
                    integer("Available"),
                    text("Node Selector"),
                    text("Age"),
                    CONTAINERS,
                    IMAGES,
                    SELECTOR,
                ]
            },
            daemon_set,
        ),
        "batch/jobs" => (
            const {
                &[
                    text("Name"),
                    text("Status"),
                    text("Completions"),
                    text("Duration"),
                    text("Age"),
                    CONTAINERS,
                    IMAGES,
                    SELECTOR,
                ]
            },
            job,
        ),
        "batch/cronjobs" => (
            const {
                &[
                    text("Name"),
                    text("Schedule"),
                    text("Timezone"),
                    text("Suspend"),
                    integer("Active"),
                    text("Last Schedule"),
                    text("Age"),
                    CONTAINERS,
                    IMAGES,
                    SELECTOR,
                ]
            },
            cron_job,
        ),
        "autoscaling/horizontalpodautoscalers" => (
            const {
                &[
                    text("Name"),
                    text("Reference"),
                    text("Targets"),
                    text("MinPods"),
                    text("MaxPods"),
                    text("Replicas"),
                    text("Age"),
                ]
            },
            autoscaler,
        ),
        "policy/poddisruptionbudgets" => (
            const {
                &[
                    text("Name"),
                    text("Min Available"),
                    text("Max Unavailable"),
                    integer("Allowed Disruptions"),
                    text("Age"),
                ]
            },
            budget,
        ),
        _ => return None,
    };
    Some(layout)
}

/// A number or percentage as text, or what stands for none.
fn plain(value: &Value, none: &str) -> Value {
    match value {
        Value::Null => none.into(),
        Value::String(text) => text.as_str().into(),
        other => other.to_string().into(),
    }
}

/// Containers, images and selector.
fn rest(object: &Value) -> Vec<Value> {
    let [names, images] = containers(&object["spec"]["template"]["spec"]);
    vec![names, images, selector(&object["spec"]["selector"]).into()]
}

fn deployment(o: &Value, now: Timestamp) -> Vec<Value> {
    let status = &o["status"];
    let ready = format!("{}/{}", number(&status["readyReplicas"]), number(&o["spec"]["replicas"]));
    let counts = [json!(number(&status["updatedReplicas"])), json!(number(&status["availableReplicas"]))];
    [vec![name(o), ready.into()], counts.into(), vec![age(o, now)], rest(o)].concat()
}

fn replica_set(o: &Value, now: Timestamp) -> Vec<Value> {
    let counts = [&o["spec"]["replicas"], &o["status"]["replicas"], &o["status"]["readyReplicas"]];
    let counts = counts.map(|count| json!(number(count)));
    [vec![name(o)], counts.into(), vec![age(o, now)], rest(o)].concat()
}

fn stateful_set(o: &Value, now: Timestamp) -> Vec<Value> {
    let ready = format!("{}/{}", number(&o["status"]["readyReplicas"]), number(&o["spec"]["replicas"]));
    let [names, images] = containers(&o["spec"]["template"]["spec"]);
    vec![name(o), ready.into(), age(o, now), names, images]
}

fn daemon_set(o: &Value, now: Timestamp) -> Vec<Value> {
    let fields = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ];
    let counts = fields.map(|field| json!(number(&o["status"][field])));
    let nodes = labels(&o["spec"]["template"]["spec"]["nodeSelector"]);
    [vec![name(o)], counts.into(), vec![nodes.into(), age(o, now)], rest(o)].concat()
}

fn job(o: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&o["spec"], &o["status"]);
    let holds = |kind: &str| items(&status["conditions"]).iter().any(|c| c["type"] == kind && c["status"] == "True");
    let state = if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if holds("Suspended") {
        "Suspended"
    } else {
        "Running"
    };
    let wanted = spec["completions"].as_i64().or(spec["parallelism"].as_i64()).unwrap_or(1);
    let duration = match (status["startTime"].as_str(), status["completionTime"].as_str()) {
        (None, _) => String::new(),
        (Some(_), None) => age::since(&status["startTime"], now),
        (Some(_), Some(end)) => end.parse().map_or_else(|_| String::new(), |end| age::since(&status["startTime"], end)),
    };
    let completions = format!("{}/{wanted}", number(&status["succeeded"]));
    [vec![name(o), state.into(), completions.into(), duration.into(), age(o, now)], rest(o)].concat()
}

fn cron_job(o: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&o["spec"], &o["status"]);
    let last = if status["lastScheduleTime"].is_null() {
        "<none>".into()
    } else {
        age::since(&status["lastScheduleTime"], now)
    };
    let suspend = if spec["suspend"] == true { "True" } else { "False" };
    let [names, images] = containers(&spec["jobTemplate"]["spec"]["template"]["spec"]);
    vec![
        name(o),
        spec["schedule"].clone(),
        or_none(&spec["timeZone"]),
        suspend.into(),
        json!(items(&status["active"]).len()),
        last.into(),
        age(o, now),
        names,
        images,
        selector(&spec["jobTemplate"]["spec"]["selector"]).into(),
    ]
}

fn autoscaler(o: &Value, now: Timestamp) -> Vec<Value> {
    let target = &o["spec"]["scaleTargetRef"];
    let reference =
        format!("{}/{}", target["kind"].as_str().unwrap_or_default(), target["name"].as_str().unwrap_or_default());
    vec![
        name(o),
        reference.into(),
        "<unknown>".into(),
        plain(&o["spec"]["minReplicas"], "<unset>"),
        plain(&o["spec"]["maxReplicas"], "<unset>"),
        number(&o["status"]["currentReplicas"]).to_string().into(),
        age(o, now),
    ]
}

fn budget(o: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        name(o),
        plain(&o["spec"]["minAvailable"], "N/A"),
        plain(&o["spec"]["maxUnavailable"], "N/A"),
        json!(number(&o["status"]["disruptionsAllowed"])),
        age(o, now),
    ]
}
