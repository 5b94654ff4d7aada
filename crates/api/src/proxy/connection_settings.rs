//! What a client's connection may use, and what is spoken on it.

use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// What a client's connection may use. Where a field is unset, the data plane's own default holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionSettings {
    /// How long it may stay open without a request on it. 0: as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<GoDuration>,
    /// How long a request may stand still, where its route says nothing. 0: as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_idle_timeout: Option<GoDuration>,
    /// How long the headers of a request may take. 0: as long as they like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers_timeout: Option<GoDuration>,
    /// How long all of a request may take to arrive; not 0. Unset: as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_timeout: Option<GoDuration>,
    /// How long a request may take from beginning to end, where its route says nothing; not 0. Unset: as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stream_duration: Option<GoDuration>,
    /// How long a client that was refused is still listened to. 0: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delayed_close: Option<GoDuration>,
    /// How long it may wait for its last request when it is to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<GoDuration>,
    /// How old it may become; not 0. Unset: as old as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_duration: Option<GoDuration>,
    /// How many requests it may carry; not 0. Unset: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u32>,
    /// KiB of a request's line and headers, from 1 to 8192.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_kib: Option<u32>,
    /// Number of a request's header lines; not 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_count: Option<u32>,
    /// What is spoken on it.
    pub codec: Codec,
    /// Bytes that it may have waiting in a buffer, about; not 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer_bytes: Option<u32>,
    /// How HTTP/1 is spoken on it.
    pub http1: Http1Settings,
    /// How HTTP/2 is spoken on it.
    pub http2: Http2Settings,
}

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Codec {
    /// What the client's first bytes show.
    #[default]
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// How HTTP/1 is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Http1Settings {
    /// Whether HTTP/1.0 is served. Unset: as the data plane likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_http10: Option<bool>,
    /// The host of requests of HTTP/1.0 that name none; a host, with or without a port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_host: Option<String>,
    /// Whether the names of response headers are written with capitals.
    pub proper_case: bool,
}

/// How HTTP/2 is spoken. Where a field is unset, the data plane's own default holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Http2Settings {
    /// Requests in flight at once; not 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_streams: Option<u32>,
    /// Bytes that a client may send ahead for one request, from 65535 to 2^31 - 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_window: Option<u32>,
    /// The same for all requests together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_window: Option<u32>,
}
