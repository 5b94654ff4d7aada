//! Envoy: one listener, one route list in the order of the rules, no access log.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{BenchError, RunningProxy, Server, Site};
use crate::bench::identity::Identity;
use crate::bench::scenario::{CANARY, CHANGED, Destination, REWRITTEN, Rule, Version};
use crate::bench::server::free_port;

pub(super) fn start(site: &Site<'_>) -> Result<RunningProxy, BenchError> {
    let port = free_port()?;
    let configuration = site.directory.join("envoy.json");
    fs::write(&configuration, bootstrap(site, port).to_string())?;
    let arguments = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn", "-c"].map(Into::into);
    let arguments = arguments.into_iter().chain([configuration.into_os_string()]);
    let server = Server::start(site.program, arguments, &[], site.directory, site.core)?;
    Ok(RunningProxy { server, port })
}

fn bootstrap(site: &Site<'_>, port: u16) -> Value {
    let clusters = [Version::V1, Version::V2].map(|version| cluster(version, site.ports.of(version)));
    let secure = site.identity.map(transport_socket);
    let manager =
        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    json!({"static_resources": {
        "listeners": [{
            "name": "bench",
            "address": address(port),
            "filter_chains": [{"transport_socket": secure, "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": manager,
                    "stat_prefix": "bench",
                    "use_remote_address": true,
                    "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
                    "route_config": {
                        "name": "bench",
                        "virtual_hosts": [{
                            "name": "bench",
                            "domains": ["*"],
                            "routes": site.rules.iter().map(route).collect::<Vec<_>>(),
                        }],
                    },
                },
            }]}],
        }],
        "clusters": clusters,
    }})
}

fn transport_socket(identity: &Identity) -> Value {
    let context = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
    let file = |path: &Path| json!({"filename": path});
    json!({"name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": context,
        "common_tls_context": {
            "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},
            "tls_certificates": [{
                "certificate_chain": file(&identity.certificate),
                "private_key": file(&identity.key),
            }],
        },
    }})
}

fn route(rule: &Rule) -> Value {
    let mut matcher = json!({"prefix": rule.prefix});
    if rule.canary {
        matcher["headers"] = json!([{"name": CANARY.0, "string_match": {"exact": CANARY.1}}]);
    }
    let mut action = match rule.destination {
        Destination::Single(version) => json!({"cluster": version.name()}),
        Destination::Split(v1, v2) => json!({"weighted_clusters": {"clusters": [
            {"name": Version::V1.name(), "weight": v1},
            {"name": Version::V2.name(), "weight": v2},
        ]}}),
    };
    if !rule.options {
        return json!({"match": matcher, "route": action});
    }
    let [set, removed, answered] = CHANGED;
    let header =
        |name: &str| json!([{"header": {"key": name, "value": "1"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]);
    action["prefix_rewrite"] = json!(REWRITTEN);
    action["timeout"] = json!("5s");
    action["retry_policy"] = json!({"retry_on": "connect-failure,reset", "num_retries": 1});
    json!({
        "match": matcher,
        "route": action,
        "request_headers_to_add": header(set),
        "request_headers_to_remove": [removed],
        "response_headers_to_add": header(answered),
    })
}

fn cluster(version: Version, port: u16) -> Value {
    json!({
        "name": version.name(),
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": version.name(),
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}],
        },
    })
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}
