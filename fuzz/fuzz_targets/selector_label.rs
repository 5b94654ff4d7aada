//! The text of a label selector, and a selector object.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_cluster::selector::LabelSelector;
use serin_fuzz::Json;

fuzz_target!(|input: (&str, Json, &str)| {
    let (text, object, label) = input;
    for selector in [LabelSelector::parse(text), LabelSelector::from_object(&object.0)] {
        match selector {
            Ok(selector) if selector.is_empty() => assert!(selector.matches(|_| None)),
            Ok(selector) => {
                selector.matches(|key| (key.len() % 2 == 0).then_some(label));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
