//! YAML text from a user's file: it is parsed or refused, and what was parsed survives being written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let documents = match serin_yaml::parse(text) {
        Ok(documents) => documents,
        Err(error) => {
            assert!(error.line > 0 && error.column > 0 && !error.message.is_empty());
            return;
        }
    };
    // A lone carriage return ends a line too.
    let lines = text.bytes().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
    for document in documents {
        assert!((1..=lines).contains(&document.line));
        let written = serin_yaml::to_string(&document.value);
        let again = serin_yaml::parse(&written).expect("what was written can be read");
        assert!(same(&document.value, &again.first().map_or(Value::Null, |again| again.value.clone())), "{written}");
    }
});

/// Equal up to how a number is held: 1.0 is written as 1.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}
