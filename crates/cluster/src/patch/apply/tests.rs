use serde_json::{Value, json};

use super::{ApplyError, ApplyRequest, UpdateRequest, server_side_apply, settle, track_update};
use crate::schema::Schema;

const T1: &str = "2026-01-01T00:00:01Z";
const T2: &str = "2026-01-01T00:00:02Z";

fn apply(live: Option<&Value>, config: &Value, manager: &str, force: bool) -> Result<Value, ApplyError> {
    let schema = Schema::builtin("apps", "v1", "Deployment").unwrap();
    let request =
        ApplyRequest { live, config, manager, force, subresource: "", has_status: true, time: T2, schema: &schema };
    server_side_apply(&request)
}

fn update(old: Option<&Value>, new: &Value, manager: &str, subresource: &str) -> Value {
    let schema = Schema::builtin("apps", "v1", "Deployment").unwrap();
    let mut new = new.clone();
    let request = UpdateRequest {
        old,
        manager,
        api_version: "apps/v1",
        subresource,
        has_status: true,
        time: T1,
        schema: &schema,
    };
    track_update(&request, &mut new);
    new
}

fn deployment(spec: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "default"}, "spec": spec})
}

fn owned(object: &Value, manager: &str) -> Value {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["manager"] == manager);
    entry.map_or(Value::Null, |entry| entry["fieldsV1"].clone())
}

#[test]
fn who_creates_owns_all_but_the_servers_fields() {
    let mut object =
        deployment(json!({"replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}));
    object["status"] = json!({"replicas": 1});
    let created = update(None, &object, "kubectl-create", "");
    let expected = json!({"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
        "k:{\"name\":\"c\"}": {".": {}, "f:image": {}, "f:name": {}},
    }}}}});
    assert_eq!(owned(&created, "kubectl-create"), expected);
    assert_eq!(created["metadata"]["managedFields"][0]["operation"], "Update");
}

#[test]
fn a_change_to_anothers_field_is_a_conflict_that_force_resolves() {
    let created = update(None, &deployment(json!({"replicas": 1})), "kubectl", "");
    let config = deployment(json!({"replicas": 2}));
    let error = apply(Some(&created), &config, "me", false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Apply failed with 1 conflict: conflict with \"kubectl\" using apps/v1: .spec.replicas"
    );
    let forced = apply(Some(&created), &config, "me", true).unwrap();
    assert_eq!(forced["spec"]["replicas"], 2);
    assert_eq!(owned(&forced, "me"), json!({"f:spec": {"f:replicas": {}}}));
    assert_eq!(owned(&forced, "kubectl"), Value::Null, "the other manager has nothing left");
    let several = apply(
        Some(&update(Some(&created), &deployment(json!({"replicas": 1, "paused": true})), "x", "")),
        &deployment(json!({"replicas": 2, "paused": false})),
        "me",
        false,
    )
    .unwrap_err();
    assert_eq!(
        several.to_string(),
        "Apply failed with 2 conflicts: conflicts with \"kubectl\" using apps/v1:\n- .spec.replicas\n\
         conflicts with \"x\" using apps/v1:\n- .spec.paused"
    );
}

#[test]
fn the_same_value_is_owned_by_both() {
    let first = apply(None, &deployment(json!({"replicas": 1})), "a", false).unwrap();
    let both = apply(Some(&first), &deployment(json!({"replicas": 1})), "b", false).unwrap();
    assert_eq!(owned(&both, "a"), owned(&both, "b"));
    let without = apply(Some(&both), &deployment(json!({"paused": true})), "a", false).unwrap();
    assert_eq!(without["spec"], json!({"replicas": 1, "paused": true}), "b still wants it");
    let gone = apply(Some(&without), &deployment(json!({"paused": true})), "b", false).unwrap();
    assert_eq!(gone["spec"], json!({"paused": true}), "nobody wants it any more");
}

#[test]
fn fields_and_items_that_are_no_longer_applied_go() {
    let with = |containers: Value, labels: Value| {
        deployment(json!({"template": {"metadata": {"labels": labels}, "spec": {"containers": containers}}}))
    };
    let first = apply(
        None,
        &with(
            json!([{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b", "image": "1"}]),
            json!({"k": "v"}),
        ),
        "me",
        false,
    )
    .unwrap();
    let mut defaulted = first.clone();
    defaulted["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = json!("Always");
    let second = apply(Some(&defaulted), &with(json!([{"name": "a", "image": "2"}]), json!({})), "me", false).unwrap();
    assert_eq!(
        second["spec"]["template"]["spec"]["containers"],
        json!([{"name": "a", "image": "2", "imagePullPolicy": "Always"}])
    );
    assert_eq!(second["spec"]["template"]["metadata"]["labels"], Value::Null);
}

#[test]
fn applying_again_changes_nothing() {
    let config = deployment(
        json!({"replicas": 1, "template": {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}]}]}}}),
    );
    let first = apply(None, &config, "me", false).unwrap();
    let mut second = apply(Some(&first), &config, "me", false).unwrap();
    assert!(settle(&first, &mut second));
    assert_eq!(first, second);
}

#[test]
fn ports_are_known_by_number_and_protocol() {
    let ports =
        |ports: Value| deployment(json!({"template": {"spec": {"containers": [{"name": "a", "ports": ports}]}}}));
    let first = apply(None, &ports(json!([{"containerPort": 80}])), "me", false).unwrap();
    let mut defaulted = first.clone();
    defaulted["spec"]["template"]["spec"]["containers"][0]["ports"][0]["protocol"] = json!("TCP");
    let second = apply(
        Some(&defaulted),
        &ports(json!([{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}])),
        "me",
        false,
    )
    .unwrap();
    assert_eq!(second["spec"]["template"]["spec"]["containers"][0]["ports"].as_array().unwrap().len(), 2);
    let twice =
        apply(None, &ports(json!([{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}])), "me", false)
            .unwrap_err();
    assert!(twice.to_string().contains("duplicate entries for key [containerPort=80,protocol=\"TCP\"]"), "{twice}");
}

#[test]
fn kubectl_takes_back_what_its_client_side_apply_set() {
    let config = deployment(json!({"replicas": 1}));
    let mut object = config.clone();
    object["metadata"]["annotations"] = json!({super::LAST_APPLIED: config.to_string()});
    let created = update(None, &object, "kubectl-client-side-apply", "");
    let next = deployment(json!({"replicas": 3}));
    assert!(apply(Some(&created), &next, "other", false).is_err());
    let applied = apply(Some(&created), &next, "kubectl", false).unwrap();
    assert_eq!(applied["spec"]["replicas"], 3);
    let annotation = applied["metadata"]["annotations"][super::LAST_APPLIED].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(annotation).unwrap(), next);
}

#[test]
fn a_status_write_owns_only_status_and_is_another_manager() {
    let created = update(None, &deployment(json!({"replicas": 1})), "serin", "");
    let mut new = created.clone();
    new["status"] = json!({"replicas": 1, "conditions": [{"type": "Available", "status": "True"}]});
    let updated = update(Some(&created), &new, "serin", "status");
    let entries = updated["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    let status = entries.iter().find(|entry| entry["subresource"] == "status").unwrap();
    let key = "k:{\"type\":\"Available\"}";
    assert_eq!(status["fieldsV1"]["f:status"]["f:conditions"][key], json!({".": {}, "f:status": {}, "f:type": {}}));
}

#[test]
fn managers_by_update_are_capped() {
    let mut object = update(None, &deployment(json!({"replicas": 0})), "m0", "");
    for i in 1..=15 {
        let mut new = object.clone();
        new["metadata"]["annotations"][format!("a{i}")] = json!("x");
        object = update(Some(&object), &new, &format!("m{i}"), "");
    }
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries.len(), 10);
    assert!(entries.iter().any(|entry| entry["manager"] == "ancient-changes"));
}

#[test]
fn unknown_fields_cannot_be_applied() {
    let error = apply(None, &deployment(json!({"foo": 1})), "me", false).unwrap_err();
    let expected = "failed to create typed patch object (default/d; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema";
    assert_eq!(error, ApplyError::Malformed(expected.to_owned()));
}

#[test]
fn managed_fields_can_be_reset_and_are_kept_from_clients_that_drop_them() {
    let created = update(None, &deployment(json!({"replicas": 1})), "a", "");
    let mut dropped = created.clone();
    dropped["metadata"].as_object_mut().unwrap().remove("managedFields");
    assert_eq!(update(Some(&created), &dropped, "b", ""), created);
    let mut reset = created.clone();
    reset["metadata"]["managedFields"] = json!([{}]);
    assert_eq!(update(Some(&created), &reset, "b", "")["metadata"].get("managedFields"), None);
}
