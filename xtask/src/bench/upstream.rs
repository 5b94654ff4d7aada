//! The upstream that all proxies share: one nginx that answers on two ports with the names of two versions.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::error::BenchError;
use super::probe;
use super::scenario::{Request, Version};
use super::server::{Server, find_program, free_port};

/// The running upstream.
pub(crate) struct Upstream {
    _server: Server,
    pub(crate) ports: Ports,
}

/// The ports of 127.0.0.1 where the two versions answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) v1: u16,
    pub(crate) v2: u16,
}

impl Ports {
    pub(crate) fn of(self, version: Version) -> u16 {
        match version {
            Version::V1 => self.v1,
            Version::V2 => self.v2,
        }
    }
}

impl Upstream {
    pub(crate) fn start(directory: &Path, core: usize) -> Result<Upstream, BenchError> {
        let nginx = find_program("nginx")
            .ok_or_else(|| BenchError::MissingTools("  nginx, for the upstream: apt-get install nginx-light".into()))?;
        let ports = Ports { v1: free_port()?, v2: free_port()? };
        let configuration = directory.join("upstream.conf");
        fs::write(&configuration, render(directory, ports))?;
        let arguments = ["-c".as_ref(), configuration.as_os_str(), "-p".as_ref(), directory.as_os_str()];
        let mut server = Server::start(&nginx, arguments, &[], directory, core)?;
        for version in [Version::V1, Version::V2] {
            let request = Request { path: "/".into(), canary: false, new_connection: false, expected: Some(version) };
            server.wait_until(Duration::from_secs(10), || probe::ask(ports.of(version), &request, None))?;
        }
        Ok(Upstream { _server: server, ports })
    }
}

fn render(directory: &Path, ports: Ports) -> String {
    let directory = directory.display();
    let servers: String = [Version::V1, Version::V2]
        .map(|version| {
            let (name, port) = (version.name(), ports.of(version));
            format!("  server {{ listen 127.0.0.1:{port} backlog=4096; return 200 \"version:{name}\\n\"; }}\n")
        })
        .concat();
    format!(
        "daemon off;\nmaster_process off;\npid {directory}/upstream.pid;\nerror_log stderr warn;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 1000000000;\n  keepalive_timeout 600s;\n\
         \x20 default_type text/plain;\n{servers}}}\n"
    )
}
