//! The cluster as a whole: what has to be given to start it, and its running parts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bootstrap;
use crate::controllers::{self, events::EventRecorder};
use crate::home::{Home, HomeError};
use crate::logs::{LogSource, NoLogs};
use crate::node::{BackOff, Node, NodeError, NodeOptions};
use crate::pki::{Pki, PkiError};
use crate::registry::{CRDS, Registry};
use crate::rest::Api;
use crate::server::{self, Listener, Server};
use crate::store::{Store, StoreError};
use crate::workers;

/// What a cluster is started with.
#[derive(Clone, Debug, Default)]
pub struct ClusterOptions {
    /// Where everything is kept; made with mode 0700 if need be.
    pub home: PathBuf,
    /// Port of the API on 127.0.0.1; 0 picks a free one.
    pub api_port: u16,
    /// Programs on this machine by the image that pods name.
    pub images: BTreeMap<String, PathBuf>,
    /// CustomResourceDefinitions that are to be there, each as JSON text; replaced when they differ. They are parsed one
    /// at a time: expanded, the larger ones take megabytes, which would stay with the process.
    pub crds: Vec<Box<str>>,
    /// Objects to be created when they are absent, as JSON.
    pub objects: Vec<Value>,
    /// The `serin` binary, which runs itself as the shim of pods and as the built-in image.
    pub self_exe: PathBuf,
    /// How long containers that keep ending wait before they start again.
    pub back_off: BackOff,
}

/// Why a cluster does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The home directory cannot be used, or another process has it.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificates cannot be used.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The port cannot be bound.
    #[error("cannot listen on 127.0.0.1:{port}: {error}")]
    Bind {
        /// The port of the API.
        port: u16,
        /// The operating system's answer.
        error: std::io::Error,
    },
    /// Pods cannot be run.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// One of the objects to start with is not accepted.
    #[error("cannot create {object}: {message}")]
    Object {
        /// Its kind and name.
        object: String,
        /// The API's answer.
        message: String,
    },
}

/// A running cluster; it ends when [`Cluster::stop`] is awaited.
pub struct Cluster {
    address: SocketAddr,
    kubeconfig: PathBuf,
    stopping: CancellationToken,
    tasks: JoinSet<()>,
    clients: JoinSet<()>,
    node: Node,
    store: Arc<Store>,
    _home: Home,
}

impl Cluster {
    /// Starts the cluster; when this returns, the API answers and the objects are there.
    ///
    /// # Errors
    /// When the home is taken or not writable, the store is corrupt, or the port is in use.
    pub async fn start(options: ClusterOptions) -> Result<Cluster, StartError> {
        let home = Home::take(&options.home)?;
        let pki = Pki::load(&home)?;
        let config = pki.server_config()?;
        let bind = |error| StartError::Bind { port: options.api_port, error };
        let listener = Listener::bind(options.api_port, config).await.map_err(bind)?;
        let address = listener.address().map_err(bind)?;

        let registry = Arc::new(Registry::new());
        let (bus, events) = workers::Bus::new(registry.clone());
        let store = Store::open(&home.join("store.redb"), Arc::new(bus))?;
        for definition in store.list(CRDS, None).objects {
            registry.define(&definition);
        }
        let api = Arc::new(Api::new(store.clone(), registry));
        bootstrap::prepare(&api, &options).await?;

        let stopping = CancellationToken::new();
        let inner = Server { api: api.clone(), logs: Arc::new(NoLogs), address, stopping: stopping.clone() };
        let client = server::in_process_client(Arc::new(inner));
        let mut clients = JoinSet::new();
        let node = start_clients(client, &options, &mut clients)?;
        let logs: Arc<dyn LogSource> = Arc::new(node.clone());
        let mut tasks = JoinSet::new();
        let server = Arc::new(Server { api: api.clone(), logs, address, stopping: stopping.clone() });
        tasks.spawn(server::serve(listener, server));
        tasks.spawn(workers::run(api, events, stopping.clone()));
        let kubeconfig = home.join("kubeconfig");
        pki.write_kubeconfig(&kubeconfig, address)?;
        Ok(Cluster { address, kubeconfig, stopping, tasks, clients, node, store, _home: home })
    }

    /// Where the API listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The kubeconfig file of the administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Ends the pods' processes, stops the cluster and closes the store.
    pub async fn stop(mut self) {
        self.node.stop().await;
        self.clients.shutdown().await;
        self.stopping.cancel();
        while self.tasks.join_next().await.is_some() {}
        let store = self.store.clone();
        let _ = tokio::task::spawn_blocking(move || store.close()).await;
    }
}

/// Starts the API's own clients: the controllers and the node.
fn start_clients(client: kube::Client, options: &ClusterOptions, tasks: &mut JoinSet<()>) -> Result<Node, NodeError> {
    let informers = controllers::Informers::new();
    let (events, writing) = EventRecorder::new(client.clone(), "serin");
    tasks.spawn(writing);
    controllers::start(&client, &informers, &events, tasks);
    let node = NodeOptions {
        home: options.home.clone(),
        images: options.images.clone(),
        self_exe: options.self_exe.clone(),
        back_off: options.back_off,
    };
    let node = Node::start(node, client.clone(), informers.clone(), &events, tasks)?;
    informers.start(&client, tasks);
    Ok(node)
}
