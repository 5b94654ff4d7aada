//! nginx: a prefix location for each prefix, kept connections to the upstream, no log.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::time::Duration;

use super::{BenchError, KEPT_CONNECTIONS, RunningProxy, Server, Site};
use crate::bench::scenario::{CANARY, CHANGED, Destination, REWRITTEN, Rule, Version};
use crate::bench::server::free_port;
use crate::bench::upstream::Ports;

pub(super) fn start(site: &Site<'_>) -> Result<RunningProxy, BenchError> {
    let port = free_port()?;
    let configuration = site.directory.join("nginx.conf");
    fs::write(&configuration, render(site, port))?;
    let arguments = ["-c".as_ref(), configuration.as_os_str(), "-p".as_ref(), site.directory.as_os_str()];
    let server = Server::start(site.program, arguments, &[], site.directory, site.core)?;
    Ok(RunningProxy { server, port })
}

fn render(site: &Site<'_>, port: u16) -> String {
    let directory = site.directory.display();
    let forever = Duration::from_secs(600).as_secs();
    let mut text = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid {directory}/nginx.pid;\nerror_log stderr warn;\n\
         events {{ worker_connections 8192; }}\n\
         http {{\naccess_log off;\nkeepalive_requests 1000000000;\nkeepalive_timeout {forever}s;\n\
         proxy_http_version 1.1;\nproxy_set_header Connection \"\";\n"
    );
    upstreams(&mut text, site.rules, site.ports);
    let name = CANARY.0.replace('-', "_");
    let canaries: Vec<&Rule> = site.rules.iter().filter(|rule| rule.canary).collect();
    if !canaries.is_empty() {
        let _ = writeln!(text, "map $http_{name} $version {{ default v1; {} v2; }}", CANARY.1);
    }
    let ssl = if site.identity.is_some() { " ssl" } else { "" };
    let _ = writeln!(text, "server {{\nlisten 127.0.0.1:{port}{ssl} backlog=4096;");
    if let Some(identity) = site.identity {
        let (certificate, key) = (identity.certificate.display(), identity.key.display());
        let _ = writeln!(
            text,
            "ssl_certificate {certificate};\nssl_certificate_key {key};\nssl_protocols TLSv1.2 TLSv1.3;"
        );
    }
    for rule in site.rules.iter().filter(|rule| !rule.canary) {
        let pool = match rule.destination {
            _ if canaries.iter().any(|canary| canary.prefix == rule.prefix) => "$version".to_owned(),
            Destination::Single(version) => version.name().to_owned(),
            Destination::Split(v1, v2) => split_name(v1, v2),
        };
        if rule.options {
            let [set, removed, answered] = CHANGED;
            // A location with headers of its own inherits none.
            let _ = writeln!(
                text,
                "location {} {{ proxy_pass http://{pool}{REWRITTEN}; proxy_set_header Connection \"\"; \
                 proxy_set_header {set} 1; proxy_set_header {removed} \"\"; add_header {answered} 1; \
                 proxy_read_timeout 5s; proxy_next_upstream error timeout; proxy_next_upstream_tries 2; }}",
                rule.prefix
            );
            continue;
        }
        let _ = writeln!(text, "location {} {{ proxy_pass http://{pool}; }}", rule.prefix);
    }
    text.push_str("}\n}\n");
    text
}

fn split_name(v1: u32, v2: u32) -> String {
    format!("split_{v1}_{v2}")
}

fn upstreams(text: &mut String, rules: &[Rule], ports: Ports) {
    let kept = format!("keepalive {KEPT_CONNECTIONS}; keepalive_requests 1000000000; keepalive_timeout 600s;");
    for version in [Version::V1, Version::V2] {
        let _ = writeln!(text, "upstream {} {{ server 127.0.0.1:{}; {kept} }}", version.name(), ports.of(version));
    }
    let splits: BTreeSet<(u32, u32)> = rules
        .iter()
        .filter_map(|rule| match rule.destination {
            Destination::Split(v1, v2) => Some((v1, v2)),
            Destination::Single(_) => None,
        })
        .collect();
    for (v1, v2) in splits {
        let _ = writeln!(
            text,
            "upstream {} {{ server 127.0.0.1:{} weight={v1}; server 127.0.0.1:{} weight={v2}; {kept} }}",
            split_name(v1, v2),
            ports.v1,
            ports.v2
        );
    }
}
