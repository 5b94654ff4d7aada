//! The two that are compared: Serin's data plane in this process, and an Envoy that its discovery server configures.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serin_api::proxy::{EndpointMap, ProxySpec};
use serin_proxy::{DataPlane, DataPlaneOptions};
use serin_xds::bootstrap::Bootstrap;
use serin_xds::{DiscoveryServer, ListenerAddresses, Refusal, Snapshot};

use super::error::DifferentialError;
use super::listeners::{self, Configuration};
use super::outcome::Outcome;
use super::request::Request;
use super::upstream::Arrivals;
use super::world;

/// How long either may take to follow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Both, with the upstreams.
pub(crate) struct Planes {
    ours: DataPlane,
    envoy: Envoy,
    our_addresses: Addresses,
    envoys_addresses: Addresses,
    world: Worlds,
    generation: u64,
}

/// Where each listener is served, by its name.
type Addresses = BTreeMap<String, SocketAddr>;

/// The upstreams of both: they are the same, so that hashes place them alike.
#[derive(Clone)]
pub(crate) struct Worlds {
    arrivals: Arrivals,
    endpoints: EndpointMap,
}

impl Worlds {
    /// Starts them.
    pub(crate) fn start() -> io::Result<Self> {
        let arrivals = Arrivals::default();
        Ok(Self { endpoints: world::start(&arrivals)?, arrivals })
    }
}

impl Planes {
    /// Starts both with `configuration`; returns when they serve it.
    pub(crate) fn start(
        program: &Path,
        world: &Worlds,
        configuration: &Configuration,
    ) -> Result<Self, DifferentialError> {
        let spec = Arc::new(configuration.spec(1));
        let port_map: BTreeMap<_, _> = spec.listeners.iter().map(|listener| (listener.bind_port, 0)).collect();
        let options = DataPlaneOptions { workers: 1, port_map: port_map.clone(), ..DataPlaneOptions::default() };
        let ours = DataPlane::start(options)?;
        ours.set_endpoints(world.endpoints.clone());
        ours.apply(Arc::clone(&spec))?;
        let our_addresses = ours.listeners().into_iter().map(|bound| (bound.name, bound.address)).collect();
        let addresses = ListenerAddresses { bind: Some(Ipv4Addr::LOCALHOST.into()), port_map };
        let envoy = Envoy::start(program)?;
        envoy.server.publish(Arc::new(Snapshot::new(Arc::clone(&spec), world.endpoints.clone(), addresses, None)));
        let envoys_addresses = envoy.wait(|| envoy.listening(&spec))?;
        let planes = Self { ours, envoy, our_addresses, envoys_addresses, world: world.clone(), generation: 1 };
        planes.wait()?;
        Ok(planes)
    }

    /// Gives both another configuration with the same listeners; returns when they serve it.
    ///
    /// # Errors
    /// When one of them refuses it.
    pub(crate) fn replace(&mut self, configuration: &Configuration) -> Result<(), DifferentialError> {
        self.generation += 1;
        let spec = Arc::new(configuration.spec(self.generation));
        self.ours.apply(Arc::clone(&spec))?;
        let port_map = spec.listeners.iter().map(|listener| (listener.bind_port, 0)).collect();
        let addresses = ListenerAddresses { bind: Some(Ipv4Addr::LOCALHOST.into()), port_map };
        let previous = self.envoy.server.current();
        let next = Snapshot::new(spec, self.world.endpoints.clone(), addresses, previous.as_deref());
        self.envoy.server.publish(Arc::new(next));
        self.wait()
    }

    /// Waits until every listener of both serves the newest generation.
    fn wait(&self) -> Result<(), DifferentialError> {
        self.envoy.wait(|| {
            let mut all = self.our_addresses.values().chain(self.envoys_addresses.values());
            all.all(|address| listeners::generation(*address) == Some(self.generation)).then_some(())
        })
    }

    /// Sends a request to both.
    ///
    /// # Errors
    /// When there is no such listener.
    pub(crate) fn play(
        &self,
        listener: usize,
        request: &Request,
        case: &str,
    ) -> Result<(Outcome, Outcome), DifferentialError> {
        let (ours, envoys) = self.addresses(listener)?;
        let case = format!("{}-{case}", self.generation);
        Ok((
            Outcome::of(request, ours, &format!("{case}-serin"), &self.world.arrivals),
            Outcome::of(request, envoys, &format!("{case}-envoy"), &self.world.arrivals),
        ))
    }

    /// Where Serin and where Envoy serve a listener.
    ///
    /// # Errors
    /// When they do not.
    pub(crate) fn addresses(&self, listener: usize) -> Result<(SocketAddr, SocketAddr), DifferentialError> {
        let listener = listeners::name(listener);
        match (self.our_addresses.get(&listener), self.envoys_addresses.get(&listener)) {
            (Some(ours), Some(envoys)) => Ok((*ours, *envoys)),
            _ => Err(DifferentialError::NoListener(listener)),
        }
    }
}

/// A running Envoy that follows a discovery server; it ends when this is dropped.
struct Envoy {
    process: serin_envoy_process::Envoy,
    server: DiscoveryServer,
    _runtime: tokio::runtime::Runtime,
}

impl Envoy {
    fn start(program: &Path) -> Result<Self, DifferentialError> {
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
        let process = serin_envoy_process::Envoy::start(program, &bootstrap.to_yaml())
            .map_err(|error| DifferentialError::Envoy(program.display().to_string(), error))?;
        Ok(Self { process, server, _runtime: runtime })
    }

    /// Where the listeners of `spec` are; `None` while one of them is not open.
    fn listening(&self, spec: &ProxySpec) -> Option<Addresses> {
        let open = self.process.listeners();
        let of = |name: &String| Some((name.clone(), *open.get(name)?));
        spec.listeners.iter().map(|listener| of(&listener.name)).collect()
    }

    /// Waits until `ready` has something, and Envoy has taken over what was published.
    fn wait<T>(&self, ready: impl Fn() -> Option<T>) -> Result<T, DifferentialError> {
        let deadline = Instant::now() + PATIENCE;
        let current = self.server.current().unwrap_or_default();
        // What was refused of an earlier configuration may still be there.
        let of_this = |refusal: &Refusal| {
            let sent = current.resources(refusal.kind).get(&refusal.resource);
            sent.is_some_and(|sent| sent.version == refusal.version)
        };
        loop {
            for node in self.server.nodes() {
                if let Some(refusal) = node.refusals.into_iter().find(of_this) {
                    return Err(DifferentialError::Refused(refusal.resource, refusal.message));
                }
                if node.snapshot == current.number()
                    && let Some(found) = ready()
                {
                    return Ok(found);
                }
            }
            if Instant::now() > deadline {
                return Err(DifferentialError::NotSettled(PATIENCE.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
