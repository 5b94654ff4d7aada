//! The configuration that an Envoy starts with: where its discovery server is, and who it is.

use std::net::SocketAddr;

/// What an Envoy has to be told to find its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// The node's id: what refusals are reported under.
    pub node_id: String,
    /// The node's cluster, which is the name of its `Proxy`.
    pub node_cluster: String,
    /// Where the discovery server listens.
    pub discovery: SocketAddr,
    /// Where Envoy's own admin interface listens; port 0 picks a free one.
    pub admin: SocketAddr,
    /// Whether only changes are asked for, and not all resources of a type each time.
    pub delta: bool,
}

impl Bootstrap {
    /// The configuration, as YAML that Envoy's `--config-path` or `--config-yaml` takes.
    pub fn to_yaml(&self) -> String {
        let Self { node_id, node_cluster, discovery, admin, delta } = self;
        let api = if *delta { "DELTA_GRPC" } else { "GRPC" };
        format!(
            "node:
  id: {node_id:?}
  cluster: {node_cluster:?}
admin:
  address:
    socket_address: {{ address: \"{}\", port_value: {} }}
dynamic_resources:
  ads_config:
    api_type: {api}
    transport_api_version: V3
    set_node_on_first_message_only: true
    grpc_services:
    - envoy_grpc: {{ cluster_name: serin }}
  cds_config: {{ ads: {{}}, resource_api_version: V3 }}
  lds_config: {{ ads: {{}}, resource_api_version: V3 }}
static_resources:
  clusters:
  - name: serin
    type: STATIC
    connect_timeout: 5s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config:
          http2_protocol_options:
            connection_keepalive: {{ interval: 30s, timeout: 5s }}
    load_assignment:
      cluster_name: serin
      endpoints:
      - lb_endpoints:
        - endpoint:
            address:
              socket_address: {{ address: \"{}\", port_value: {} }}
",
            admin.ip(),
            admin.port(),
            discovery.ip(),
            discovery.port(),
        )
    }
}
