//! What holds for every document and every patch.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use serin_cluster::patch::apply::{ApplyRequest, Set, UpdateRequest, server_side_apply, settle, track_update};
use serin_cluster::patch::{json_patch, merge_patch, strategic_merge_patch};
use serin_cluster::schema::{Schema, duplicate_fields};

/// Any JSON, of keys that objects of Kubernetes have, so that it gets past the first field.
fn anything() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "metadata",
        "spec",
        "status",
        "name",
        "labels",
        "containers",
        "env",
        "ports",
        "port",
        "template",
        "selector",
        "matchLabels",
        "strategy",
        "type",
        "volumes",
        "data",
        "image",
        "$patch",
        "$setElementOrder/containers",
        "$retainKeys",
        "conditions",
        "valueFrom",
        "livenessProbe",
        "httpGet",
        "resources",
        "limits",
        "cpu",
        "versions",
        "roleRef",
        "subjects",
        "endpoints",
        "addresses",
        "finalizers",
        "managedFields",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..70_000).prop_map(Value::from),
        (-2.0..2.0_f64).prop_map(Value::from),
        prop::sample::select(vec!["", "a", "25%", "replace", "delete", "Always", "ClientIP", "1Gi", "A_", "x/y"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

fn whole() -> impl Strategy<Value = Value> {
    (anything(), anything(), anything()).prop_map(|(metadata, spec, rest)| {
        let mut object = rest.as_object().cloned().unwrap_or_default();
        object.insert("metadata".into(), metadata);
        object.insert("spec".into(), spec);
        Value::Object(object)
    })
}

/// A list of containers with different names, some with variables.
fn containers() -> impl Strategy<Value = Value> {
    let env = prop::collection::btree_map("[A-C]", "[0-9]", 0..3);
    prop::collection::btree_map("[a-e]", (env, "[0-9]"), 0..5).prop_map(|containers| {
        let item = |(name, (env, image)): (String, (std::collections::BTreeMap<String, String>, String))| {
            let env: Vec<Value> = env.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
            json!({"name": name, "image": image, "env": env})
        };
        containers.into_iter().map(item).collect()
    })
}

fn deployment(containers: Value, replicas: Option<i64>) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"},
        "spec": {"template": {"spec": {"containers": containers}}},
    });
    if let Some(replicas) = replicas {
        object["spec"]["replicas"] = json!(replicas);
    }
    object
}

fn apps() -> std::sync::Arc<Schema> {
    Schema::builtin("apps", "v1", "Deployment").unwrap()
}

fn apply(live: Option<&Value>, config: &Value, manager: &str) -> Value {
    let schema = apps();
    let request = ApplyRequest {
        live,
        config,
        manager,
        force: true,
        subresource: "",
        has_status: true,
        time: "2026-01-01T00:00:00Z",
        schema: &schema,
    };
    server_side_apply(&request).unwrap()
}

const KINDS: [(&str, &str); 10] = [
    ("", "Pod"),
    ("", "Service"),
    ("", "ConfigMap"),
    ("", "Secret"),
    ("", "Namespace"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_merge_patch_twice_is_once(document in anything(), patch in anything()) {
        let once = merge_patch(&document, &patch);
        prop_assert_eq!(merge_patch(&once, &patch), once);
    }

    #[test]
    fn any_strategic_patch_is_applied_or_refused(document in whole(), patch in whole()) {
        let _ = strategic_merge_patch(&document, &patch, &apps());
    }

    #[test]
    fn a_strategic_patch_without_directives_twice_is_once(
        before in containers(), after in containers(), replicas in prop::option::of(0_i64..9),
    ) {
        let (document, patch) = (deployment(before, Some(1)), deployment(after, replicas));
        let once = strategic_merge_patch(&document, &patch, &apps()).unwrap();
        prop_assert_eq!(strategic_merge_patch(&once, &patch, &apps()).unwrap(), once);
    }

    #[test]
    fn any_json_patch_is_applied_or_refused(document in anything(), value in anything(), paths in prop::collection::vec("(/(a|x|metadata|spec|0|1|-|~0|~1)){0,3}", 2), op in "add|remove|replace|move|copy|test") {
        let patch = json!([{"op": op, "path": paths[0], "from": paths[1], "value": value}]);
        if let Ok(changed) = json_patch(&document, &patch) && op == "add" && !paths[0].ends_with('-') {
            let test = json!([{"op": "test", "path": paths[0], "value": value}]);
            prop_assert!(json_patch(&changed, &test).is_ok());
        }
    }

    #[test]
    fn applying_again_changes_nothing_and_applying_nothing_leaves_nothing(
        first in containers(), other in containers(), replicas in prop::option::of(0_i64..9),
    ) {
        let base = apply(None, &deployment(other, Some(3)), "other");
        let config = deployment(first, replicas);
        let once = apply(Some(&base), &config, "me");
        let mut twice = apply(Some(&once), &config, "me");
        prop_assert!(settle(&once, &mut twice), "{} {}", once, twice);
        // Both let go of everything.
        let blank = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}});
        let end = apply(Some(&apply(Some(&twice), &blank, "me")), &blank, "other");
        prop_assert_eq!(end.get("spec"), None, "{}", end);
        prop_assert_eq!(end["metadata"].get("managedFields"), None);
    }

    #[test]
    fn an_update_owns_what_it_changed_and_nobody_owns_what_is_gone(before in containers(), after in containers()) {
        let schema = apps();
        let mut old = deployment(before, Some(1));
        let request = UpdateRequest {
            old: None, manager: "a", api_version: "apps/v1", subresource: "", has_status: true,
            time: "2026-01-01T00:00:00Z", schema: &schema,
        };
        track_update(&request, &mut old);
        let mut new = deployment(after, Some(2));
        track_update(&UpdateRequest { old: Some(&old), manager: "b", ..request }, &mut new);
        let entries = new["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let set_of = |manager: &str| {
            let entry = entries.iter().find(|entry| entry["manager"] == manager);
            entry.map_or_else(Set::default, |entry| Set::from_fields_v1(&entry["fieldsV1"]).unwrap())
        };
        let (a, b) = (set_of("a"), set_of("b"));
        prop_assert!(a.intersection(&b).is_empty(), "{}", new);
        let empty = Map::new();
        let names: Vec<&str> = new["spec"]["template"]["spec"]["containers"].as_array().unwrap().iter()
            .filter_map(|c| c["name"].as_str()).collect();
        let owned = a.union(&b).to_fields_v1();
        let listed = owned["f:spec"]["f:template"]["f:spec"]["f:containers"].as_object().unwrap_or(&empty);
        for key in listed.keys().filter(|key| key.starts_with("k:")) {
            let key: Value = serde_json::from_str(&key[2..]).unwrap();
            prop_assert!(names.contains(&key["name"].as_str().unwrap()), "{}", new);
        }
    }

    #[test]
    fn any_object_is_pruned_and_defaulted_for_good(choice in 0..KINDS.len(), mut object in whole()) {
        let (group, kind) = KINDS[choice];
        let schema = Schema::builtin(group, "v1", kind).unwrap();
        schema.prune(&mut object);
        prop_assert_eq!(schema.unknown_fields(&object), Vec::<String>::new());
        let decodes = schema.decode_error(&object).is_none();
        schema.apply_defaults(&mut object);
        if decodes {
            let once = object.clone();
            schema.apply_defaults(&mut object);
            prop_assert_eq!(&object, &once);
        }
        let errors = schema.validate_update(&object, &object);
        prop_assert!(errors.iter().all(|error| !error.message.contains("immutable")), "{:?}", errors);
        let _ = schema.validate(&object);
    }

    #[test]
    fn any_schema_is_refused_or_good(schema in anything(), mut object in anything()) {
        let schema = json!({"type": "object", "properties": {"spec": schema}});
        if let Ok(schema) = Schema::from_crd_version("example.com", "v1", "Widget", &schema) {
            schema.prune(&mut object);
            schema.apply_defaults(&mut object);
            let _ = schema.validate(&object);
        }
    }

    #[test]
    fn written_json_has_no_duplicates(value in anything()) {
        prop_assert_eq!(duplicate_fields(&value.to_string()), Vec::<String>::new());
    }
}
