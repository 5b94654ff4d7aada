//! The two that are compared: Serin's data plane in this process, and an Envoy that its discovery server configures.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serin_api::proxy::{EndpointMap, ProxySpec};
use serin_proxy::{DataPlane, DataPlaneOptions};
use serin_xds::bootstrap::Bootstrap;
use serin_xds::{DiscoveryServer, ListenerAddresses, Snapshot};

use super::error::DifferentialError;
use super::message::Message;

/// How long Envoy may take to follow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where each listener is served, by its name.
pub(crate) type Addresses = BTreeMap<String, SocketAddr>;

/// Starts Serin's data plane with `spec`.
pub(crate) fn ours(spec: &Arc<ProxySpec>, endpoints: EndpointMap) -> Result<(DataPlane, Addresses), DifferentialError> {
    let port_map = spec.listeners.iter().map(|listener| (listener.bind_port, 0)).collect();
    let plane = DataPlane::start(DataPlaneOptions { workers: 1, port_map, ..DataPlaneOptions::default() })?;
    plane.set_endpoints(endpoints);
    plane.apply(Arc::clone(spec))?;
    let addresses = plane.listeners().into_iter().map(|bound| (bound.name, bound.address)).collect();
    Ok((plane, addresses))
}

/// A running Envoy; it ends when this is dropped.
pub(crate) struct Envoy {
    process: Child,
    _files: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts `program` with `spec`.
pub(crate) fn envoy(
    program: &Path,
    spec: &Arc<ProxySpec>,
    endpoints: EndpointMap,
) -> Result<(Envoy, Addresses), DifferentialError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let socket = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let bootstrap = Bootstrap {
        node_id: "differential".to_owned(),
        node_cluster: "differential".to_owned(),
        discovery: socket.local_addr()?.into(),
        tls: None,
        admin: (Ipv4Addr::LOCALHOST, 0).into(),
        delta: false,
    };
    let server = DiscoveryServer::new();
    runtime.spawn(server.clone().serve(socket));
    let addresses = ListenerAddresses {
        bind: Some(Ipv4Addr::LOCALHOST.into()),
        port_map: spec.listeners.iter().map(|listener| (listener.bind_port, 0)).collect(),
    };
    server.publish(Arc::new(Snapshot::new(Arc::clone(spec), endpoints, addresses, None)));

    let files = tempfile::tempdir()?;
    let (file, admin) = (files.path().join("bootstrap.yaml"), files.path().join("admin"));
    std::fs::write(&file, bootstrap.to_yaml())?;
    let process = Command::new(program)
        .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "--config-path"])
        .arg(&file)
        .arg("--admin-address-path")
        .arg(&admin)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| DifferentialError::Envoy(program.display().to_string(), error))?;
    let envoy = Envoy { process, _files: files, _runtime: runtime };

    let deadline = Instant::now() + PATIENCE;
    loop {
        for node in server.nodes() {
            if let Some(refusal) = node.refusals.into_iter().next() {
                return Err(DifferentialError::Refused(refusal.resource, refusal.message));
            }
            if node.snapshot == 1
                && let Some(addresses) = listening(&admin, spec)
            {
                return Ok((envoy, addresses));
            }
        }
        if Instant::now() > deadline {
            return Err(DifferentialError::NotSettled(PATIENCE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where Envoy says it listens; `None` while a listener is not open.
fn listening(admin: &Path, spec: &ProxySpec) -> Option<Addresses> {
    let admin: SocketAddr = std::fs::read_to_string(admin).ok()?.trim().parse().ok()?;
    let mut stream = TcpStream::connect(admin).ok()?;
    stream.write_all(b"GET /listeners HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n").ok()?;
    let answer = Message::read_response(&mut BufReader::new(stream), false).ok()?;
    let text = String::from_utf8_lossy(&answer.body);
    spec.listeners
        .iter()
        .map(|listener| {
            let prefix = format!("{}::", listener.name);
            let address = text.lines().find_map(|line| line.strip_prefix(&prefix)?.parse().ok())?;
            Some((listener.name.clone(), address))
        })
        .collect()
}
