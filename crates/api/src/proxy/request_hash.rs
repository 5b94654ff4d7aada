//! Hashing in the flattened model: what of a request brings it to the same endpoint as others like it.

use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// One part of a request's hash. Those that the request has are combined in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HashPart {
    /// What is hashed.
    pub key: HashKey,
    /// Whether nothing after it counts once there is a hash.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub terminal: bool,
}

/// What is hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HashKey {
    /// The values of a request header, in any order.
    Header(String),
    /// The value of a cookie.
    #[serde(rename_all = "camelCase")]
    Cookie {
        /// Its name.
        name: String,
        /// Where there is none, it is made and set for so many whole seconds, zero being until the browser is closed.
        /// Unset: it is not made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl: Option<GoDuration>,
        /// The path it is sent with; empty: none is said.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        path: String,
    },
    /// The client's address.
    SourceIp,
}
