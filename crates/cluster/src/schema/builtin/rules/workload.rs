//! Rules for the kinds that make pods.

use serde_json::{Value, json};

use super::{Errors, pod, positive, selector, text};
use crate::schema::FieldError;

pub(super) fn check(kind: &str, object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let spec = &object["spec"];
    for field in ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"] {
        positive(&spec[field], &format!("spec.{field}"), 0, errors);
    }
    match kind {
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => {
            select(kind, spec, errors);
            if kind == "Deployment" {
                strategy(&spec["strategy"], errors);
                deadline(spec, errors);
            }
            if let Some(old) = old {
                errors.immutable("spec.selector", &spec["selector"], &old["spec"]["selector"]);
            }
        }
        "Job" => {
            pod::template(&spec["template"], "spec.template", errors);
            restart_policy(&spec["template"], "spec.template", &["OnFailure", "Never"], errors);
        }
        "CronJob" => {
            if text(&spec["schedule"]).is_empty() {
                errors.push(FieldError::required("spec.schedule", ""));
            }
            let (template, path) = (&spec["jobTemplate"]["spec"]["template"], "spec.jobTemplate.spec.template");
            pod::template(template, path, errors);
            restart_policy(template, path, &["OnFailure", "Never"], errors);
        }
        _ => {}
    }
}

fn select(kind: &str, spec: &Value, errors: &mut Errors) {
    let (wanted, template) = (&spec["selector"], &spec["template"]);
    if wanted.is_object() {
        selector::check(wanted, "spec.selector", errors);
        if selector::is_empty(wanted) {
            let kind = if kind == "ReplicaSet" { "deployment".to_owned() } else { kind.to_lowercase() };
            let words = format!("empty selector is invalid for {kind}");
            errors.push(FieldError::invalid("spec.selector", wanted, &words));
        }
    } else {
        errors.push(FieldError::required("spec.selector", ""));
    }
    let labels = &template["metadata"]["labels"];
    // Without a selector nothing is selected, which no labels match.
    if !wanted.is_object() || (!selector::is_empty(wanted) && !selector::matches(wanted, labels)) {
        let words = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid("spec.template.metadata.labels", labels, words));
    }
    pod::template(template, "spec.template", errors);
    restart_policy(template, "spec.template", &["Always"], errors);
}

fn restart_policy(template: &Value, path: &str, allowed: &[&str], errors: &mut Errors) {
    let policy = &template["spec"]["restartPolicy"];
    if !allowed.contains(&text(policy)) {
        errors.push(FieldError::not_supported(format!("{path}.spec.restartPolicy"), policy, allowed));
    }
}

fn deadline(spec: &Value, errors: &mut Errors) {
    let (Some(deadline), ready) =
        (spec["progressDeadlineSeconds"].as_i64(), spec["minReadySeconds"].as_i64().unwrap_or(0))
    else {
        return;
    };
    if deadline <= ready {
        let words = "must be greater than minReadySeconds";
        errors.push(FieldError::invalid("spec.progressDeadlineSeconds", &json!(deadline), words));
    }
}

fn strategy(strategy: &Value, errors: &mut Errors) {
    let rolling = &strategy["rollingUpdate"];
    match text(&strategy["type"]) {
        "Recreate" => {
            if rolling.is_object() {
                let words = "may not be specified when strategy `type` is 'Recreate'";
                errors.push(FieldError::forbidden("spec.strategy.rollingUpdate", words));
            }
        }
        "RollingUpdate" => {
            for field in ["maxUnavailable", "maxSurge"] {
                amount(&rolling[field], &format!("spec.strategy.rollingUpdate.{field}"), errors);
            }
            let path = "spec.strategy.rollingUpdate.maxUnavailable";
            let unavailable = &rolling["maxUnavailable"];
            if is_zero(unavailable) && is_zero(&rolling["maxSurge"]) {
                errors.push(FieldError::invalid(path, unavailable, "may not be 0 when `maxSurge` is 0"));
            }
            if percent(unavailable).is_some_and(|percent| percent > 100) {
                errors.push(FieldError::invalid(path, unavailable, "must not be greater than 100%"));
            }
        }
        _ => errors.push(FieldError::not_supported("spec.strategy", strategy, &["Recreate", "RollingUpdate"])),
    }
}

fn percent(value: &Value) -> Option<i64> {
    let digits = value.as_str()?.strip_suffix('%')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

fn is_zero(value: &Value) -> bool {
    value.as_i64().or_else(|| percent(value)) == Some(0)
}

fn amount(value: &Value, path: &str, errors: &mut Errors) {
    if value.is_string() && percent(value).is_none() {
        let words = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', \
                     regex used for validation is '[0-9]+%')";
        errors.push(FieldError::invalid(path, value, words));
    }
    positive(value, path, 0, errors);
}
