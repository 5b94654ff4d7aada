//! The options of a Gateway that hold for the listener as a whole.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AccessLogFilter;

/// Options of a listener.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayOptions {
    /// Where requests are logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_logging_service: Option<AccessLoggingService>,
    /// Bytes that a connection may have waiting in a buffer, about (default: 64 KiB, or what a request's headers may
    /// have, which is always granted; Envoys 1 MiB).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_connection_buffer_limit_bytes: Option<u32>,
}

/// Where requests are logged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLoggingService {
    /// The logs: each request is in all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_log: Vec<AccessLogOptions>,
}

/// A log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLogOptions {
    /// A file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_sink: Option<FileSink>,
    /// Which requests have a line in it; all without this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<AccessLogFilter>,
}

/// A file that gets a line for each request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FileSink {
    /// The file, which is appended to; `/dev/stdout` for the gateway's own output.
    pub path: String,
    /// The line as text with operators such as `%RESPONSE_CODE%`; no line end is added. Without this or `jsonFormat`:
    /// Envoy's default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub string_format: String,
    /// The line as an object whose strings have operators; one that is a number's alone becomes a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_format: Option<BTreeMap<String, LogTemplate>>,
}

/// A value of a JSON format: a string with operators, or an object or list of such.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogTemplate(pub Value);

impl JsonSchema for LogTemplate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LogTemplate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}
