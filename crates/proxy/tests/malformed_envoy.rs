//! The same corpus before a real Envoy with its strictest settings: what we refuse it refuses too, but for the cases that
//! `corpus/envoy.txt` names with the reason.

#![allow(clippy::print_stderr)]

mod corpus;
mod stage;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use corpus::recorder::Recorder;
use corpus::verdict::{FILES, check};
use stage::eventually;

/// An Envoy before one upstream.
struct Envoy {
    process: Child,
    address: SocketAddr,
    _files: tempfile::TempDir,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Envoy {
    /// `None`, and a loud word, where there is none.
    fn start(upstream: SocketAddr) -> Option<Self> {
        let program = std::env::var("SERIN_TEST_ENVOY").unwrap_or_else(|_| "envoy".to_owned());
        let files = tempfile::tempdir().expect("a folder");
        let (file, admin) = (files.path().join("envoy.yaml"), files.path().join("admin"));
        std::fs::write(&file, configuration(upstream)).expect("a file");
        let process = Command::new(&program)
            .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "--config-path"])
            .arg(&file)
            .arg("--admin-address-path")
            .arg(&admin)
            .stdin(Stdio::null())
            .spawn();
        let Ok(process) = process else {
            eprintln!("SKIPPED: {program} is missing");
            return None;
        };
        let mut address = None;
        eventually("Envoy listens", || {
            address = listening(&admin);
            address.is_some()
        });
        Some(Self { process, address: address.expect("an address"), _files: files })
    }
}

fn listening(admin: &Path) -> Option<SocketAddr> {
    let admin = std::fs::read_to_string(admin).ok()?.trim().parse().ok()?;
    let request = "GET /listeners HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n";
    let answer = stage::raw(admin, request);
    answer.lines().find_map(|line| line.strip_prefix("corpus::")?.parse().ok())
}

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
    let upstream = Recorder::start();
    let Some(envoy) = Envoy::start(upstream.address) else { return };
    let mut differs = BTreeSet::new();
    let mut said = String::new();
    for mut case in FILES.into_iter().flat_map(corpus::read) {
        // Which error it is said with is not compared.
        if case.expectation.parse::<u16>().is_ok_and(|status| status >= 400) {
            case.expectation = "refused".to_owned();
        }
        if let Err(fault) = check(&case, envoy.address, &upstream) {
            said += &format!("{}: {fault}\n", case.name);
            differs.insert(case.name);
        }
    }
    let known = known();
    let new: Vec<_> = differs.difference(&known).collect();
    let gone: Vec<_> = known.difference(&differs).collect();
    assert!(new.is_empty() && gone.is_empty(), "not written down: {new:#?}\nno difference: {gone:#?}\n{said}");
}
