//! An object from a client against a built-in kind's schema: what is pruned has no unknown fields left, defaults settle at once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use serin_cluster::schema::{Schema, is_quantity};
use serin_fuzz::Json;

const KINDS: [(&str, &str, &str); 6] = [
    ("", "v1", "Pod"),
    ("", "v1", "Service"),
    ("", "v1", "ConfigMap"),
    ("apps", "v1", "Deployment"),
    ("discovery.k8s.io", "v1", "EndpointSlice"),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
];

fuzz_target!(|input: (u8, Option<Json>, Json, Json, &str)| {
    let (choice, whole, metadata, spec, text) = input;
    is_quantity(text);
    let (group, version, kind) = KINDS[usize::from(choice) % KINDS.len()];
    let schema = Schema::builtin(group, version, kind).expect("a built-in kind");
    let parts =
        json!({"apiVersion": format!("{group}/{version}"), "kind": kind, "metadata": metadata.0, "spec": spec.0});
    let mut object: Value = whole.map_or(parts, |whole| whole.0);
    if schema.decode_error(&object).is_some() {
        return;
    }
    schema.prune(&mut object);
    assert_eq!(schema.unknown_fields(&object), Vec::<String>::new());
    schema.apply_defaults(&mut object);
    let defaulted = object.clone();
    schema.apply_defaults(&mut object);
    assert_eq!(object, defaulted);
    for error in schema.validate(&object) {
        assert!(!error.to_string().is_empty());
    }
});
