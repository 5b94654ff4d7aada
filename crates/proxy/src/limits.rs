//! What a data plane allows a client and an upstream to use: sizes, counts and times, each with a default.

use std::time::Duration;

/// Limits on what clients and upstreams may use. The defaults are Envoy's where Envoy has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's line and headers together, HTTP/1.1 and HTTP/2 alike. More: 431.
    pub header_bytes: usize,
    /// Number of header lines. More: 431.
    pub header_count: usize,
    /// Bytes of the path and query. More: 414.
    pub uri_bytes: usize,
    /// From the first byte of a request to the end of its headers. Longer: the connection is closed.
    pub header_time: Duration,
    /// How long a connection may stay open without a request on it.
    pub idle_time: Duration,
    /// How long a request may stand still: no byte of it or its response moves.
    pub stall_time: Duration,
    /// From the end of the request to the beginning of the response, where a route names nothing else. Longer: 504.
    pub route_time: Duration,
    /// How long an upstream may take to accept a connection. Longer: 503.
    pub connect_time: Duration,
    /// Bytes of a request's body that are kept to be sent again. A request with more is sent once.
    pub replay_bytes: usize,
    /// Bytes of a request's body that are kept to be copied. A request with more is not copied.
    pub shadow_bytes: usize,
    /// Copies of requests that one worker has under way. Requests beyond are not copied.
    pub shadows_per_worker: usize,
    /// Connections from clients that one worker holds. More are closed at once.
    pub connections_per_worker: usize,
    /// Requests that one HTTP/2 connection may have in flight.
    pub concurrent_streams: u32,
    /// Idle connections that one worker keeps to one endpoint.
    pub idle_upstream_connections: usize,
    /// How long a connection to an upstream may stay idle before it is closed.
    pub idle_upstream_time: Duration,
    /// Distinct label sets in the metrics. Requests beyond are counted under `_other`.
    pub metric_series: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 60 * 1024,
            header_count: 100,
            uri_bytes: 32 * 1024,
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(3600),
            stall_time: Duration::from_secs(300),
            route_time: Duration::from_secs(15),
            connect_time: Duration::from_secs(5),
            replay_bytes: 1024 * 1024,
            shadow_bytes: 1024 * 1024,
            shadows_per_worker: 128,
            connections_per_worker: 50_000,
            concurrent_streams: 200,
            idle_upstream_connections: 256,
            idle_upstream_time: Duration::from_secs(60),
            metric_series: 4096,
        }
    }
}
