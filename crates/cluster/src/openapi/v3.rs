//! OpenAPI v3.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::render::Dialect;
use super::{Kind, components, operations, root};

/// The index at `/openapi/v3`. Each entry is a group, a version, and anything that changes whenever the document does
/// (the versions of the definitions that it comes from); a client keeps a document by the hash in its address.
pub fn v3_index<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> Value {
    let mut paths = Map::new();
    for (group, version, fingerprint) in entries {
        let path = root(group, version);
        let hash = hash(&[env!("CARGO_PKG_VERSION"), group, version, fingerprint]);
        paths.insert(path.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}")}));
    }
    json!({"paths": paths})
}

fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The document of one group version, as JSON: all of `kinds` are of that group version.
pub fn v3_document(kinds: &[Kind]) -> String {
    let mut out = String::from(r#"{"openapi":"3.0.0","info":{"title":"Kubernetes","version":"v1"},"paths":{"#);
    write_paths(kinds, Dialect::V3, &mut out);
    out.push_str(r#"},"components":{"schemas":{"#);
    write_types(kinds, Dialect::V3, &mut out);
    out.push_str("}}}");
    out
}

pub(super) fn write_paths(kinds: &[Kind], dialect: Dialect, out: &mut String) {
    let mut paths: Vec<(String, Value)> = kinds.iter().flat_map(|kind| operations::paths(kind, dialect)).collect();
    paths.sort_by(|a, b| a.0.cmp(&b.0));
    paths.dedup_by(|a, b| a.0 == b.0);
    for (i, (path, item)) in paths.iter().enumerate() {
        write_entry(i, path, item, out);
    }
}

pub(super) fn write_types(kinds: &[Kind], dialect: Dialect, out: &mut String) {
    let mut i = 0;
    components::each(kinds, dialect, |name, schema| {
        write_entry(i, name, schema, out);
        i += 1;
    });
}

fn write_entry(i: usize, name: &str, value: &Value, out: &mut String) {
    if i > 0 {
        out.push(',');
    }
    out.push_str(&format!("{}:{value}", Value::from(name)));
}
