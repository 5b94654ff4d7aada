//! Where a listener writes a line about each request, and what the line says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::LogFilter;

/// A file that gets a line for each request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessLog {
    /// The file, which is appended to.
    pub path: String,
    /// What a line says.
    pub format: AccessLogFormat,
    /// Which requests have a line; all without this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<LogFilter>,
}

/// What a line says. The strings are in the language of [`Format`](crate::Format).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AccessLogFormat {
    /// This text; no line end is added.
    Text(String),
    /// This object, its strings being formats, on a line.
    Json(Map<String, Value>),
}
