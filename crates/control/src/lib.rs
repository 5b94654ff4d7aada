//! Watches the API, calls translate, applies the policy for bad configuration, writes status.
//!
//! ```text
//! watches ──▶ Intake (snapshot) ──▶ translate + policy ──▶ data plane, Envoys ──▶ statuses, Proxy object
//! ```
//!
//! One task owns the snapshot and does the translating; every watch is a task that feeds it, and two more write
//! statuses and the `Proxy` object. Which cluster this is, a real one or the embedded one, is the client's business.

mod admin;
mod credentials;
mod endpoint_slices;
mod engine;
mod envoys;
mod error;
mod intake;
mod metrics;
mod proxy_object;
mod refusal;
mod state;
mod status;
mod verdict;
mod watch;
mod watched;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use kube::Client;
use serin_proxy::DataPlane;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub use envoys::{EnvoyFeed, Listening};
pub use error::StartError;

use crate::engine::Engine;
use crate::envoys::Envoys;
use crate::metrics::Metrics;
use crate::state::State;
use crate::status::StatusBook;
use crate::watched::Watched;

/// Who signs the statuses.
pub(crate) const REPORTER: &str = "serin";
/// How many changes may wait for the engine before the watches are held up.
const QUEUE: usize = 256;

/// What the control plane is started with.
pub struct ControlOptions {
    /// The cluster to watch.
    pub client: Client,
    /// What to configure.
    pub data_plane: Arc<DataPlane>,
    /// Envoys to configure too.
    pub envoys: Vec<EnvoyFeed>,
    /// Where the admin port listens: a loopback address; port 0 takes a free one.
    pub admin: SocketAddr,
}

/// A running control plane. It stops when this is dropped; the data plane goes on serving.
pub struct Control {
    tasks: JoinSet<()>,
    admin: SocketAddr,
    state: Arc<State>,
}

impl Control {
    /// Binds the admin port and starts watching. See [`Control::ready`] for when it has caught up.
    ///
    /// # Errors
    ///
    /// When the admin port cannot be bound. A cluster that does not answer is none: it is tried until it does.
    pub async fn start(options: ControlOptions) -> Result<Self, StartError> {
        let listener = admin::bind(options.admin).await?;
        let admin = listener.local_addr().map_err(|source| StartError::Admin { address: options.admin, source })?;
        let state = Arc::new(State::new());
        let metrics = Arc::new(Metrics::default());
        let mut tasks = JoinSet::new();

        let servers = options.envoys.iter().map(|feed| feed.server.clone()).collect();
        let (changes, queue) = mpsc::channel(QUEUE);
        for kind in Watched::ALL {
            tasks.spawn(watch::follow(options.client.clone(), kind, changes.clone()));
        }
        let (shown, reader) = tokio::sync::watch::channel(None);
        tasks.spawn(proxy_object::keep(options.client.clone(), reader, metrics.clone()));
        let engine = Engine {
            data_plane: options.data_plane.clone(),
            envoys: Envoys::new(options.envoys),
            statuses: StatusBook::open(options.client, metrics.clone()),
            shown,
            state: state.clone(),
            metrics: metrics.clone(),
            intake: Default::default(),
            judge: Default::default(),
            awaited: Watched::ALL.into_iter().collect(),
            judged: BTreeMap::new(),
            desired: BTreeMap::new(),
            policy: Default::default(),
            looked: std::time::Instant::now(),
        };
        tasks.spawn(engine.run(queue));
        let pages = admin::Admin { state: state.clone(), metrics, data_plane: options.data_plane, envoys: servers };
        tasks.spawn(admin::serve(listener, pages));
        Ok(Self { tasks, admin, state })
    }

    /// Where the admin port listens.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Waits until every kind was listed and the data plane has the first configuration.
    pub async fn ready(&self) {
        // An error means that the sender is gone, which `self.state` keeps.
        let _ = self.state.sequence().wait_for(|sequence| *sequence > 0).await;
    }

    /// Which kinds were not listed yet, and what the API answered, for the message of a start that takes too long.
    pub fn awaited(&self) -> Vec<String> {
        let failing = self.state.failing();
        let describe = |kind: &Watched| match failing.get(kind) {
            Some(reason) => format!("{}: {reason}", kind.definition()),
            None => kind.definition(),
        };
        self.state.awaited().iter().map(describe).collect()
    }

    /// Changes each time the data plane was given a configuration.
    pub fn configurations(&self) -> tokio::sync::watch::Receiver<u64> {
        self.state.sequence()
    }

    /// The names of the listeners that speak TLS.
    pub fn tls_listeners(&self) -> Vec<String> {
        let spec = &self.state.served().spec;
        spec.listeners.iter().filter(|listener| listener.ssl).map(|listener| listener.name.clone()).collect()
    }

    /// Stops watching. The data plane keeps what it has.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}
