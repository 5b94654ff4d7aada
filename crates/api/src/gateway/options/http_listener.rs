//! The options of a Gateway's HTTP listener: how it speaks HTTP, and what it does to every request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::buffer::Buffer;
use super::choices::choices;
use super::client_certificate::{ForwardClientCertDetails, SetCurrentClientCertDetails};
use super::listener_parts::{InternalAddressConfig, RouterOptions, UuidRequestIdConfig};
use crate::GoDuration;

/// The options of an HTTP listener.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpListenerOptions {
    /// How the listener speaks HTTP, and what it does to every request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_connection_manager_settings: Option<HttpConnectionManagerSettings>,
    /// Requests are held until all of their body has come, where neither route nor virtual host says otherwise
    /// (`bufferPerRoute`). Calls that stream, such as those of gRPC, do not work then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<Buffer>,
    /// What becomes of requests on their way to upstreams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub router: Option<RouterOptions>,
}

/// How a listener speaks HTTP, and what it does to every request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpConnectionManagerSettings {
    /// Whether a port in the request's Host is cut off before the domains are compared (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_any_host_port: Option<bool>,
    /// Whether `.` and `..` in paths are resolved, escapes of letters, digits and `-._~` are undone, and `\` becomes `/`,
    /// before routes see the path and upstreams get it (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalize_path: Option<bool>,
    /// Whether slashes in a row become one, before routes see the path and upstreams get it (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_slashes: Option<bool>,
    /// What is done with `%2F` and `%5C` in paths, before anything else is (default: nothing).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_with_escaped_slashes_action: Option<EscapedSlashesAction>,
    /// The `server` of responses (default `envoy`, once there is a `serverHeaderTransformation`; without either, responses
    /// keep theirs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Whether `serverName` replaces the upstream's (default, where there is a `serverName`) or only fills in for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_header_transformation: Option<ServerHeaderTransformation>,
    /// What is appended to `via` of requests and responses (default: nothing).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Whether the client is whoever connected, whose address is appended to `x-forwarded-for`, and who is not believed
    /// what it says in `x-forwarded-proto` (default true). Else both headers stay as they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_remote_address: Option<bool>,
    /// How many proxies in front of this one are trusted: the client's address is that far from the end of
    /// `x-forwarded-for`, and their `x-forwarded-proto` stands (default 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xff_num_trusted_hops: Option<u32>,
    /// Whether `x-forwarded-for` stays as it came, whatever `useRemoteAddress` says (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_xff_append: Option<bool>,
    /// Whether the listener's port is told in `x-forwarded-port` (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub append_x_forwarded_port: Option<bool>,
    /// Whether a request without `x-request-id` gets one (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generate_request_id: Option<bool>,
    /// Whether the `x-request-id` of a client from outside is kept (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preserve_external_request_id: Option<bool>,
    /// How requests get their ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid_request_id_config: Option<UuidRequestIdConfig>,
    /// Which clients are one's own: they may name their requests (`x-request-id`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_address_config: Option<InternalAddressConfig>,
    /// Whether requests of HTTP/1.0 are served; else they are answered 426. Unset, Serin serves them and Envoys do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_http10: Option<bool>,
    /// The host of requests of HTTP/1.0 that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_host_for_http10: Option<String>,
    /// Whether the names of response headers are written with capitals, as in `Content-Type`, to clients of HTTP/1.1
    /// (default false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proper_case_header_key_format: Option<bool>,
    /// What is done with request headers that have a `_` in their names (default: nothing).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers_with_underscores_action: Option<HeadersWithUnderscoreAction>,
    /// What is done with `x-forwarded-client-cert`, which tells upstreams of the client's certificate (default: it is
    /// taken out, whoever sent it).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_client_cert_details: Option<ForwardClientCertDetails>,
    /// What it tells beside the certificate's hash, where it is written here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_current_client_cert_details: Option<SetCurrentClientCertDetails>,
    /// How long a connection may stay open without a request on it (default 1h). 0: as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<GoDuration>,
    /// How long a request may stand still, where its route has no `idleTimeout` (default 5m). 0: as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_idle_timeout: Option<GoDuration>,
    /// How long the headers of a request may take (default 10s). 0: as long as they like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers_timeout: Option<GoDuration>,
    /// How long all of a request may take to arrive; longer is answered 408 (default 0: as long as it likes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_timeout: Option<GoDuration>,
    /// How long a request may take from its beginning to the end of its response, where its route says nothing: longer is
    /// answered 504, or 408 where the client has not sent all of it, and a response that has begun is broken off
    /// (default 0: as long as it likes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stream_duration: Option<GoDuration>,
    /// How long a client that was refused is still listened to, so that the answer reaches it, before its connection is
    /// closed (default 2s; Envoys 1s). 0: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delayed_close_timeout: Option<GoDuration>,
    /// How long a connection that is to end may wait for its last request, which is answered with `connection: close`: one
    /// that is too old (default 5s), or any when the gateway stops or the listener goes (default 0: it ends when it has no
    /// request). Clients of HTTP/2 are told at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_timeout: Option<GoDuration>,
    /// How old a connection may become; then its next response is its last (default 0: as old as it likes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connection_duration: Option<GoDuration>,
    /// How many requests a connection may carry; the response to the last one ends it (default 0: any number).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests_per_connection: Option<u32>,
    /// KiB of a request's line and headers, from 1 to 8192 (default 60). More: 431.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_request_headers_kb: Option<u32>,
    /// Number of a request's header lines (default 100). More: 431.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_headers_count: Option<u32>,
    /// Which protocol clients speak (default: as they show).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec_type: Option<CodecType>,
    /// How HTTP/2 is spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http2_protocol_options: Option<Http2ProtocolOptions>,
}

/// How HTTP/2 is spoken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Http2ProtocolOptions {
    /// Requests that one connection may have in flight (default 200).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent_streams: Option<u32>,
    /// Bytes of a request's body that a client may send ahead, from 65535 (default 262144).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_stream_window_size: Option<u32>,
    /// The same for all requests of a connection together, from 65535 (default 1048576).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_connection_window_size: Option<u32>,
}

choices! {
    /// What is done with `%2F` and `%5C` in paths.
    EscapedSlashesAction {
        /// As `KEEP_UNCHANGED`.
        #[default]
        Default = "IMPLEMENTATION_SPECIFIC_DEFAULT",
        /// Nothing.
        Keep = "KEEP_UNCHANGED",
        /// Such a request is answered 400.
        Reject = "REJECT_REQUEST",
        /// They are undone, and the client is sent to the path that results (307).
        Redirect = "UNESCAPE_AND_REDIRECT",
        /// They are undone.
        Forward = "UNESCAPE_AND_FORWARD",
    }
}

choices! {
    /// Whose `server` header a response has.
    ServerHeaderTransformation {
        /// This gateway's.
        #[default]
        Overwrite = "OVERWRITE",
        /// The upstream's, or this gateway's where that has none.
        AppendIfAbsent = "APPEND_IF_ABSENT",
        /// The upstream's, if it has one.
        PassThrough = "PASS_THROUGH",
    }
}

choices! {
    /// What is done with request headers that have a `_` in their names.
    HeadersWithUnderscoreAction {
        /// Nothing.
        #[default]
        Allow = "ALLOW",
        /// Such a request is answered 400.
        Reject = "REJECT_CLIENT_REQUEST",
        /// Such headers are left out.
        Drop = "DROP_HEADER",
    }
}

choices! {
    /// Which protocol clients speak.
    CodecType {
        /// As they show.
        #[default]
        Auto = "AUTO",
        /// HTTP/1.1 only.
        Http1 = "HTTP1",
        /// HTTP/2 only.
        Http2 = "HTTP2",
    }
}
