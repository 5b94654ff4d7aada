//! The schema of a CustomResourceDefinition: refused, or good for any object. The fields of a raw JSON text are looked at too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use serin_cluster::schema::{Schema, duplicate_fields, structural_errors};
use serin_fuzz::Json;

fuzz_target!(|input: (Json, Json, &str)| {
    let (description, object, text) = input;
    duplicate_fields(text);
    let description = json!({"type": "object", "properties": {"spec": description.0}});
    let errors = structural_errors("", &description);
    let Ok(schema) = Schema::from_crd_version("example.com", "v1", "Example", &description) else { return };
    let mut object = json!({"apiVersion": "example.com/v1", "kind": "Example", "spec": object.0});
    if schema.decode_error(&object).is_none() {
        schema.prune(&mut object);
        schema.apply_defaults(&mut object);
        let _ = schema.validate(&object);
        if errors.is_empty() {
            assert_eq!(schema.unknown_fields(&object), Vec::<String>::new());
        }
    }
});
