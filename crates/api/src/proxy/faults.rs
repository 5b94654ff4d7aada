//! Faults that a route makes on purpose.

use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// Faults that a route makes on purpose: first the delay, then the abort.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Faults {
    /// Requests that are answered with an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort: Option<Abort>,
    /// Requests that are held up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Delay>,
}

/// Requests that are answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Abort {
    /// How many of a million.
    pub per_million: u32,
    /// The status code; 200 to 599.
    pub status: u16,
}

/// Requests that are held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delay {
    /// How many of a million.
    pub per_million: u32,
    /// For how long; not zero.
    pub time: GoDuration,
}
