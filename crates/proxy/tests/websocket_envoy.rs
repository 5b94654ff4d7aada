//! The same clients and upstreams of WebSocket with a real Envoy between them.

mod stage;
mod websocket_peers;

use std::net::SocketAddr;
use std::sync::Arc;

use serin_api::proxy::{Cluster, Http2, Transport};
use serin_envoy_process::{Envoy, program_or_skip};
use stage::{address, cluster, data_plane, endpoint, endpoints, respond, route, spec_of, to};
use websocket_peers::*;

const HTTP2: &str = r#"typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {
  "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions,
  explicit_http_config: {http2_protocol_options: {}}}}, "#;

fn configuration(upstreams: &[(&str, SocketAddr, bool)]) -> String {
    let address = |address: SocketAddr| {
        format!("{{socket_address: {{address: {}, port_value: {}}}}}", address.ip(), address.port())
    };
    let free = address(SocketAddr::from(([127, 0, 0, 1], 0)));
    let (mut routes, mut clusters) = (String::new(), String::new());
    for (name, place, http2) in upstreams {
        routes += &format!("{{match: {{prefix: /{name}}}, route: {{cluster: {name}}}}}, ");
        let (options, place) = (if *http2 { HTTP2 } else { "" }, address(*place));
        clusters += &format!(
            "  - {{name: {name}, {options}load_assignment: {{cluster_name: {name}, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {place}}}}}]}}]}}}}\n"
        );
    }
    format!(
        r#"
admin: {{address: {free}}}
static_resources:
  listeners:
  - name: sockets
    address: {free}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: sockets
          http2_protocol_options: {{allow_connect: true}}
          upgrade_configs: [{{upgrade_type: websocket}}]
          http_filters:
          - name: router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts: [{{name: all, domains: ["*"], routes: [{routes} {{match: {{prefix: /found}}, redirect: {{path_redirect: /}}}}]}}]
  clusters:
{clusters}"#
    )
}

/// What came of a client's wish: the status, and what it was told.
async fn outcome(asked: (Result<Socket, u16>, http::HeaderMap)) -> (u16, Option<String>) {
    let (socket, headers) = asked;
    let told = headers.get("x-up").and_then(|value| value.to_str().ok()).map(str::to_owned);
    match socket {
        Ok(socket) => {
            talk(socket).await;
            (200, told)
        }
        Err(status) => (status, told),
    }
}

#[test]
fn what_envoy_carries_we_carry_and_what_it_refuses_we_refuse() {
    let Some(program) = program_or_skip() else { return };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        let upstreams = [
            ("one", upstream_http1().await, false),
            ("two", upstream_http2(true).await, true),
            ("old", upstream_http2(false).await, true),
            ("away", nobody, true),
        ];
        let mut envoy = Envoy::start(&program, &configuration(&upstreams)).expect("an Envoy");
        let beside = envoy.wait_for("sockets");
        let plane = data_plane();
        let mut spec = (*spec_of(
            upstreams
                .iter()
                .map(|(name, ..)| route(&format!("/{name}"), to(name)))
                .chain([route("/found", respond(301, ""))])
                .collect(),
            &["one", "two", "old", "away"],
        ))
        .clone();
        for (name, ..) in upstreams.iter().filter(|(_, _, http2)| *http2) {
            let transport = Transport { http2: Some(Http2::default()), ..Transport::default() };
            spec.clusters.insert((*name).into(), Arc::new(Cluster { transport, ..cluster(name) }));
        }
        let places: Vec<_> = upstreams.iter().map(|(name, place, _)| (*name, [endpoint(*place, "")])).collect();
        let places: Vec<_> = places.iter().map(|(name, place)| (*name, &place[..])).collect();
        plane.set_endpoints(endpoints(&places));
        plane.apply(Arc::new(spec)).expect("applied");
        // Envoy leaves WebSocket's key to clients and upstreams.
        for path in ["/one", "/two/keyed", "/one/refused", "/two/refused", "/old", "/away", "/found", "/nowhere"] {
            let ours = outcome(connect_http1(address(&plane), path).await).await;
            assert_eq!(ours, outcome(connect_http1(beside, path).await).await, "HTTP/1.1, {path}");
            for protocol in ["websocket", "WebSocket", "other"] {
                let ours = outcome(connect_http2_for(address(&plane), path, true, protocol).await).await;
                let envoys = outcome(connect_http2_for(beside, path, true, protocol).await).await;
                assert_eq!(ours, envoys, "HTTP/2, {protocol}, {path}");
            }
        }
    });
    runtime.shutdown_background();
}
