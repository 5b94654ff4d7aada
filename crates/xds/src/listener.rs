//! Listeners: an address, and the HTTP connection manager behind it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::{CidrRange, Http1ProtocolOptions};
use envoy_types::pb::envoy::config::listener::v3::{Filter, FilterChain, Listener, filter};
use envoy_types::pb::envoy::extensions::filters::http::cors::v3::Cors;
use envoy_types::pb::envoy::extensions::filters::http::fault::v3::HttpFault;
use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::{
    InternalAddressConfig, RouteSpecifier, StripPortMode, UpgradeConfig,
};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, HttpFilter, Rds, http_filter,
};
use envoy_types::pb::google::protobuf::{Any, BoolValue, UInt32Value};
use serin_api::proxy;

use crate::cors;
use crate::faults;
use crate::protobuf::{any, duration, same_stream, socket_address};

/// KiB of a request's headers; the same as in Serin's data plane.
const HEADER_KIB: u32 = 60;
/// How long the headers of a request may take; the same as in Serin's data plane.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Clients that are trusted to name a request: those on loopback and private addresses.
const INTERNAL: [(&str, u32); 6] =
    [("127.0.0.0", 8), ("10.0.0.0", 8), ("172.16.0.0", 12), ("192.168.0.0", 16), ("::1", 128), ("fc00::", 7)];

/// Where an Envoy binds its listeners, when not where their Gateways say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerAddresses {
    /// The address for all of them.
    pub bind: Option<IpAddr>,
    /// The port to bind for a Gateway's `bindPort`; 0 picks a free one. Ports that are not here are bound as asked.
    pub port_map: BTreeMap<u16, u16>,
}

impl ListenerAddresses {
    /// The address and the port for a listener.
    pub(crate) fn of(&self, listener: &proxy::Listener) -> (String, u16) {
        let host = self.bind.map_or_else(|| listener.bind_address.clone(), |bind| bind.to_string());
        (host, self.port_map.get(&listener.bind_port).copied().unwrap_or(listener.bind_port))
    }
}

/// One listener; `None` for one that must not be opened, because it is to speak TLS and cannot.
pub(crate) fn listener(listener: &proxy::Listener, addresses: &ListenerAddresses) -> Option<Listener> {
    let proxy::Listener {
        name,
        source: _,
        bind_address: _,
        bind_port: _,
        ssl,
        tls: _,
        strip_any_host_port,
        // Envoys do not get them yet.
        access_logs: _,
        virtual_hosts: _,
    } = listener;
    if *ssl {
        return None;
    }
    let (host, port) = addresses.of(listener);
    let manager = Filter {
        name: "envoy.filters.network.http_connection_manager".to_owned(),
        config_type: Some(filter::ConfigType::TypedConfig(any(&connection_manager(name, *strip_any_host_port)))),
    };
    Some(Listener {
        name: name.clone(),
        address: Some(socket_address(&host, port)),
        filter_chains: vec![FilterChain { filters: vec![manager], ..FilterChain::default() }],
        ..Listener::default()
    })
}

fn connection_manager(name: &str, strip_any_host_port: bool) -> HttpConnectionManager {
    // All but the last do nothing but what a route says.
    let http_filters = vec![
        http_filter(cors::FILTER, any(&Cors {})),
        http_filter(faults::FILTER, any(&HttpFault::default())),
        http_filter("envoy.filters.http.router", any(&Router::default())),
    ];
    let internal = |(address, length): (&str, u32)| CidrRange {
        address_prefix: address.to_owned(),
        prefix_len: Some(UInt32Value { value: length }),
    };
    HttpConnectionManager {
        stat_prefix: name.to_owned(),
        route_specifier: Some(RouteSpecifier::Rds(Rds {
            config_source: Some(same_stream()),
            route_config_name: name.to_owned(),
        })),
        http_filters,
        use_remote_address: Some(BoolValue { value: true }),
        internal_address_config: Some(InternalAddressConfig {
            cidr_ranges: INTERNAL.map(internal).into(),
            ..InternalAddressConfig::default()
        }),
        max_request_headers_kb: Some(UInt32Value { value: HEADER_KIB }),
        request_headers_timeout: Some(duration(HEADER_TIME)),
        http_protocol_options: Some(Http1ProtocolOptions { enable_trailers: true, ..Http1ProtocolOptions::default() }),
        upgrade_configs: vec![UpgradeConfig { upgrade_type: "websocket".to_owned(), ..UpgradeConfig::default() }],
        strip_port_mode: strip_any_host_port.then_some(StripPortMode::StripAnyHostPort(true)),
        ..HttpConnectionManager::default()
    }
}

fn http_filter(name: &str, config: Any) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(http_filter::ConfigType::TypedConfig(config)),
        ..HttpFilter::default()
    }
}
