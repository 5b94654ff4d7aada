//! The handle on a running data plane: takes configurations and endpoints, hands them to the workers.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serin_api::ResourceId;
use serin_api::proxy::{EndpointMap, Listener, ProxySpec};
use tokio::sync::oneshot;

use crate::compile::{Compiler, Table};
use crate::destinations::DestinationBuilder;
use crate::error::{ApplyError, ListenerError, StartError};
use crate::health::{Board, Keeper, UpstreamHealth};
use crate::listener;
use crate::metrics::{Registry, WorkerCounters, render};
use crate::options::DataPlaneOptions;
use crate::resolve::Resolver;
use crate::tls::{CredentialMap, TlsBuilder, TlsTable};
use crate::worker::{Command, WorkerHandle, start};

/// How long `apply` waits until every worker serves the new configuration. A worker that is busy for longer takes it over
/// right after.
const TAKE_OVER: Duration = Duration::from_secs(1);

/// A listener that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundListener {
    /// The listener's name, as in [`Listener::name`].
    pub name: String,
    /// The Gateway that it comes from.
    pub source: ResourceId,
    /// Where it listens.
    pub address: SocketAddr,
}

/// A running data plane. Dropping it ends its workers at once; [`drain`](Self::drain) lets them finish.
pub struct DataPlane {
    shared: Arc<Shared>,
}

struct Shared {
    options: DataPlaneOptions,
    registry: Arc<Registry>,
    workers: Vec<WorkerHandle>,
    swaps: AtomicU64,
    health: Arc<Board>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    compiler: Compiler,
    destinations: DestinationBuilder,
    credentials: CredentialMap,
    tls: TlsBuilder,
    listeners: BTreeMap<String, OpenListener>,
    next_listener: u64,
    resolver: Option<Resolver>,
    keeper: Option<Keeper>,
}

struct OpenListener {
    number: u64,
    /// What it serves.
    listener: Arc<Listener>,
    table: Arc<Table>,
    /// What was asked for: the port may have been 0.
    asked: SocketAddr,
    address: SocketAddr,
}

impl DataPlane {
    /// Starts the workers. Nothing is served until a configuration is applied.
    ///
    /// # Errors
    /// When a thread or its runtime cannot be created.
    pub fn start(options: DataPlaneOptions) -> Result<Self, StartError> {
        let count = match options.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        };
        let registry = Arc::new(Registry::new(options.limits.metric_series));
        let workers = (0..count)
            .map(|number| start(number, options.limits.clone(), Arc::clone(&registry)))
            .collect::<io::Result<_>>()
            .map_err(StartError::Worker)?;
        let (swaps, health, inner) = (AtomicU64::new(0), Arc::default(), Mutex::default());
        let shared = Shared { options, registry, workers, swaps, health, inner };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Puts `spec` into service, in place of what was served before. Returns when all workers serve it.
    ///
    /// The certificates are those of [`set_credentials`](Self::set_credentials); a name whose certificate is missing is
    /// refused.
    ///
    /// # Errors
    /// [`ApplyError::Route`] when a route cannot be compiled: nothing changed. [`ApplyError::Listeners`] when some
    /// listeners could not be opened: everything else is served, and the next call tries again.
    pub fn apply(&self, spec: Arc<ProxySpec>) -> Result<(), ApplyError> {
        let shared = &self.shared;
        let mut inner = shared.inner.lock();
        let inner = &mut *inner;
        let released = inner.compiler.destinations.release_unused();
        let tables = inner.compiler.compile(&spec, &shared.registry)?;
        inner.destinations.set_clusters(&spec.clusters);
        self.resolve(inner);
        inner.destinations.forget(&released);
        shared.refresh_destinations(inner);

        let wanted: Vec<_> = spec.listeners.iter().zip(tables).collect();
        let failed = shared.set_listeners(inner, &wanted);
        shared.swaps.fetch_add(1, Ordering::Relaxed);
        shared.wait_for_workers();
        inner.tls.forget_unused();
        if failed.is_empty() { Ok(()) } else { Err(ApplyError::Listeners(failed)) }
    }

    /// Sets the endpoints of all clusters. Returns when all workers use them.
    pub fn set_endpoints(&self, endpoints: EndpointMap) {
        let shared = &self.shared;
        let mut inner = shared.inner.lock();
        inner.destinations.set_endpoints(endpoints);
        self.resolve(&mut inner);
        shared.refresh_destinations(&mut inner);
        shared.wait_for_workers();
    }

    /// Sets the certificates and keys that configurations name. New connections, from clients and to upstreams, are made
    /// with them at once; those under way keep what they have. Returns when all workers use them.
    pub fn set_credentials(&self, credentials: CredentialMap) {
        let shared = &self.shared;
        let mut inner = shared.inner.lock();
        let inner = &mut *inner;
        inner.destinations.set_credentials(&credentials);
        shared.refresh_destinations(inner);
        inner.credentials = credentials;
        for open in inner.listeners.values_mut().filter(|open| open.listener.ssl) {
            let tls = Some(Arc::new(inner.tls.table(&open.listener, &inner.credentials)));
            let (number, table) = (open.number, &open.table);
            shared.tell_all(|| Command::Serve { listener: number, table: Arc::clone(table), tls: tls.clone() });
        }
        shared.wait_for_workers();
        inner.tls.forget_unused();
    }

    fn resolve(&self, inner: &mut Inner) {
        let names = inner.destinations.names();
        if inner.resolver.is_none() && !names.is_empty() {
            let shared = Arc::downgrade(&self.shared);
            let started = Resolver::start(move |addresses| {
                let Some(shared) = shared.upgrade() else { return false };
                let mut inner = shared.inner.lock();
                inner.destinations.set_addresses(addresses);
                shared.refresh_destinations(&mut inner);
                true
            });
            match started {
                Ok(resolver) => inner.resolver = Some(resolver),
                Err(error) => tracing::error!(%error, "cannot start looking up the names of endpoints"),
            }
        }
        if let Some(resolver) = &inner.resolver {
            resolver.set_names(names);
        }
    }

    /// The listeners that are open, by name.
    pub fn listeners(&self) -> Vec<BoundListener> {
        let inner = self.shared.inner.lock();
        inner
            .listeners
            .iter()
            .map(|(name, open)| BoundListener {
                name: name.clone(),
                source: open.listener.source.clone(),
                address: open.address,
            })
            .collect()
    }

    /// Appends the metrics as Prometheus text.
    pub fn render_metrics(&self, out: &mut String) {
        let counters: Vec<Arc<WorkerCounters>> =
            self.shared.workers.iter().map(|worker| Arc::clone(&worker.counters)).collect();
        render(&self.shared.registry, &counters, self.shared.swaps.load(Ordering::Relaxed), out);
        self.shared.health.render(out);
    }

    /// Of every cluster whose endpoints are judged: which of them get no requests for now, and why. With them those that
    /// have a host name that cannot be looked up.
    pub fn health(&self) -> Vec<UpstreamHealth> {
        let mut all = self.shared.health.upstreams();
        let inner = self.shared.inner.lock();
        let failures = inner.resolver.as_ref().map(Resolver::failures).unwrap_or_default();
        for mut unresolved in inner.destinations.unresolved(&failures) {
            match all.iter_mut().find(|one| one.cluster == unresolved.cluster) {
                Some(judged) => judged.unresolved.append(&mut unresolved.unresolved),
                None => all.push(unresolved),
            }
        }
        all
    }

    /// Stops accepting, tells clients to go elsewhere, and returns when all requests are answered or `within` is over.
    pub async fn drain(&self, within: Duration) {
        self.shared.inner.lock().listeners.clear();
        let ended: Vec<_> = self
            .shared
            .workers
            .iter()
            .filter_map(|worker| {
                let (done, ended) = oneshot::channel();
                worker.commands.send(Command::Drain { within, done }).ok().map(|()| ended)
            })
            .collect();
        for ended in ended {
            // An error means that the worker is gone already.
            let _ = ended.await;
        }
    }
}

impl Shared {
    fn tell_all(&self, command: impl Fn() -> Command) {
        for worker in &self.workers {
            // A worker that is gone has nothing left to be told.
            let _ = worker.commands.send(command());
        }
    }

    fn wait_for_workers(&self) {
        let (done, all_done) = std::sync::mpsc::sync_channel(self.workers.len());
        self.tell_all(|| Command::Acknowledge(done.clone()));
        drop(done);
        let until = std::time::Instant::now() + TAKE_OVER;
        while all_done.recv_timeout(until.saturating_duration_since(std::time::Instant::now())).is_ok() {}
    }

    fn refresh_destinations(self: &Arc<Self>, inner: &mut Inner) {
        let changes = inner.destinations.refresh(&inner.compiler.destinations, &self.registry);
        if !changes.is_empty() {
            let changes = Arc::new(changes);
            self.tell_all(|| Command::Destinations(Arc::clone(&changes)));
        }
        self.judge(inner);
    }

    /// Has the endpoints judged that are to be.
    fn judge(self: &Arc<Self>, inner: &mut Inner) {
        let judged = inner.destinations.judged();
        if inner.keeper.is_none() && !judged.is_empty() {
            let shared = Arc::downgrade(self);
            let started = Keeper::start(Arc::clone(&self.health), move || {
                let Some(shared) = shared.upgrade() else { return false };
                shared.refresh_destinations(&mut shared.inner.lock());
                true
            });
            match started {
                Ok(keeper) => inner.keeper = Some(keeper),
                Err(error) => tracing::error!(%error, "cannot start judging the health of endpoints"),
            }
        }
        if let Some(keeper) = &mut inner.keeper {
            keeper.watch(judged);
        }
    }

    /// Opens, updates and closes listeners so that `wanted` is what is served; returns what could not be opened.
    fn set_listeners(&self, inner: &mut Inner, wanted: &[(&Arc<Listener>, Arc<Table>)]) -> Vec<ListenerError> {
        let close = |open: &OpenListener| {
            self.tell_all(|| Command::Close { listener: open.number, within: self.options.drain });
        };
        inner.listeners.retain(|name, open| {
            // One that begins to speak TLS begins anew: nothing of it is served in plain text any more.
            let stays = wanted.iter().any(|(listener, _)| {
                listener.name == *name && self.address(listener) == open.asked && listener.ssl == open.listener.ssl
            });
            if !stays {
                close(open);
            }
            stays
        });
        // Ports that are given up must be free before others ask for them.
        self.wait_for_workers();

        let mut failed = Vec::new();
        for (listener, table) in wanted {
            let tls = listener.ssl.then(|| Arc::new(inner.tls.table(listener, &inner.credentials)));
            if let Some(open) = inner.listeners.get_mut(&listener.name) {
                (open.listener, open.table) = (Arc::clone(listener), Arc::clone(table));
                let number = open.number;
                self.tell_all(|| Command::Serve { listener: number, table: Arc::clone(table), tls: tls.clone() });
                continue;
            }
            match self.open(inner, listener, table, tls) {
                Ok(open) => drop(inner.listeners.insert(listener.name.clone(), open)),
                Err(error) => failed.push(error),
            }
        }
        failed
    }

    fn address(&self, listener: &Listener) -> SocketAddr {
        let port = self.options.port_map.get(&listener.bind_port).copied().unwrap_or(listener.bind_port);
        SocketAddr::new(self.options.bind, port)
    }

    fn open(
        &self,
        inner: &mut Inner,
        listener: &Arc<Listener>,
        table: &Arc<Table>,
        tls: Option<Arc<TlsTable>>,
    ) -> Result<OpenListener, ListenerError> {
        let asked = self.address(listener);
        let source_id = listener.source.clone();
        if let Some((other, _)) = inner.listeners.iter().find(|(_, open)| open.asked == asked && asked.port() != 0) {
            return Err(ListenerError::Conflict { source_id, address: asked, other: other.clone() });
        }
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => ListenerError::Taken {
                source_id: listener.source.clone(),
                address: asked,
                requested: listener.bind_port,
            },
            _ => ListenerError::Io { source_id: listener.source.clone(), address: asked, error },
        };
        let sockets = listener::open(asked, self.workers.len()).map_err(failed)?;
        let address = sockets.first().map_or(Ok(asked), std::net::TcpListener::local_addr).map_err(failed)?;
        let number = inner.next_listener;
        inner.next_listener += 1;
        for (worker, socket) in self.workers.iter().zip(sockets) {
            let _ = worker.commands.send(Command::Open {
                listener: number,
                socket,
                table: Arc::clone(table),
                tls: tls.clone(),
            });
        }
        Ok(OpenListener { number, listener: Arc::clone(listener), table: Arc::clone(table), asked, address })
    }
}
