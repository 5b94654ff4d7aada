//! A stage to play on: a discovery server, a real Envoy that follows it, and a client.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

pub mod both;
pub mod identities;
pub mod logs;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serin_api::proxy::{EndpointMap, ProxySpec};
use serin_envoy_process::{Envoy, program_or_skip};
use serin_xds::bootstrap::Bootstrap;
use serin_xds::{DiscoveryServer, ListenerAddresses, SecretMap, Snapshot};

use self::identities::Identities;

/// The node id of the Envoy on the stage.
pub const NODE: &str = "envoy-on-stage";

/// A discovery server and an Envoy.
pub struct Stage {
    pub server: DiscoveryServer,
    pub envoy: Envoy,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Stage {
    /// `None` (and a loud word) where there is no Envoy.
    pub fn set(delta: bool) -> Option<Self> {
        let program = program_or_skip()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let discovery = listener.local_addr().unwrap();
        let server = DiscoveryServer::new();
        let identities = Identities::new(NODE);
        let serving = server.clone();
        runtime.spawn(async move { serving.serve_tls(listener, &identities.server).await });

        let bootstrap = Bootstrap {
            node_id: NODE.to_owned(),
            node_cluster: "test".to_owned(),
            discovery: discovery.into(),
            tls: Some(identities.node),
            admin: (Ipv4Addr::LOCALHOST, 0).into(),
            delta,
        };
        let envoy = Envoy::start(&program, &bootstrap.to_yaml()).unwrap();
        Some(Self { server, envoy, runtime: Some(runtime) })
    }

    /// Hands out `spec` on free ports; returns the snapshot's number.
    pub fn publish(&self, spec: ProxySpec, endpoints: EndpointMap) -> u64 {
        self.publish_with(spec, endpoints, SecretMap::new())
    }

    /// The same with secrets.
    pub fn publish_with(&self, spec: ProxySpec, endpoints: EndpointMap, secrets: SecretMap) -> u64 {
        let ports = spec.listeners.iter().map(|listener| (listener.bind_port, 0)).collect::<BTreeMap<_, _>>();
        let addresses = ListenerAddresses { bind: Some(Ipv4Addr::LOCALHOST.into()), port_map: ports };
        let previous = self.server.current();
        let snapshot = Snapshot::with_secrets(Arc::new(spec), endpoints, addresses, secrets, previous.as_deref());
        let number = snapshot.number();
        self.server.publish(Arc::new(snapshot));
        number
    }

    /// Waits until the Envoy has all of snapshot `number`.
    pub fn settled(&self, number: u64) {
        eventually("Envoy follows", || {
            self.server.nodes().iter().any(|node| node.node == NODE && node.snapshot >= number)
        });
    }

    /// Where the Envoy serves the listener `name`.
    pub fn address(&self, name: &str) -> SocketAddr {
        let mut found = None;
        eventually("the listener is open", || {
            found = self.envoy.listeners().get(name).copied();
            found.is_some()
        });
        found.unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// `GET path` of `host`, on a connection of its own: the whole response.
pub fn get(address: SocketAddr, host: &str, path: &str) -> String {
    let mut stream = connect(address);
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A connection that waits for an answer, though not for ever.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// A header of a response.
pub fn header<'a>(response: &'a str, name: &str) -> Option<&'a str> {
    let head = response.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// The body of a response.
pub fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// Waits until `condition` holds.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
