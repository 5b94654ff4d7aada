//! Any bytes are a template or refused with a place in them.
#![no_main]

use gotmpl::{Error, TemplateSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &[u8]| {
    let mut set = TemplateSet::new();
    let lines = source.iter().filter(|byte| **byte == b'\n').count() + 1;
    match set.parse("t", source) {
        Ok(()) => assert!(set.has("t")),
        Err(Error::Parse { line, message, .. }) => assert!((1..=lines).contains(&line) && !message.is_empty()),
        Err(other) => panic!("{other}"),
    }
});
