//! Endpoints: where a cluster's requests can go right now.

use envoy_types::pb::envoy::config::core::v3::Metadata;
use envoy_types::pb::envoy::config::endpoint::v3::endpoint::HealthCheckConfig;
use envoy_types::pb::envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use envoy_types::pb::envoy::config::endpoint::v3::{ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints};
use envoy_types::pb::google::protobuf::UInt32Value;
use serin_api::proxy::{self, EndpointSource};

use crate::protobuf::{socket_address, subset_metadata};
use crate::transport::{SOCKET_METADATA, asked_for};

/// The endpoints of `cluster`.
pub(crate) fn assignment(cluster: &proxy::Cluster, endpoints: &[proxy::Endpoint]) -> ClusterLoadAssignment {
    let locality = LocalityLbEndpoints {
        lb_endpoints: endpoints.iter().map(|one| endpoint(one, cluster)).collect(),
        ..LocalityLbEndpoints::default()
    };
    ClusterLoadAssignment {
        cluster_name: cluster.name.to_string(),
        // A locality without endpoints says nothing.
        endpoints: if endpoints.is_empty() { Vec::new() } else { vec![locality] },
        ..ClusterLoadAssignment::default()
    }
}

fn endpoint(endpoint: &proxy::Endpoint, cluster: &proxy::Cluster) -> LbEndpoint {
    let proxy::Endpoint { host, port, labels: _, weight } = endpoint;
    // Those of a fixed list are names for them, which a request's host may become.
    let hostname = if matches!(cluster.endpoints, EndpointSource::Fixed(_)) { host.clone() } else { String::new() };
    // Where nobody says whom health checks ask for, it is they themselves.
    let asked = cluster.health_check.as_ref().is_some_and(|check| check.question.host().is_none());
    let health_check_config =
        asked.then(|| HealthCheckConfig { hostname: hostname.clone(), ..HealthCheckConfig::default() });
    let address = Some(socket_address(host, *port));
    let address = Endpoint { address, hostname, health_check_config, ..Endpoint::default() };
    LbEndpoint {
        metadata: metadata(endpoint, cluster),
        load_balancing_weight: Some(UInt32Value { value: (*weight).max(1) }),
        host_identifier: Some(HostIdentifier::Endpoint(address)),
        ..LbEndpoint::default()
    }
}

/// What chooses an endpoint: its labels, and the name that it is asked for where that is its own.
fn metadata(endpoint: &proxy::Endpoint, cluster: &proxy::Cluster) -> Option<Metadata> {
    let labels = subset_metadata(&endpoint.labels);
    let tls = cluster.transport.tls.as_ref().filter(|tls| tls.sni != tls.sni_for(endpoint));
    let Some(tls) = tls else { return labels };
    let mut metadata = labels.unwrap_or_default();
    metadata.filter_metadata.insert(SOCKET_METADATA.to_owned(), asked_for(tls.sni_for(endpoint)));
    Some(metadata)
}
