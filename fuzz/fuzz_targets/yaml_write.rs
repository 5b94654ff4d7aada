//! Any value written as YAML reads as the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serin_fuzz::{Json, same};

fuzz_target!(|value: Json| {
    let written = serin_yaml::to_string(&value.0);
    let documents = serin_yaml::parse(&written).expect("what was written can be read");
    assert!(same(&value.0, &documents.first().map_or(Value::Null, |document| document.value.clone())), "{written}");
});
