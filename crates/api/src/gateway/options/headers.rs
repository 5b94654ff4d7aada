//! Headers that are added to and removed from requests and responses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Changes of headers. Values may hold `%REQ(name)%`, `%RESP(name)%`, `%DOWNSTREAM_REMOTE_ADDRESS%`,
/// `%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%`, `%PROTOCOL%`, `%START_TIME%`, `%RESPONSE_CODE%`, `%UPSTREAM_HOST%`,
/// `%HOSTNAME%`, and `%%` for a percent sign.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderManipulation {
    /// Headers that the upstream gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_headers_to_add: Vec<RequestHeaderToAdd>,
    /// Headers of the client's that the upstream does not get. This goes before any are added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_headers_to_remove: Vec<String>,
    /// Headers that the client gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_headers_to_add: Vec<HeaderToAdd>,
    /// Headers of the upstream's that the client does not get. This goes before any are added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_headers_to_remove: Vec<String>,
}

/// A header to add to requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestHeaderToAdd {
    /// The header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<NameAndValue>,
    /// Whether headers of that name that are there already stay (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub append: Option<bool>,
    /// A secret that holds the header. Read to know that it is set; not implemented, and so not in the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub header_secret_ref: Option<Value>,
}

/// A header to add to responses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderToAdd {
    /// The header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<NameAndValue>,
    /// Whether headers of that name that are there already stay (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub append: Option<bool>,
}

/// A header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NameAndValue {
    /// Its name.
    pub key: String,
    /// Its value. One that comes to nothing is not added.
    pub value: String,
}
