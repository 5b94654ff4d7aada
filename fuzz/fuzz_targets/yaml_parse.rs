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
        let again = again.first().map_or(Value::Null, |again| again.value.clone());
        assert!(serin_fuzz::same(&document.value, &again), "{written}");
    }
});
