//! The columns of pods, which say in a word what a pod is about.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age;
use super::columns::{self, Cells, Column, items, name, number, or_none, text, wide};
use crate::registry::Resource;

const COLUMNS: &[Column] = &[
    text("Name"),
    text("Ready"),
    text("Status"),
    text("Restarts"),
    text("Age"),
    wide("IP"),
    wide("Node"),
    wide("Nominated Node"),
    wide("Readiness Gates"),
];

pub(super) fn layout(resource: &Resource) -> Option<(&'static [Column], Cells)> {
    (&*resource.storage == "/pods").then_some((COLUMNS, cells as Cells))
}

fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let status = &pod["status"];
    let summary = summarise(pod);
    let restarts = match summary.last_restart {
        Some(ended) if summary.restarts > 0 => {
            format!("{} ({} ago)", summary.restarts, age::human(now.as_second() - ended.as_second()))
        }
        _ => summary.restarts.to_string(),
    };
    vec![
        name(pod),
        format!("{}/{}", summary.ready, items(&pod["spec"]["containers"]).len() + sidecars(pod)).into(),
        summary.reason.into(),
        restarts.into(),
        columns::age(pod, now),
        or_none(&status["podIPs"][0]["ip"]),
        or_none(&pod["spec"]["nodeName"]),
        or_none(&status["nominatedNodeName"]),
        gates(pod),
    ]
}

#[derive(Default)]
struct Summary {
    reason: String,
    ready: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
    /// Restarts, and the last of them, of init containers that stay.
    of_sidecars: (i64, Option<Timestamp>),
}

/// The word of the STATUS column, as `kubectl get pods` has always chosen it.
fn summarise(pod: &Value) -> Summary {
    let status = &pod["status"];
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut reason = word(&status["reason"]);
    if reason.is_empty() {
        reason = word(&status["phase"]);
    }
    let mut summary = Summary { reason, ready: 0, restarts: 0, last_restart: None, of_sidecars: (0, None) };
    if !initialising(pod, &mut summary) {
        (summary.restarts, summary.last_restart) = summary.of_sidecars;
        let mut running = false;
        for container in items(&status["containerStatuses"]).iter().rev() {
            count_restarts(container, &mut summary);
            let state = &container["state"];
            let (waiting, terminated) = (&state["waiting"]["reason"], &state["terminated"]);
            if waiting.as_str().is_some_and(|reason| !reason.is_empty()) {
                summary.reason = word(waiting);
            } else if terminated.is_object() {
                summary.reason = ending(terminated);
            } else if container["ready"] == true && state["running"].is_object() {
                running = true;
                summary.ready += 1;
            }
        }
        if summary.reason == "Completed" && running {
            let ready = items(&status["conditions"]).iter().any(|c| c["type"] == "Ready" && c["status"] == "True");
            summary.reason = if ready { "Running" } else { "NotReady" }.into();
        }
    }
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        let ended = matches!(status["phase"].as_str(), Some("Succeeded" | "Failed"));
        if status["reason"] == "NodeLost" {
            summary.reason = "Unknown".into();
        } else if !ended {
            summary.reason = "Terminating".into();
        }
    }
    summary
}

/// Whether init containers are still at it, which then give the reason.
fn initialising(pod: &Value, summary: &mut Summary) -> bool {
    let statuses = items(&pod["status"]["initContainerStatuses"]);
    let total = items(&pod["spec"]["initContainers"]).len();
    for (i, container) in statuses.iter().enumerate() {
        count_restarts(container, summary);
        let state = &container["state"];
        let (waiting, terminated) = (state["waiting"]["reason"].as_str().unwrap_or_default(), &state["terminated"]);
        if terminated.is_object() && number(&terminated["exitCode"]) == 0 {
            continue;
        }
        if is_sidecar(pod, container) {
            let mut own = Summary::default();
            count_restarts(container, &mut own);
            summary.of_sidecars.0 += own.restarts;
            summary.of_sidecars.1 = summary.of_sidecars.1.max(own.last_restart);
            if container["started"] == true {
                summary.ready += usize::from(container["ready"] == true);
                continue;
            }
        }
        summary.reason = if terminated.is_object() {
            format!("Init:{}", ending(terminated))
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{i}/{total}")
        };
        return true;
    }
    false
}

/// Whether a status is that of an init container that stays.
fn is_sidecar(pod: &Value, status: &Value) -> bool {
    let named = items(&pod["spec"]["initContainers"]).iter().find(|container| container["name"] == status["name"]);
    named.is_some_and(|container| container["restartPolicy"] == "Always")
}

fn sidecars(pod: &Value) -> usize {
    items(&pod["spec"]["initContainers"]).iter().filter(|container| container["restartPolicy"] == "Always").count()
}

/// How a container ended.
fn ending(terminated: &Value) -> String {
    match terminated["reason"].as_str() {
        Some(reason) if !reason.is_empty() => reason.to_owned(),
        _ if number(&terminated["signal"]) != 0 => format!("Signal:{}", terminated["signal"]),
        _ => format!("ExitCode:{}", number(&terminated["exitCode"])),
    }
}

fn count_restarts(container: &Value, summary: &mut Summary) {
    summary.restarts += number(&container["restartCount"]);
    let ended = container["lastState"]["terminated"]["finishedAt"].as_str().and_then(|text| text.parse().ok());
    summary.last_restart = summary.last_restart.max(ended);
}

fn gates(pod: &Value) -> Value {
    let gates = items(&pod["spec"]["readinessGates"]);
    if gates.is_empty() {
        return json!("<none>");
    }
    let conditions = items(&pod["status"]["conditions"]);
    let open = |gate: &&Value| conditions.iter().any(|c| c["type"] == gate["conditionType"] && c["status"] == "True");
    format!("{}/{}", gates.iter().filter(open).count(), gates.len()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(pod: &Value) -> String {
        summarise(pod).reason
    }

    #[test]
    fn the_status_column_says_what_is_the_matter() {
        let running =
            json!({"status": {"phase": "Running", "containerStatuses": [{"ready": true, "state": {"running": {}}}]}});
        assert_eq!(status(&running), "Running");
        let waiting = json!({"status": {"phase": "Running", "containerStatuses": [
            {"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}});
        assert_eq!(status(&waiting), "CrashLoopBackOff");
        let failed =
            json!({"status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 2}}}]}});
        assert_eq!(status(&failed), "ExitCode:2");
        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": {"phase": "Running"}});
        assert_eq!(status(&going), "Terminating");
        let initialising = json!({"spec": {"initContainers": [{}, {}]}, "status": {"phase": "Pending", "initContainerStatuses": [
            {"state": {"terminated": {"exitCode": 0}}}, {"state": {"running": {}}}]}});
        assert_eq!(status(&initialising), "Init:1/2");
    }
}
