//! Listeners: an address, and the HTTP connection manager behind it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use envoy_types::pb::envoy::config::listener::v3::{Filter, FilterChain, Listener, filter};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::RouteSpecifier;
use envoy_types::pb::google::protobuf::{BoolValue, UInt32Value};
use serin_api::proxy;

use crate::access_log::access_logs;
use crate::connection_manager::connection_manager;
use crate::https;
use crate::protobuf::{any, socket_address};
use crate::route;
use crate::secret::SecretMap;

/// The address of listeners that bind no port: one that is kept for documentation.
const NOWHERE: &str = "192.0.2.1";

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
pub(crate) fn listener(
    listener: &proxy::Listener,
    addresses: &ListenerAddresses,
    secrets: &SecretMap,
) -> Option<Listener> {
    let proxy::Listener {
        name,
        source: _,
        bind_address: _,
        bind_port: _,
        ssl,
        tls: _,
        strip_any_host_port,
        http,
        access_logs: logs,
        virtual_hosts,
    } = listener;
    let (host, port) = addresses.of(listener);
    let mut manager = connection_manager(name, *strip_any_host_port, http);
    // Clients of HTTP/2 are told that they may ask for WebSocket by it too, which Envoy does by halves: not without need.
    if carries_connect(virtual_hosts) {
        manager.http2_protocol_options.get_or_insert_default().allow_connect = true;
    }
    manager.access_log = access_logs(logs);
    let filter = network_filter(&manager);
    let (filter_chains, listener_filters) = match ssl {
        true => (https::chains(listener, secrets, &filter), vec![https::inspector()]),
        false => (vec![FilterChain { filters: vec![filter], ..FilterChain::default() }], Vec::new()),
    };
    (!filter_chains.is_empty()).then(|| Listener {
        name: name.clone(),
        address: Some(socket_address(&host, port)),
        filter_chains,
        listener_filters,
        per_connection_buffer_limit_bytes: http.connections.buffer_bytes.map(|value| UInt32Value { value }),
        ..Listener::default()
    })
}

/// Whether some route carries requests of CONNECT.
fn carries_connect(hosts: &[Arc<proxy::VirtualHost>]) -> bool {
    let mut routes = hosts.iter().flat_map(|host| &host.routes);
    routes.any(|route| route.policy.as_ref().is_some_and(|policy| policy.connect.is_some()))
}

/// A listener that binds no port, with the routes in itself: to hear whether Envoy takes them. `port` tells it from others.
pub(crate) fn probe(listener: &proxy::Listener, port: u16) -> Listener {
    let mut routes = route::configuration(listener);
    // As for routes that are sent apart from their listener.
    routes.validate_clusters = Some(BoolValue { value: false });
    let mut manager = connection_manager(&listener.name, false, &listener.http);
    manager.route_specifier = Some(RouteSpecifier::RouteConfig(routes));
    Listener {
        name: listener.name.clone(),
        address: Some(socket_address(NOWHERE, port)),
        bind_to_port: Some(BoolValue { value: false }),
        filter_chains: vec![FilterChain { filters: vec![network_filter(&manager)], ..FilterChain::default() }],
        ..Listener::default()
    }
}

fn network_filter(manager: &HttpConnectionManager) -> Filter {
    Filter {
        name: "envoy.filters.network.http_connection_manager".to_owned(),
        config_type: Some(filter::ConfigType::TypedConfig(any(manager))),
    }
}
