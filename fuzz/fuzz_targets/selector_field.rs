//! The text of a field selector.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_cluster::selector::FieldSelector;

fuzz_target!(|text: &str| {
    match FieldSelector::parse(text) {
        Ok(selector) => {
            let name = selector.required("metadata.name").unwrap_or("a").to_owned();
            let _ = selector.and_name(&name).only_metadata();
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
