//! How endpoints are asked whether they are well.

use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// How endpoints are asked whether they are well, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// How long an answer may take.
    pub timeout: GoDuration,
    /// From one answer to the next question.
    pub interval: GoDuration,
    /// The same while the cluster has had no requests at all.
    pub no_traffic_interval: GoDuration,
    /// The same for an unhealthy endpoint.
    pub unhealthy_interval: GoDuration,
    /// The same after a failure that was not enough.
    pub unhealthy_edge_interval: GoDuration,
    /// The same after a good answer that was not enough.
    pub healthy_edge_interval: GoDuration,
    /// The first question waits for a random time up to this.
    pub initial_jitter: GoDuration,
    /// A random time up to this is added to each interval.
    pub interval_jitter: GoDuration,
    /// A random part of each interval is added to it: up to so many percent.
    pub interval_jitter_percent: u32,
    /// After how many questions in a row without an answer it is unhealthy; at least 1.
    pub unhealthy_threshold: u32,
    /// After how many good answers in a row it is healthy; at least 1.
    pub healthy_threshold: u32,
    /// Whether the next question comes on the same connection.
    pub reuse_connection: bool,
    /// Whether every failure is logged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub logs_failures: bool,
    /// The question.
    pub question: Question,
}

/// What an endpoint is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Question {
    /// An HTTP request.
    Http(HttpQuestion),
    /// A connection.
    Tcp {
        /// What is sent.
        send: Vec<u8>,
        /// What has to come back, in this order.
        receive: Vec<Vec<u8>>,
    },
    /// A call of `grpc.health.v1`.
    Grpc {
        /// The service that is asked about; empty: the server.
        service: String,
        /// The host that is asked for; empty: the endpoint's name, or the cluster's.
        authority: String,
        /// Metadata: name, value, and whether that of the same name which is there already stays.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        metadata: Vec<(String, String, bool)>,
    },
}

/// An HTTP request that asks an endpoint whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpQuestion {
    /// The host that is asked for; empty: the endpoint's name, or the cluster's.
    pub host: String,
    /// The path.
    pub path: String,
    /// The method.
    pub method: String,
    /// Whether it is HTTP/2.
    pub http2: bool,
    /// Which statuses are good: each from the first up to, but not including, the last.
    pub expected: Vec<(u16, u16)>,
    /// Headers to add: name, value, and whether those of that name that are there already stay.
    pub add_headers: Vec<(String, String, bool)>,
    /// Headers to remove, before any are added.
    pub remove_headers: Vec<String>,
    /// What the answer's `x-envoy-upstream-healthchecked-cluster` has to begin with; empty: anything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
}

impl Question {
    /// The host that is asked for, if it is said.
    pub fn host(&self) -> Option<&str> {
        let host = match self {
            Self::Http(http) => &http.host,
            Self::Tcp { .. } => return None,
            Self::Grpc { authority, .. } => authority,
        };
        (!host.is_empty()).then_some(host.as_str())
    }
}
