//! Server-side apply by two managers: never an object without its fields' owners, and a second apply changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use serin_cluster::patch::apply::{ApplyRequest, UpdateRequest, read_managers, server_side_apply, track_update};
use serin_cluster::schema::Schema;
use serin_fuzz::Json;

const TIME: &str = "2026-01-01T00:00:00Z";

fn deployment(spec: Json, annotations: Json) -> Value {
    let metadata = json!({"name": "a", "annotations": annotations.0});
    let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec.0});
    drop_nulls(&mut object);
    object
}

/// Nulls are gone before an object is stored.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(drop_nulls);
        }
        _ => {}
    }
}

fuzz_target!(|input: (Json, Json, Json, Json, bool)| {
    let (created, annotations, first, second, force) = input;
    let schema = Schema::builtin("apps", "v1", "Deployment").expect("a built-in kind");
    let mut live = deployment(created, annotations.clone());
    if schema.decode_error(&live).is_some() {
        return;
    }
    schema.prune(&mut live);
    let update = UpdateRequest {
        old: None,
        manager: "creator",
        api_version: "apps/v1",
        subresource: "",
        has_status: true,
        time: TIME,
        schema: &schema,
    };
    track_update(&update, &mut live);
    for (manager, spec) in [("one", first), ("two", second)] {
        let config = deployment(spec, annotations.clone());
        if schema.decode_error(&config).is_some() {
            return;
        }
        let apply = |live: &Value, force| {
            server_side_apply(&ApplyRequest {
                live: Some(live),
                config: &config,
                manager,
                force,
                subresource: "",
                has_status: true,
                time: TIME,
                schema: &schema,
            })
        };
        match apply(&live, force) {
            Ok(applied) => {
                read_managers(&applied).expect("the owners can be read");
                let again = apply(&applied, force).expect("what was applied can be applied again");
                assert_eq!(again, applied);
                live = applied;
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
