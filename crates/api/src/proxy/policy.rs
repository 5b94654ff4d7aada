//! What a route does beside sending requests somewhere: how it changes them, how long it waits.

use serde::{Deserialize, Serialize};

use super::{CorsPolicy, Faults, HashPart, HeaderChanges, Retries, Shadow};
use crate::GoDuration;

/// A route's options, merged and checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoutePolicy {
    /// How the path changes on its way to the upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_rewrite: Option<PathRewrite>,
    /// How the host changes on its way to the upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_rewrite: Option<HostRewrite>,
    /// Whether the old host is appended to `x-forwarded-host` where the host changes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub append_x_forwarded_host: bool,
    /// What browsers are told of requests from other origins' pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsPolicy>,
    /// How headers change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<HeaderChanges>,
    /// How long the upstream may take; zero: as long as it likes. Unset: the data plane's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GoDuration>,
    /// When a request is tried again. Unset: as the virtual host says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<Retries>,
    /// How long a request may stand still; zero: as long as it likes. Unset: the data plane's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<GoDuration>,
    /// How long a request may take from beginning to end. Unset: as the listener says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stream_duration: Option<MaxStreamDuration>,
    /// Copies of the requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
    /// Whether requests are held until they are whole. Unset: as the virtual host says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<RequestBuffer>,
    /// Faults that are made on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<Faults>,
    /// What brings a request to the same endpoint as others like it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hash: Vec<HashPart>,
    /// Whether a connection may switch to WebSocket. Unset: it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub websocket: Option<bool>,
    /// How requests of CONNECT are carried. Unset: they are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
}

/// How requests of CONNECT are carried, always to the route's own upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Connect {
    /// The request goes to the upstream, which opens the tunnel.
    Forward,
    /// The tunnel begins here: what is in it goes to the upstream over TCP, and the request does not.
    Terminate,
}

/// How long requests may take from beginning to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MaxStreamDuration {
    /// All of them; zero: as long as they like. Unset: as the listener says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<GoDuration>,
    /// The most that `grpc-timeout` may ask for; zero: anything. Unset: that header says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_most: Option<GoDuration>,
    /// How much less than `grpc-timeout` it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_offset: Option<GoDuration>,
}

/// A virtual host's options, merged and checked: what they do to the requests of all its routes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HostPolicy {
    /// What browsers are told of requests from other origins' pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsPolicy>,
    /// How headers change, after what each route does to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<HeaderChanges>,
    /// Whether requests are held until they are whole, where their route says nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<RequestBuffer>,
    /// When a request is tried again, where its route says nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<Retries>,
    /// Whether upstreams are told which try of a request it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub attempts_in_request: bool,
    /// Whether clients are told how many tries their request took.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub attempts_in_response: bool,
}

/// Whether requests are held until they are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RequestBuffer {
    /// They are not.
    Off,
    /// They are, up to so many bytes of body; at least 1. One with more is refused.
    UpTo(u32),
}

/// How a path changes on its way to the upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PathRewrite {
    /// The matched prefix (the whole path, where `exact` or `regex` matched) becomes this.
    Prefix(String),
    /// Each match in the path, without its query, is replaced.
    Regex(Substitution),
}

/// How the host changes on its way to the upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HostRewrite {
    /// It becomes this.
    Literal(String),
    /// It becomes the endpoint's name, where a fixed endpoint was chosen.
    Endpoint,
    /// It becomes the value of this header, where the request has it.
    Header(String),
    /// It becomes the path, without its query, each match in it replaced.
    Path(Substitution),
}

/// A pattern, and what replaces each of its matches (`\1` for the first group).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Substitution {
    /// What to look for.
    pub pattern: String,
    /// What replaces it.
    pub substitution: String,
}
