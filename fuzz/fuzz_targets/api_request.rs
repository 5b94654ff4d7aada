//! Paths, queries and printer columns' JSON paths: any text is taken apart, or refused, without harm.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_cluster::server::{JsonPath, Query, Route, route};

fuzz_target!(|text: &str| {
    if let Route::Objects(target) = route(text) {
        assert!(!target.plural.is_empty(), "{text:?}");
    }
    let query = Query::parse(text);
    let _ = (query.get("watch"), query.flag("watch"), query.number::<u64>("limit"));
    if let Some(path) = JsonPath::parse(text) {
        let _ = path.find(&serde_json::json!({"a": [{"b": "c"}], "d": {"e": 1}}));
    }
});
