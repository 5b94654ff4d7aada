//! The part of `/config` that says how Upstreams are: what the data plane found of their endpoints and host names.

use std::net::SocketAddr;

use serde::Serialize;
use serin_api::ResourceId;
use serin_api::proxy::ClusterName;
use serin_proxy::{BadEndpoint, UnresolvedHost, UpstreamHealth};

/// An Upstream whose endpoints are judged, or that has a host name without an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Upstream {
    upstream: ResourceId,
    cluster: ClusterName,
    /// How many endpoints there are.
    endpoints: usize,
    /// Those that get no requests.
    bad: Vec<Endpoint>,
    /// Host names that cannot be looked up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unresolved: Vec<Host>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    address: SocketAddr,
    /// Why its health checks fail, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    unhealthy: Option<String>,
    /// Whether its health checks have yet to find anything wrong.
    awaited: bool,
    /// Why it is ejected, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    ejected: Option<String>,
    /// For how long still, at least: whole seconds, rounded up.
    #[serde(skip_serializing_if = "Option::is_none")]
    ejected_for_seconds: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Host {
    host: String,
    /// What the resolver said; missing while the first look-up is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether the addresses of an earlier look-up are still used.
    known: bool,
}

impl From<UpstreamHealth> for Upstream {
    fn from(health: UpstreamHealth) -> Self {
        let UpstreamHealth { cluster, source: upstream, endpoints, bad, unresolved } = health;
        let host = |UnresolvedHost { host, reason, known }| Host { host, reason, known };
        let bad = bad.into_iter().map(Endpoint::from).collect();
        Self { upstream, cluster, endpoints, bad, unresolved: unresolved.into_iter().map(host).collect() }
    }
}

impl From<BadEndpoint> for Endpoint {
    fn from(bad: BadEndpoint) -> Self {
        let BadEndpoint { address, unhealthy, awaited, ejected, ejected_for } = bad;
        let ejected_for_seconds = ejected_for.map(|left| left.as_secs() + u64::from(left.subsec_nanos() > 0));
        Self { address, unhealthy, awaited, ejected, ejected_for_seconds }
    }
}
