//! Endpoints: where a cluster's requests can go right now.

use envoy_types::pb::envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use envoy_types::pb::envoy::config::endpoint::v3::{ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints};
use envoy_types::pb::google::protobuf::UInt32Value;
use serin_api::proxy::{self, ClusterName};

use crate::protobuf::{socket_address, subset_metadata};

/// The endpoints of `cluster`. `named`: whether their hosts are names for them, which a request's host may become.
pub(crate) fn assignment(cluster: &ClusterName, endpoints: &[proxy::Endpoint], named: bool) -> ClusterLoadAssignment {
    let locality = LocalityLbEndpoints {
        lb_endpoints: endpoints.iter().map(|one| endpoint(one, named)).collect(),
        ..LocalityLbEndpoints::default()
    };
    ClusterLoadAssignment {
        cluster_name: cluster.to_string(),
        // A locality without endpoints says nothing.
        endpoints: if endpoints.is_empty() { Vec::new() } else { vec![locality] },
        ..ClusterLoadAssignment::default()
    }
}

fn endpoint(endpoint: &proxy::Endpoint, named: bool) -> LbEndpoint {
    let proxy::Endpoint { host, port, labels, weight } = endpoint;
    let hostname = if named { host.clone() } else { String::new() };
    let address = Endpoint { address: Some(socket_address(host, *port)), hostname, ..Endpoint::default() };
    LbEndpoint {
        metadata: subset_metadata(labels),
        load_balancing_weight: Some(UInt32Value { value: (*weight).max(1) }),
        host_identifier: Some(HostIdentifier::Endpoint(address)),
        ..LbEndpoint::default()
    }
}
