//! Object metadata: times, identities, and what a decoder would tidy.

use std::time::Duration;

use serde_json::Value;

/// The present, as metadata has it: RFC 3339 in whole seconds.
pub fn now() -> String {
    at(Duration::ZERO)
}

/// The present plus `delay`.
pub(super) fn at(delay: Duration) -> String {
    (jiff::Timestamp::now() + delay).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Letters without vowels or look-alikes, as Kubernetes' generated names use.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A name that begins with `base`.
pub(super) fn generate_name(base: &str) -> String {
    let base: String = base.chars().take(58).collect();
    let suffix = (0..5).map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())]));
    base.chars().chain(suffix).collect()
}

/// Removes null members of metadata, which decoding into types would drop.
pub(super) fn drop_nulls(value: &mut Value) {
    if let Some(metadata) = value["metadata"].as_object_mut() {
        metadata.retain(|_, v| match v {
            Value::Null => false,
            Value::Object(map) => !map.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => true,
        });
    }
}
