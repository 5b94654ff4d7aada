//! OpenAPI documents, made from the kinds' schemas when they are asked for: v3 (an index and a document per group
//! version, which current clients read to explain, to compute patches, and to learn which parameters the server knows)
//! and v2 (one JSON document).
//!
//! Nothing is kept: a document is written straight into a string, type by type. v2 has no protobuf form; a client that
//! asks only for that is to be answered 406, and falls back to v3 or to its own types.

mod components;
mod operations;
mod render;
mod v2;
mod v3;

use std::sync::Arc;

use crate::schema::Schema;

pub use v2::v2_document;
pub use v3::{v3_document, v3_index};

/// A served kind, as far as OpenAPI tells of it.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Empty for core kinds.
    pub group: String,
    /// Such as `v1`.
    pub version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// Such as `deployments`.
    pub plural: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// The verbs of the main endpoint.
    pub verbs: Vec<&'static str>,
    /// Whether there is a status subresource.
    pub status: bool,
    /// Whether there is a scale subresource.
    pub scale: bool,
    /// What objects look like.
    pub schema: Arc<Schema>,
}

impl Kind {
    fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// The path of a group version: `api/v1`, `apis/apps/v1`.
fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

#[cfg(test)]
mod tests;
