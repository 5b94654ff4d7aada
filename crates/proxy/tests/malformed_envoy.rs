//! The same corpus before a real Envoy with its strictest settings: what we refuse it refuses too, but for the cases that
//! `corpus/envoy.txt` names with the reason.

mod corpus;
mod stage;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use corpus::recorder::Recorder;
use corpus::verdict::{FILES, check};
use serin_envoy_process::{Envoy, program_or_skip};

fn configuration(upstream: SocketAddr) -> String {
    let address = |address: SocketAddr| {
        format!("{{socket_address: {{address: {}, port_value: {}}}}}", address.ip(), address.port())
    };
    let free = address(SocketAddr::from(([127, 0, 0, 1], 0)));
    let upstream = address(upstream);
    format!(
        r#"
admin: {{address: {free}}}
static_resources:
  listeners:
  - name: corpus
    address: {free}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: corpus
          use_remote_address: true
          normalize_path: true
          delayed_close_timeout: 0.02s
          common_http_protocol_options: {{headers_with_underscores_action: ALLOW}}
          http_protocol_options: {{accept_http_10: true}}
          http_filters:
          - name: router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - {{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: upstream, timeout: 5s}}}}]}}
  clusters:
  - name: upstream
    load_assignment:
      cluster_name: upstream
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {upstream}}}}}]}}]
"#
    )
}

/// The cases that `corpus/envoy.txt` names.
fn known() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/envoy.txt");
    let text = std::fs::read_to_string(path).expect("a list");
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn envoy_refuses_what_we_refuse_or_it_is_written_down() {
    let Some(program) = program_or_skip() else { return };
    let upstream = Recorder::start();
    let mut envoy = Envoy::start(&program, &configuration(upstream.address)).expect("an Envoy");
    let address = envoy.wait_for("corpus");
    let mut differs = BTreeSet::new();
    let mut said = String::new();
    for mut case in FILES.into_iter().flat_map(corpus::read) {
        // Which error it is said with is not compared.
        if case.expectation.parse::<u16>().is_ok_and(|status| status >= 400) {
            case.expectation = "refused".to_owned();
        }
        if let Err(fault) = check(&case, address, &upstream) {
            said += &format!("{}: {fault}\n", case.name);
            differs.insert(case.name);
        }
    }
    let known = known();
    let new: Vec<_> = differs.difference(&known).collect();
    let gone: Vec<_> = known.difference(&differs).collect();
    assert!(new.is_empty() && gone.is_empty(), "not written down: {new:#?}\nno difference: {gone:#?}\n{said}");
}
