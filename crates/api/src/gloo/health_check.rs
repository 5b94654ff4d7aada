//! Endpoints that are asked from time to time whether they are well.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::gateway::RequestHeaderToAdd;
use crate::{GoDuration, enumeration};

/// How an endpoint is asked whether it is well. One that is not gets no requests, unless fewer than the panic threshold are.
/// It begins as unhealthy, and its first good answer is enough. Exactly one of `httpHealthCheck`, `tcpHealthCheck` and
/// `grpcHealthCheck` is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCheck {
    /// How long an answer may take (required).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GoDuration>,
    /// From one answer to the next question (required).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<GoDuration>,
    /// The first question waits for a random time up to this (default 0s).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_jitter: Option<GoDuration>,
    /// A random time up to this is added to each interval (default 0s).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_jitter: Option<GoDuration>,
    /// A random part of each interval is added to it: up to so many percent (default 0).
    #[serde(skip_serializing_if = "is_zero")]
    pub interval_jitter_percent: u32,
    /// After how many questions in a row that got no answer an endpoint is unhealthy (required). A bad answer is enough by
    /// itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_threshold: Option<u32>,
    /// After how many good answers in a row it is healthy again (required).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy_threshold: Option<u32>,
    /// Ask again on the same connection, in HTTP and gRPC (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reuse_connection: Option<bool>,
    /// The interval while the Upstream has had no requests at all (default 60s).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_traffic_interval: Option<GoDuration>,
    /// The interval for an unhealthy endpoint (default `interval`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_interval: Option<GoDuration>,
    /// The interval after a failure that was not enough (default `unhealthyInterval`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_edge_interval: Option<GoDuration>,
    /// The interval after a good answer that was not enough (default `interval`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy_edge_interval: Option<GoDuration>,
    /// Log every failure, not only those that change what is thought of an endpoint. In Envoys it shows in an event log, of
    /// which they have none here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub always_log_health_check_failures: bool,
    /// Ask by an HTTP request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_health_check: Option<HttpHealthCheck>,
    /// Ask by a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_health_check: Option<TcpHealthCheck>,
    /// Ask by gRPC's own protocol for it, `grpc.health.v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_health_check: Option<GrpcHealthCheck>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A question by HTTP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpHealthCheck {
    /// The host that is asked for (default: a static host's own name, else the cluster's).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The path (required).
    pub path: String,
    /// The method (default `GET`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<HealthCheckMethod>,
    /// Ask by HTTP/2.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub use_http2: bool,
    /// Which statuses are good (default: 200 alone).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected_statuses: Vec<StatusRange>,
    /// Headers of the question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_headers_to_add: Vec<RequestHeaderToAdd>,
    /// Headers that the question would have and does not get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_headers_to_remove: Vec<String>,
    /// What the response's `x-envoy-upstream-healthchecked-cluster` has to begin with: who answers must be of that
    /// service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service_name: String,
}

/// Statuses from `start` up to, but not including, `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StatusRange {
    /// The first.
    pub start: i64,
    /// The one after the last.
    pub end: i64,
}

/// The method of a question by HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HealthCheckMethod {
    /// As if it were not written.
    #[default]
    MethodUnspecified,
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
    /// CONNECT, which no question can be.
    Connect,
    /// OPTIONS.
    Options,
    /// TRACE.
    Trace,
    /// PATCH.
    Patch,
}

impl<'de> Deserialize<'de> for HealthCheckMethod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = [
            ("METHOD_UNSPECIFIED", Self::MethodUnspecified),
            ("GET", Self::Get),
            ("HEAD", Self::Head),
            ("POST", Self::Post),
            ("PUT", Self::Put),
            ("DELETE", Self::Delete),
            ("CONNECT", Self::Connect),
            ("OPTIONS", Self::Options),
            ("TRACE", Self::Trace),
            ("PATCH", Self::Patch),
        ];
        enumeration::deserialize(deserializer, &values, &[])
    }
}

/// A question by a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpHealthCheck {
    /// What is sent; nothing by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<Payload>,
    /// What has to come back, in this order, with anything between; by default a connection is enough.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub receive: Vec<Payload>,
}

/// Bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Payload {
    /// The bytes in hexadecimal digits, such as `50494e47` for PING.
    pub text: String,
}

/// A question by gRPC's own protocol for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GrpcHealthCheck {
    /// The service that is asked about (default: the whole server).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service_name: String,
    /// The host that is asked for (default: a static host's own name, else the cluster's).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub authority: String,
    /// Metadata of the question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub initial_metadata: Vec<RequestHeaderToAdd>,
}
