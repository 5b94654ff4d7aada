//! Faults that a route makes on purpose.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// Faults that a route makes on purpose. A request may be both held up and then answered with an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteFaults {
    /// Requests that are answered with an error instead of being forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort: Option<RouteAbort>,
    /// Requests that are held up before they are forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<RouteDelay>,
}

/// Requests that are answered with an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteAbort {
    /// How many of a hundred, 0 to 100 (default 0: none).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<f64>,
    /// The status code of the answer, 200 to 599.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u32>,
}

/// Requests that are held up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteDelay {
    /// How many of a hundred, 0 to 100 (default 0: none).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<f64>,
    /// For how long; not 0. The route's `timeout` begins afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_delay: Option<GoDuration>,
}
