//! What the gateway found of the endpoints and host names of Upstreams.

use serde_json::Value;

use super::verdict::{Finding, Grade, How};

/// How many endpoints a finding names; `/config` has them all.
const NAMED: usize = 8;

/// What is found by what `/config` says.
pub(super) fn of_config(config: &Value) -> impl Iterator<Item = Finding> {
    list(config, "health").filter(|it| it["upstream"]["kind"] == "Upstream").filter_map(finding)
}

/// Whether an answer of a health check or of DNS is still to come.
pub(super) fn is_awaited(config: &Value) -> bool {
    list(config, "health").any(|it| {
        list(it, "bad").any(|bad| bad["awaited"] == true)
            || list(it, "unresolved").any(|host| host["reason"].is_null() && host["known"] == false)
    })
}

fn finding(upstream: &Value) -> Option<Finding> {
    let (bad, hosts) = (list(upstream, "bad").count(), list(upstream, "unresolved").count());
    if bad + hosts == 0 {
        return None;
    }
    let total = upstream["endpoints"].as_u64().unwrap_or_default();
    let good = total.saturating_sub(bad as u64);
    let (grade, how) = match good {
        0 => (Grade::Problem, How::Unhealthy),
        _ => (Grade::Advice, How::Advice),
    };
    let mut lines = Vec::new();
    if bad > 0 {
        lines.push(format!("{good} of {total} endpoints are healthy"));
    }
    lines.extend(list(upstream, "bad").take(NAMED).map(endpoint));
    if bad > NAMED {
        lines.push(format!("and {} more", bad - NAMED));
    }
    lines.extend(list(upstream, "unresolved").map(host));
    let [namespace, name] = ["namespace", "name"].map(|field| text(&upstream["upstream"], field).to_owned());
    Some(Finding { grade, how, namespace, name, reason: lines.join("\n  ") })
}

fn endpoint(bad: &Value) -> String {
    let mut reasons = Vec::new();
    if let Some(reason) = bad["unhealthy"].as_str() {
        reasons.push(format!("is unhealthy: {reason}"));
    }
    if let Some(reason) = bad["ejected"].as_str() {
        let left = bad["ejectedForSeconds"].as_u64().unwrap_or_default();
        reasons.push(format!("is ejected for {left}s more: {reason}"));
    }
    format!("{} {}", text(bad, "address"), reasons.join("; "))
}

fn host(unresolved: &Value) -> String {
    let reason = unresolved["reason"].as_str().unwrap_or("DNS has not answered yet");
    let known = if unresolved["known"] == true { " (its addresses from before are still used)" } else { "" };
    format!("the host name {} cannot be looked up: {reason}{known}", text(unresolved, "host"))
}

fn list<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value[field].as_array().into_iter().flatten()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(endpoints: usize, bad: Value, unresolved: Value) -> Vec<Finding> {
        let upstream = json!({"kind": "Upstream", "namespace": "shop", "name": "cart"});
        let health = json!({"upstream": upstream, "endpoints": endpoints, "bad": bad, "unresolved": unresolved});
        of_config(&json!({ "health": [health] })).collect()
    }

    #[test]
    fn an_upstream_is_a_problem_once_no_endpoint_is_healthy() {
        let bad =
            |port: u16| json!({"address": format!("10.0.0.1:{port}"), "unhealthy": "it said 500", "awaited": false});
        assert!(found(2, json!([]), json!([])).is_empty());
        let some = found(2, json!([bad(1)]), json!([]));
        assert_eq!((some[0].grade, some[0].how), (Grade::Advice, How::Advice));
        assert_eq!(some[0].reason, "1 of 2 endpoints are healthy\n  10.0.0.1:1 is unhealthy: it said 500");
        let none = found(20, (0..20).map(bad).collect(), json!([]));
        assert_eq!((none[0].grade, none[0].how), (Grade::Problem, How::Unhealthy));
        assert!(none[0].reason.ends_with("10.0.0.1:7 is unhealthy: it said 500\n  and 12 more"), "{}", none[0].reason);
        assert!(of_config(&json!({})).next().is_none());
    }

    #[test]
    fn both_reasons_of_an_endpoint_are_told() {
        let bad = json!([{"address": "[::1]:1", "unhealthy": "a", "ejected": "b", "ejectedForSeconds": 9}]);
        let reason = &found(2, bad, json!([]))[0].reason;
        assert!(reason.ends_with("[::1]:1 is unhealthy: a; is ejected for 9s more: b"), "{reason}");
    }

    #[test]
    fn a_name_that_fails_is_a_problem_unless_something_answers() {
        let gone = json!([{"host": "no.test", "reason": "not known", "known": false}]);
        let alone = &found(0, json!([]), gone.clone())[0];
        assert_eq!(
            (alone.grade, alone.reason.as_str()),
            (Grade::Problem, "the host name no.test cannot be looked up: not known")
        );
        assert_eq!(found(1, json!([]), gone)[0].grade, Grade::Advice);
        let kept = json!([{"host": "no.test", "reason": "not known", "known": true}]);
        assert!(found(1, json!([]), kept)[0].reason.ends_with("from before are still used)"));
    }

    #[test]
    fn what_is_to_come_is_waited_for() {
        let config = |bad: Value, host: Value| json!({"health": [{"bad": bad, "unresolved": host}]});
        assert!(is_awaited(&config(json!([{"awaited": true}]), json!([]))));
        assert!(is_awaited(&config(json!([]), json!([{"host": "a", "known": false}]))));
        assert!(!is_awaited(&config(json!([{"awaited": false}]), json!([{"reason": "b", "known": false}]))));
        assert!(!is_awaited(&json!({})));
    }
}
