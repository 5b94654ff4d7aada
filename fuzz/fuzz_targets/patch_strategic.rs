//! Strategic merge patch, with directives and lists merged by key, against built-in kinds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use serin_cluster::patch::strategic_merge_patch;
use serin_cluster::schema::Schema;
use serin_fuzz::Json;

fuzz_target!(|input: (bool, Json, Json, Json)| {
    let (pod, document, metadata, spec) = input;
    let schema = if pod { Schema::builtin("", "v1", "Pod") } else { Schema::builtin("apps", "v1", "Deployment") };
    let schema = schema.expect("a built-in kind");
    let patch = json!({"metadata": metadata.0, "spec": spec.0});
    let document = json!({"metadata": {"name": "a"}, "spec": document.0});
    match strategic_merge_patch(&document, &patch, &schema) {
        Ok(patched) => assert!(patched.is_object()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
