//! JSON patch: operations of all kinds on paths that may lead nowhere, and patches that are none at all.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use serin_cluster::patch::json_patch;
use serin_fuzz::Json;

#[derive(Debug)]
struct Operation(Value);

impl<'a> Arbitrary<'a> for Operation {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let operation = *input.choose(&["add", "remove", "replace", "move", "copy", "test", "other"])?;
        let value = Json::arbitrary(input)?.0;
        Ok(Operation(json!({"op": operation, "path": pointer(input)?, "from": pointer(input)?, "value": value})))
    }
}

fn pointer(input: &mut Unstructured<'_>) -> Result<String> {
    let length = input.int_in_range(0..=4)?;
    (0..length)
        .map(|_| {
            Ok(format!(
                "/{}",
                input.choose(&["metadata", "spec", "a", "b", "items", "0", "1", "-", "~1", "~", "a~1b"])?
            ))
        })
        .collect()
}

fuzz_target!(|input: (Json, Vec<Operation>, Option<Json>)| {
    let (document, operations, other) = input;
    let patch = other.map_or_else(|| operations.into_iter().map(|operation| operation.0).collect(), |other| other.0);
    if let Err(error) = json_patch(&document.0, &patch) {
        assert!(!error.to_string().is_empty());
    }
});
