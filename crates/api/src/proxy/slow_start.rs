//! How an endpoint comes by its share of the requests.

use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// How an endpoint comes by its share of the requests: little by little, from when it joined or was found healthy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlowStart {
    /// How long it takes; longer than nothing.
    pub window: GoDuration,
    /// How fast the share grows; more than 0, and 1 is evenly.
    pub aggression: f64,
    /// The least share, in percent of the whole one; 0 to 100.
    pub least_percent: f64,
}
