//! The configuration that an Envoy starts with: where its discovery server is, and who it is.

use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};

/// The name in the discovery server's certificate, by whatever address it is reached.
pub const SERVER_NAME: &str = "discovery.serin";

/// What an Envoy has to be told to find its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// The node's id: what refusals are reported under.
    pub node_id: String,
    /// The node's cluster, which is the name of its `Proxy`.
    pub node_cluster: String,
    /// Where the discovery server listens.
    pub discovery: DiscoveryAddress,
    /// How the two know each other; `None`: not at all, and what they say is plain text.
    pub tls: Option<NodeIdentity>,
    /// Where Envoy's own admin interface listens; port 0 picks a free one.
    pub admin: SocketAddr,
    /// Whether only changes are asked for, and not all resources of a type each time.
    pub delta: bool,
}

/// Where a discovery server listens: an IP address or a name, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveryAddress {
    /// The address or the name, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl From<SocketAddr> for DiscoveryAddress {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

/// What a node shows, and whom it trusts. All of it is PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeIdentity {
    /// The node's certificate: its common name is the node's id.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// The authority that the server's certificate must be of.
    pub authority: String,
}

/// Without the key.
impl fmt::Debug for NodeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeIdentity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Bootstrap {
    /// The configuration, as YAML that Envoy's `--config-path` or `--config-yaml` takes. With `tls` it holds a key.
    pub fn to_yaml(&self) -> String {
        let Self { node_id, node_cluster, discovery, tls, admin, delta } = self;
        let api = if *delta { "DELTA_GRPC" } else { "GRPC" };
        let kind = if discovery.host.parse::<IpAddr>().is_ok() { "STATIC" } else { "STRICT_DNS" };
        let tls = tls.as_ref().map(transport).unwrap_or_default();
        format!(
            "node:
  id: {}
  cluster: {}
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
    type: {kind}
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
              socket_address: {{ address: {}, port_value: {} }}
{tls}",
            quoted(node_id),
            quoted(node_cluster),
            admin.ip(),
            admin.port(),
            quoted(&discovery.host),
            discovery.port,
        )
    }
}

/// The socket to the discovery server. Certificate and key are in the text, so that one file is all an Envoy needs.
fn transport(identity: &NodeIdentity) -> String {
    let NodeIdentity { certificate, key, authority } = identity;
    format!(
        "    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        sni: {SERVER_NAME}
        common_tls_context:
          tls_params: {{ tls_minimum_protocol_version: TLSv1_2, tls_maximum_protocol_version: TLSv1_3 }}
          alpn_protocols: [h2]
          tls_certificates:
          - certificate_chain: {{ inline_string: {} }}
            private_key: {{ inline_string: {} }}
          validation_context:
            trusted_ca: {{ inline_string: {} }}
            match_typed_subject_alt_names:
            - {{ san_type: DNS, matcher: {{ exact: {SERVER_NAME} }} }}
",
        quoted(certificate),
        quoted(key),
        quoted(authority)
    )
}

/// A string of YAML, in double quotes.
fn quoted(text: &str) -> String {
    let mut made = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => made.extend(['\\', character]),
            '\n' => made.push_str("\\n"),
            character if character.is_control() => {
                // Writing to a string does not fail.
                let _ = write!(made, "\\u{:04x}", u32::from(character));
            }
            character => made.push(character),
        }
    }
    made.push('"');
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stay_strings() {
        assert_eq!(quoted("a\"b\\c\n\u{7}é"), "\"a\\\"b\\\\c\\n\\u0007é\"");
    }

    #[test]
    fn a_key_is_not_shown_by_accident() {
        let identity = NodeIdentity { certificate: "C".into(), key: "secret".into(), authority: "A".into() };
        assert!(!format!("{identity:?}").contains("secret"));
    }
}
