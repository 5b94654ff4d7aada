//! Stickiness in the flattened model: what tells users apart, and what their draw depends on beside.

use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// How the draw among weighted targets is made the same for each user.
///
/// A user's place is a number from 0 to 1 that follows from `salt` and the user's id alone. Targets share that range in
/// list order, by weight; so when a boundary moves, only users between its old and its new place change sides, all of
/// them in one direction. Every replica comes to the same, and nothing is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stickiness {
    /// What tells users apart.
    pub key: StickyKey,
    /// Differs from rollout to rollout, so that it is not always the same users who go first.
    pub salt: String,
}

/// What tells users apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StickyKey {
    /// The value of a request header. Without it the draw is by weight alone.
    Header(String),
    /// The value of a cookie, which is set where there is none.
    #[serde(rename_all = "camelCase")]
    Cookie {
        /// Its name.
        name: String,
        /// How long browsers keep it; `None`: until they are closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl: Option<GoDuration>,
        /// The path it is sent with.
        path: String,
    },
}
