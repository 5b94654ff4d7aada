//! HAProxy: rules with a header one by one, the others in a map by the beginning of the path.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use super::{BenchError, RunningProxy, Server, Site};
use crate::bench::scenario::{CANARY, CHANGED, Destination, REWRITTEN, Rule, Version};
use crate::bench::server::free_port;

pub(super) fn start(site: &Site<'_>) -> Result<RunningProxy, BenchError> {
    let port = free_port()?;
    let configuration = site.directory.join("haproxy.cfg");
    let map = site.directory.join("prefixes.map");
    fs::write(&map, prefixes(site))?;
    let bundle = site.directory.join("bundle.pem");
    let ssl = match site.identity {
        Some(identity) => {
            fs::write(&bundle, fs::read_to_string(&identity.certificate)? + &fs::read_to_string(&identity.key)?)?;
            format!(" ssl crt {} alpn http/1.1", bundle.display())
        }
        None => String::new(),
    };
    fs::write(&configuration, render(site, &format!("127.0.0.1:{port}{ssl}"), &map.display().to_string()))?;
    let arguments = ["-db".as_ref(), "-f".as_ref(), configuration.as_os_str()];
    let server = Server::start(site.program, arguments, &[], site.directory, site.core)?;
    Ok(RunningProxy { server, port })
}

/// What the name of a backend ends with whose rules have options.
const OPTIONS: &str = "-options";

fn backend(destination: Destination) -> String {
    match destination {
        Destination::Single(version) => version.name().to_owned(),
        Destination::Split(v1, v2) => format!("split-{v1}-{v2}"),
    }
}

/// The map's file: a prefix and its backend on each line.
fn prefixes(site: &Site<'_>) -> String {
    let plain = site.rules.iter().filter(|rule| !rule.canary);
    let named = |rule: &Rule| format!("{}{}", backend(rule.destination), if rule.options { OPTIONS } else { "" });
    plain.map(|rule| format!("{} {}\n", rule.prefix, named(rule))).collect()
}

fn render(site: &Site<'_>, bind: &str, map: &str) -> String {
    let mut text = format!(
        "global\n  nbthread 1\n  maxconn 8192\n\
         defaults\n  mode http\n  option http-keep-alive\n  http-reuse always\n  timeout connect 5s\n  \
         timeout client 600s\n  timeout server 600s\n  timeout http-keep-alive 600s\n\
         frontend bench\n  bind {bind} backlog 4096\n"
    );
    for rule in site.rules.iter().filter(|rule| rule.canary) {
        let (name, value) = CANARY;
        let _ = writeln!(
            text,
            "  use_backend {} if {{ path_beg {} }} {{ req.hdr({name}) -m str {value} }}",
            backend(rule.destination),
            rule.prefix
        );
    }
    let _ = writeln!(text, "  use_backend %[path,map_beg({map})]");
    let server = |version: Version| format!("  server {} 127.0.0.1:{}", version.name(), site.ports.of(version));
    for version in [Version::V1, Version::V2] {
        let _ = writeln!(text, "backend {}\n{}", version.name(), server(version));
    }
    if site.rules.iter().any(|rule| rule.options) {
        let [set, removed, answered] = CHANGED;
        let _ = writeln!(
            text,
            "backend {}{OPTIONS}\n  timeout server 5s\n  retries 1\n  retry-on conn-failure empty-response\n  \
             http-request replace-path ^/[^/]*/(.*) {REWRITTEN}\\1\n  http-request set-header {set} 1\n  \
             http-request del-header {removed}\n  http-response set-header {answered} 1\n{}",
            Version::V1.name(),
            server(Version::V1)
        );
    }
    let splits: BTreeSet<(u32, u32)> = site
        .rules
        .iter()
        .filter_map(|rule| match rule.destination {
            Destination::Split(v1, v2) => Some((v1, v2)),
            Destination::Single(_) => None,
        })
        .collect();
    for (v1, v2) in splits {
        let name = backend(Destination::Split(v1, v2));
        let _ = writeln!(
            text,
            "backend {name}\n  balance roundrobin\n{} weight {v1}\n{} weight {v2}",
            server(Version::V1),
            server(Version::V2)
        );
    }
    text
}
