//! Any template is rendered with any data, or refused with a place in it. Printing any value in any format ends too.
#![no_main]

use gotmpl::{MissingKey, TemplateSet, Value, sprintf};
use libfuzzer_sys::fuzz_target;
use serin_fuzz::Json;

fuzz_target!(|input: (&str, Json)| {
    let (source, data) = input;
    let data = Value::from_json(&data.0);
    let _ = sprintf(source.as_bytes(), &[data.clone(), Value::int(-7), "text".into()]);
    for missing in [MissingKey::Default, MissingKey::Zero, MissingKey::Error] {
        let functions = gotmpl::sprig::functions();
        let mut set =
            TemplateSet::new().funcs(functions).missing_key(missing).max_depth(100).max_steps(1000).max_output(1 << 20);
        if set.parse("t", source).is_err() {
            return;
        }
        if let Err(error) = set.render("t", &data) {
            assert!(error.to_string().starts_with("template: t:"), "{error}");
        }
    }
});
