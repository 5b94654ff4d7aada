//! The two that are compared: Serin's data plane in this process, and an Envoy that its discovery server configures.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serin_api::proxy::{EndpointMap, ProxySpec};
use serin_proxy::{DataPlane, DataPlaneOptions};
use serin_xds::bootstrap::Bootstrap;
use serin_xds::{DiscoveryServer, ListenerAddresses, Refusal, Snapshot};

use super::error::DifferentialError;
use super::listeners::{self, Configuration, Place};
use super::outcome::Outcome;
use super::request::Request;
use super::tls::{self, Identities};
use super::upstream::{Arrival, Arrivals};
use super::world;

/// How long either may take to follow.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the Envoy is called.
const NODE: &str = "differential";

/// How long nothing may arrive before nothing will.
const QUIET: Duration = Duration::from_millis(300);

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Serin,
    Envoy,
}

/// Both, with the upstreams.
pub(crate) struct Planes {
    ours: DataPlane,
    envoy: Envoy,
    our_addresses: Addresses,
    envoys_addresses: Addresses,
    world: Worlds,
    places: Vec<Place>,
    generation: u64,
}

/// Where each listener is served, by its name.
type Addresses = BTreeMap<String, SocketAddr>;

/// The upstreams of both: they are the same, so that hashes place them alike.
#[derive(Clone)]
pub(crate) struct Worlds {
    arrivals: Arrivals,
    endpoints: EndpointMap,
    identities: Arc<Identities>,
}

impl Worlds {
    /// Starts them.
    pub(crate) fn start() -> Result<Self, DifferentialError> {
        let (arrivals, identities) = (Arrivals::default(), Identities::make()?);
        Ok(Self { endpoints: world::start(&arrivals, &identities)?, arrivals, identities: Arc::new(identities) })
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
        ours.set_credentials(world.identities.credentials()?);
        ours.apply(Arc::clone(&spec))?;
        let our_addresses = ours.listeners().into_iter().map(|bound| (bound.name, bound.address)).collect();
        let addresses = ListenerAddresses { bind: Some(Ipv4Addr::LOCALHOST.into()), port_map };
        let envoy = Envoy::start(program)?;
        envoy.publish(world, Arc::clone(&spec), addresses);
        let envoys_addresses = envoy.wait(|| envoy.listening(&spec))?;
        let (world, places) = (world.clone(), configuration.listeners.clone());
        let planes = Self { ours, envoy, our_addresses, envoys_addresses, world, places, generation: 1 };
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
        self.envoy.publish(&self.world, spec, addresses);
        self.wait()
    }

    /// Waits until every listener of both serves the newest generation.
    fn wait(&self) -> Result<(), DifferentialError> {
        self.envoy.wait(|| {
            let mut all = self.places.iter().enumerate();
            let served =
                |place: &Place, address: SocketAddr| listeners::generation(place, address, &self.world.identities);
            let serve = |(number, place): (usize, &Place)| {
                self.addresses(number).is_ok_and(|(ours, envoys)| {
                    [ours, envoys].into_iter().all(|address| served(place, address) == Some(self.generation))
                })
            };
            all.all(serve).then_some(())
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
        Ok((self.send(listener, request, case, Side::Serin)?, self.send(listener, request, case, Side::Envoy)?))
    }

    /// Sends a request to one of them.
    ///
    /// # Errors
    /// When there is no such listener.
    pub(crate) fn send(
        &self,
        listener: usize,
        request: &Request,
        case: &str,
        side: Side,
    ) -> Result<Outcome, DifferentialError> {
        let (ours, envoys) = self.addresses(listener)?;
        let address = if side == Side::Serin { ours } else { envoys };
        let Worlds { arrivals, identities, .. } = &self.world;
        Ok(Outcome::of(request, address, &self.named(case, side), arrivals, identities))
    }

    /// What arrived for a case after its answer.
    pub(crate) fn arrived(&self, case: &str, side: Side) -> Vec<Arrival> {
        self.world.arrivals.take(&self.named(case, side))
    }

    /// Waits until nothing more arrives that was sent before.
    pub(crate) fn settle(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut before = None;
        while before != Some(self.world.arrivals.count()) && Instant::now() < deadline {
            before = Some(self.world.arrivals.count());
            std::thread::sleep(QUIET);
        }
    }

    fn named(&self, case: &str, side: Side) -> String {
        format!("{}-{case}-{side:?}", self.generation)
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
        let discovery = socket.local_addr()?.into();
        let server = DiscoveryServer::new();
        // Only who shows a certificate gets those of listeners.
        let (identity, node) = tls::of_discovery(NODE)?;
        let serving = server.clone();
        runtime.spawn(async move { serving.serve_tls(socket, &identity).await });
        let bootstrap = Bootstrap {
            node_id: NODE.to_owned(),
            node_cluster: NODE.to_owned(),
            discovery,
            tls: Some(node),
            admin: (Ipv4Addr::LOCALHOST, 0).into(),
            delta: false,
        };
        let process = serin_envoy_process::Envoy::start(program, &bootstrap.to_yaml())
            .map_err(|error| DifferentialError::Envoy(program.display().to_string(), error))?;
        Ok(Self { process, server, _runtime: runtime })
    }

    fn publish(&self, world: &Worlds, spec: Arc<ProxySpec>, addresses: ListenerAddresses) {
        let previous = self.server.current();
        let (endpoints, secrets) = (world.endpoints.clone(), world.identities.secrets());
        let next = Snapshot::with_secrets(spec, endpoints, addresses, secrets, previous.as_deref());
        self.server.publish(Arc::new(next));
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
