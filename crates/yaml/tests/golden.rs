//! What sigs.k8s.io/yaml itself made of the cases in `golden/` (see `golden/main.go` for how to re-make its answers).

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use serde_json::Value;

/// The lines of a case file, each with its answer.
fn pairs(cases: &'static str, golden: &'static str) -> Vec<(&'static str, Value)> {
    assert_eq!(cases.lines().count(), golden.lines().count(), "re-make the golden files");
    cases.lines().zip(golden.lines().map(|line| serde_json::from_str(line).unwrap())).collect()
}

#[test]
fn writes_what_sigs_yaml_writes() {
    let pairs = pairs(include_str!("golden/write.cases"), include_str!("golden/write.golden"));
    assert!(pairs.len() >= 400);
    let mut wrong = String::new();
    for (case, expected) in &pairs {
        // Control characters that Go's own reader refuses have no answer.
        let Value::String(expected) = expected else { continue };
        let value: Value = serde_json::from_str(case).unwrap();
        let written = serin_yaml::to_string(&value);
        if written != *expected {
            let _ = writeln!(wrong, "{case}\n  expected {expected:?}\n  written  {written:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn reads_what_sigs_yaml_reads() {
    let pairs = pairs(include_str!("golden/read.cases"), include_str!("golden/read.golden"));
    assert!(pairs.len() >= 400);
    let mut wrong = String::new();
    for (case, expected) in &pairs {
        let text: String = serde_json::from_str(case).unwrap();
        let read = serin_yaml::parse(&text);
        let right = match (&read, expected.get("json")) {
            // Documents without content are null there and dropped here.
            (Ok(_), Some(Value::Null)) => true,
            (Ok(documents), Some(json)) => documents.first().is_some_and(|document| document.value == *json),
            (Err(_), None) => true,
            _ => false,
        };
        if !right {
            let _ = writeln!(wrong, "{case}\n  expected {expected}\n  read     {read:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
