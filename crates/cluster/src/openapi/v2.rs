//! OpenAPI v2, for clients that know nothing newer.

use super::Kind;
use super::render::Dialect;
use super::v3::{write_paths, write_types};

/// The one document of all kinds, as JSON.
pub fn v2_document(kinds: &[Kind]) -> String {
    let mut out = String::from(r#"{"swagger":"2.0","info":{"title":"Kubernetes","version":"v1"},"paths":{"#);
    write_paths(kinds, Dialect::V2, &mut out);
    out.push_str(r#"},"definitions":{"#);
    write_types(kinds, Dialect::V2, &mut out);
    out.push_str("}}");
    out
}
