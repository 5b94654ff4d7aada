//! The four ways in which a client changes part of an object: JSON patch (RFC 6902), JSON merge patch (RFC 7386),
//! Kubernetes' strategic merge patch, and server-side apply; and the upkeep of `metadata.managedFields`.
//!
//! Everything here is pure: an object and a patch in, an object out.

pub mod apply;
mod json;
mod merge;
mod pointer;
mod strategic;

pub use json::{MAX_OPERATIONS, json_patch};
pub use merge::merge_patch;
pub use strategic::strategic_merge_patch;

/// Why a patch cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The patch itself is malformed: a 400 answer.
    #[error("{0}")]
    Malformed(String),
    /// The patch is well-formed but does not fit the object (a failed `test`, a path that leads nowhere): 422.
    #[error("{0}")]
    DoesNotApply(String),
    /// The patch, or what it makes of the object, is too large: 413.
    #[error("{0}")]
    TooLarge(String),
}
