//! Clusters: where endpoints are found, how they fall into subsets, how requests are spread over them.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::cluster::v3::cluster::common_lb_config::ConsistentHashingLbConfig;
use envoy_types::pb::envoy::config::cluster::v3::cluster::lb_subset_config::{
    LbSubsetFallbackPolicy, LbSubsetSelector,
};
use envoy_types::pb::envoy::config::cluster::v3::cluster::{
    ClusterDiscoveryType, DiscoveryType, DnsLookupFamily, EdsClusterConfig, LbConfig, LbPolicy, LbSubsetConfig,
    LeastRequestLbConfig, RingHashLbConfig, RoundRobinLbConfig,
};
use envoy_types::pb::envoy::config::core::v3::{
    Http1ProtocolOptions, Http2ProtocolOptions, HttpProtocolOptions as CommonOptions,
};
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::explicit_http_config::ProtocolConfig;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::{
    ExplicitHttpConfig, UpstreamProtocolOptions,
};
use envoy_types::pb::envoy::r#type::v3::Percent;
use envoy_types::pb::google::protobuf::{UInt32Value, UInt64Value};
use serin_api::proxy::{self, EndpointSource, LoadBalancing, SlowStart, SubsetFallback, Subsets};

use crate::circuit_breakers;
use crate::endpoint;
use crate::health_check::health_check as envoy_check;
use crate::outlier_detection::outlier_detection as envoy_outliers;
use crate::protobuf::{any, duration, label_struct, same_stream};
use crate::secret::SecretMap;
use crate::slow_start;
use crate::transport;

/// How long an endpoint may take to accept a connection; the same as in Serin's data plane.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The name under which a cluster's HTTP options are looked for.
const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// Whether Envoy is told the cluster's endpoints apart from the cluster. Names have to be in the cluster itself, because
/// only there does Envoy look them up.
pub(crate) fn is_discovered(cluster: &proxy::Cluster) -> bool {
    match &cluster.endpoints {
        EndpointSource::Service { .. } => true,
        EndpointSource::Fixed(endpoints) => endpoints.iter().all(|endpoint| endpoint.host.parse::<IpAddr>().is_ok()),
    }
}

/// One cluster. Of `secrets` it matters which are there.
pub(crate) fn cluster(cluster: &proxy::Cluster, secrets: &SecretMap) -> Cluster {
    let proxy::Cluster {
        name,
        source: _,
        endpoints,
        subsets,
        load_balancing,
        slow_start,
        transport,
        panic_percent,
        circuit_breakers,
        outlier_detection,
        health_check,
        dns_refresh,
        closes_on_change,
        merge_window,
    } = cluster;
    let mut made = Cluster {
        name: name.to_string(),
        connect_timeout: Some(duration(CONNECT_TIMEOUT)),
        circuit_breakers: Some(circuit_breakers::limits(circuit_breakers)),
        outlier_detection: outlier_detection.as_deref().map(envoy_outliers),
        health_checks: health_check.iter().map(|check| envoy_check(check)).collect(),
        // One that is gone gets no more requests, as in Serin's data plane, however well it is.
        ignore_health_on_host_removal: health_check.is_some(),
        lb_subset_config: subsets.as_ref().map(subset_config),
        typed_extension_protocol_options: [(HTTP_OPTIONS.to_owned(), any(&http_options(transport)))].into(),
        ..Cluster::default()
    };
    match endpoints {
        EndpointSource::Fixed(endpoints) if !is_discovered(cluster) => {
            made.cluster_discovery_type = Some(ClusterDiscoveryType::Type(DiscoveryType::StrictDns.into()));
            made.dns_lookup_family = DnsLookupFamily::All.into();
            #[expect(deprecated, reason = "the extension that takes its place needs a cluster of another type")]
            {
                made.dns_refresh_rate = dns_refresh.map(|rate| duration(rate.0));
            }
            made.load_assignment = Some(endpoint::assignment(cluster, endpoints));
        }
        EndpointSource::Fixed(_) | EndpointSource::Service { .. } => {
            made.cluster_discovery_type = Some(ClusterDiscoveryType::Type(DiscoveryType::Eds.into()));
            made.eds_cluster_config =
                Some(EdsClusterConfig { eds_config: Some(same_stream()), ..EdsClusterConfig::default() });
        }
    }
    spread(*load_balancing, *slow_start, &mut made);
    transport::set(transport, secrets, &mut made);
    if *closes_on_change {
        made.common_lb_config.get_or_insert_default().close_connections_on_host_set_change = true;
    }
    if let Some(window) = merge_window {
        made.common_lb_config.get_or_insert_default().update_merge_window = Some(duration(window.0));
    }
    if let Some(value) = *panic_percent {
        made.common_lb_config.get_or_insert_default().healthy_panic_threshold = Some(Percent { value });
    }
    made
}

fn spread(load_balancing: LoadBalancing, slow_start: Option<SlowStart>, cluster: &mut Cluster) {
    let slow_start_config = slow_start.map(|slow_start| slow_start::config(slow_start, &cluster.name));
    let policy = match load_balancing {
        LoadBalancing::RoundRobin => {
            cluster.lb_config = slow_start_config.map(|slow_start_config| {
                LbConfig::RoundRobinLbConfig(RoundRobinLbConfig { slow_start_config: Some(slow_start_config) })
            });
            LbPolicy::RoundRobin
        }
        LoadBalancing::Random => LbPolicy::Random,
        LoadBalancing::LeastRequest { choices } => {
            // Envoy draws two at least.
            let choice_count = Some(UInt32Value { value: choices.max(2) });
            cluster.lb_config = Some(LbConfig::LeastRequestLbConfig(LeastRequestLbConfig {
                choice_count,
                slow_start_config,
                ..LeastRequestLbConfig::default()
            }));
            LbPolicy::LeastRequest
        }
        LoadBalancing::RingHash { minimum, maximum, by_name } => {
            cluster.lb_config = Some(LbConfig::RingHashLbConfig(RingHashLbConfig {
                minimum_ring_size: Some(UInt64Value { value: minimum }),
                maximum_ring_size: Some(UInt64Value { value: maximum }),
                ..RingHashLbConfig::default()
            }));
            place(by_name, cluster);
            LbPolicy::RingHash
        }
        LoadBalancing::Maglev { by_name } => {
            place(by_name, cluster);
            LbPolicy::Maglev
        }
    };
    cluster.lb_policy = policy.into();
}

/// Whether endpoints are placed by their names.
fn place(by_name: bool, cluster: &mut Cluster) {
    if by_name {
        let hashing =
            ConsistentHashingLbConfig { use_hostname_for_hashing: true, ..ConsistentHashingLbConfig::default() };
        let common = cluster.common_lb_config.get_or_insert_default();
        common.consistent_hashing_lb_config = Some(hashing);
    }
}

fn subset_config(subsets: &Subsets) -> LbSubsetConfig {
    let Subsets { selectors, fallback } = subsets;
    let (policy, default_subset) = match fallback {
        SubsetFallback::AnyEndpoint => (LbSubsetFallbackPolicy::AnyEndpoint, None),
        SubsetFallback::DefaultSubset(labels) => (LbSubsetFallbackPolicy::DefaultSubset, Some(label_struct(labels))),
        SubsetFallback::None => (LbSubsetFallbackPolicy::NoFallback, None),
    };
    let selector = |keys: &BTreeSet<String>| LbSubsetSelector {
        keys: keys.iter().cloned().collect(),
        ..LbSubsetSelector::default()
    };
    LbSubsetConfig {
        fallback_policy: policy.into(),
        default_subset,
        subset_selectors: selectors.iter().map(selector).collect(),
        ..LbSubsetConfig::default()
    }
}

/// HTTP/2, or HTTP/1.1 that keeps trailers.
fn http_options(transport: &proxy::Transport) -> HttpProtocolOptions {
    let http1 = Http1ProtocolOptions { enable_trailers: true, ..Http1ProtocolOptions::default() };
    let protocol = match &transport.http2 {
        None => ProtocolConfig::HttpProtocolOptions(http1),
        Some(proxy::Http2 { stream_window, connection_window, concurrent_streams }) => {
            let wrapped = |value: &Option<u32>| value.map(|value| UInt32Value { value });
            ProtocolConfig::Http2ProtocolOptions(Http2ProtocolOptions {
                initial_stream_window_size: wrapped(stream_window),
                initial_connection_window_size: wrapped(connection_window),
                max_concurrent_streams: wrapped(concurrent_streams),
                ..Http2ProtocolOptions::default()
            })
        }
    };
    let explicit = ExplicitHttpConfig { protocol_config: Some(protocol) };
    let proxy::Connections {
        max_requests,
        connect_timeout: _,
        idle_timeout,
        keepalive: _,
        buffer_bytes: _,
        max_headers,
    } = &transport.connections;
    let common = CommonOptions {
        max_requests_per_connection: max_requests.map(|value| UInt32Value { value }),
        idle_timeout: idle_timeout.map(|time| duration(time.0)),
        max_headers_count: max_headers.map(|value| UInt32Value { value }),
        ..CommonOptions::default()
    };
    HttpProtocolOptions {
        common_http_protocol_options: (common != CommonOptions::default()).then_some(common),
        upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(explicit)),
        ..HttpProtocolOptions::default()
    }
}
