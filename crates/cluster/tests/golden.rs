//! What Kubernetes' own libraries made of the cases in `golden/` (see `golden/main.go` for how to re-make its answers).

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};
use serin_cluster::patch::apply::{ApplyError, ApplyRequest, UpdateRequest, server_side_apply, track_update};
use serin_cluster::patch::{PatchError, json_patch, merge_patch, strategic_merge_patch};
use serin_cluster::schema::{Schema, SchemaError};

/// Runs `answer` on every case of `op` and compares.
fn check(op: &str, least: usize, answer: impl Fn(&Value) -> Value, same: impl Fn(&Value, &Value) -> bool) {
    let (cases, answers) = (include_str!("golden/cases.jsonl"), include_str!("golden/answers.jsonl"));
    assert_eq!(cases.lines().count(), answers.lines().count(), "re-make the answers");
    let schemas: Value = serde_json::from_str(include_str!("golden/schemas.json")).unwrap();
    let (mut count, mut wrong) = (0, String::new());
    for (i, (case, expected)) in cases.lines().zip(answers.lines()).enumerate() {
        let mut case: Value = serde_json::from_str(case).unwrap();
        if case["op"] != op {
            continue;
        }
        if let Some(name) = case["schema"].as_str() {
            case["schema"] = schemas[name].clone();
        }
        count += 1;
        let expected: Value = serde_json::from_str(expected).unwrap();
        let found = answer(&case);
        if !same(&expected, &found) {
            case["schema"] = Value::Null;
            let _ = writeln!(wrong, "line {}: {case}\n  expected {expected}\n  found    {found}", i + 1);
        }
    }
    assert!(count >= least, "{count} cases of {op}");
    assert!(wrong.is_empty(), "{wrong}");
}

/// Values are compared as JSON, a number by its value; that something failed counts, not the words.
fn same_outcome(expected: &Value, found: &Value) -> bool {
    match (expected.get("ok"), found.get("ok")) {
        (Some(a), Some(b)) => plain(a) == plain(b),
        (None, None) => true,
        _ => false,
    }
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

fn outcome(result: Result<Value, PatchError>) -> Value {
    match result {
        Ok(value) => json!({"ok": value}),
        Err(error) => json!({"error": error.to_string()}),
    }
}

fn builtin(kind: &str) -> Arc<Schema> {
    let group = if kind == "Deployment" { "apps" } else { "" };
    Schema::builtin(group, "v1", kind).unwrap()
}

#[test]
fn json_patches_give_what_kubernetes_gives() {
    check("json-patch", 200, |case| outcome(json_patch(&case["document"], &case["patch"])), same_outcome);
}

#[test]
fn merge_patches_give_what_kubernetes_gives() {
    check("merge-patch", 100, |case| json!({"ok": merge_patch(&case["document"], &case["patch"])}), same_outcome);
}

#[test]
fn strategic_patches_give_what_kubernetes_gives() {
    let answer = |case: &Value| {
        let schema = builtin(case["kind"].as_str().unwrap());
        outcome(strategic_merge_patch(&case["document"], &case["patch"], &schema))
    };
    check("strategic", 300, answer, same_outcome);
}

#[test]
fn built_in_kinds_are_decoded_as_kubernetes_decodes_them() {
    let answer = |case: &Value| {
        let schema = builtin(case["kind"].as_str().unwrap());
        match schema.decode_error(&case["object"]) {
            Some(error) => json!({"error": error}),
            None => json!({"unknown": schema.unknown_fields(&case["object"])}),
        }
    };
    check("decode", 50, answer, |expected, found| expected == found);
}

#[test]
fn custom_kinds_are_pruned_defaulted_and_checked_as_kubernetes_does() {
    let answer = |case: &Value| {
        let schema = match Schema::from_crd_version("example.com", "v1", "Widget", &case["schema"]) {
            Ok(schema) => schema,
            Err(SchemaError::NotStructural(faults)) => {
                let faults: Vec<String> = faults.iter().map(|fault| until_detail(&fault.to_string())).collect();
                return json!({"notStructural": faults});
            }
            Err(other) => panic!("{other}"),
        };
        let mut object = case["object"].clone();
        let unknown = schema.unknown_fields(&object);
        let unknown: Vec<&str> =
            unknown.iter().map(|text| text.trim_start_matches("unknown field \"").trim_end_matches('"')).collect();
        schema.prune(&mut object);
        schema.apply_defaults(&mut object);
        let mut invalid: Vec<String> = schema.validate(&object).iter().map(ToString::to_string).collect();
        invalid.sort();
        json!({"unknown": unknown, "object": object, "invalid": invalid})
    };
    let same = |expected: &Value, found: &Value| {
        let mut expected = expected.clone();
        if expected["unknown"].is_null() {
            expected["unknown"] = json!([]);
        }
        match expected["notStructural"].as_array() {
            Some(faults) => {
                let faults: Vec<String> = faults.iter().map(|fault| until_detail(fault.as_str().unwrap())).collect();
                json!(faults) == found["notStructural"]
            }
            None => plain(&expected) == plain(found),
        }
    };
    check("custom", 80, answer, same);
}

/// What is wrong with a regular expression, every library says in its own words.
fn until_detail(fault: &str) -> String {
    fault.split("but isn't:").next().unwrap_or_default().to_owned()
}

#[test]
fn fields_are_owned_as_kubernetes_has_it() {
    let answer = |case: &Value| {
        let schema = match case["kind"].as_str() {
            Some(kind) => builtin(kind),
            None => Schema::from_crd_version("example.com", "v1", "Widget", &case["schema"]).unwrap(),
        };
        let mut live: Option<Value> = None;
        let mut answers = Vec::new();
        for step in case["steps"].as_array().unwrap() {
            let (manager, subresource) = (step["manager"].as_str().unwrap(), step["subresource"].as_str().unwrap());
            let object = &step["object"];
            // The answers were made within a second, so to both no manager is older than another.
            let time = "2026-01-01T00:00:00Z";
            let written = if step["apply"] == true {
                server_side_apply(&ApplyRequest {
                    live: live.as_ref(),
                    config: object,
                    manager,
                    force: step["force"] == true,
                    subresource,
                    has_status: false,
                    time,
                    schema: &schema,
                })
            } else {
                let mut new = object.clone();
                let old = live.as_ref();
                let api_version = object["apiVersion"].as_str().unwrap();
                let request =
                    UpdateRequest { old, manager, api_version, subresource, has_status: false, time, schema: &schema };
                track_update(&request, &mut new);
                Ok(new)
            };
            match written {
                Ok(object) => {
                    answers.push(described(&object));
                    live = Some(object);
                }
                Err(error @ (ApplyError::Malformed(_) | ApplyError::Conflicts(_))) => {
                    answers.push(json!({"error": error.to_string()}));
                }
            }
        }
        Value::Array(answers)
    };
    let same = |expected: &Value, found: &Value| {
        let (expected, found) = (expected.as_array().unwrap(), found.as_array().unwrap());
        expected.len() == found.len()
            && expected.iter().zip(found).all(|(a, b)| match (a.get("error"), b.get("error")) {
                (Some(a), Some(b)) => error_lines(a) == error_lines(b),
                _ => without_blanks(a) == without_blanks(b),
            })
    };
    check("manage", 150, answer, same);
}

/// Conflicts are listed in no particular order within one manager.
fn error_lines(error: &Value) -> Vec<String> {
    let mut lines: Vec<String> = error.as_str().unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn described(object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut().unwrap();
    let mut managers = metadata.remove("managedFields").unwrap_or_else(|| json!([]));
    for entry in managers.as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("time");
    }
    json!({"object": object, "managers": managers})
}

/// Go writes some fields that nothing set; who owns what is compared exactly.
fn without_blanks(answer: &Value) -> Value {
    fn blank(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Object(map) => map.values().all(blank),
            _ => false,
        }
    }
    fn clean(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let kept = map.iter().filter(|(_, value)| !blank(value));
                kept.map(|(key, value)| (key.clone(), clean(value))).collect()
            }
            Value::Array(items) => items.iter().map(clean).collect(),
            other => other.clone(),
        }
    }
    let mut managers = answer["managers"].as_array().cloned().unwrap_or_default();
    managers.sort_by_key(ToString::to_string);
    json!({"object": clean(&answer["object"]), "managers": managers})
}
