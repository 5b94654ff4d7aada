//! JSON merge patch: any patch applies to any document, and a second time changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_cluster::patch::merge_patch;
use serin_fuzz::Json;

fuzz_target!(|input: (Json, Json)| {
    let (document, patch) = input;
    let once = merge_patch(&document.0, &patch.0);
    assert_eq!(merge_patch(&once, &patch.0), once);
});
