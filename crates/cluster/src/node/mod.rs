//! The node: runs pods as processes of this machine.
//!
//! A pod gets a loopback address of its own, so that many pods can listen on the same port; each of its containers is a process
//! under a shim (see [`crate::subprocess`]). There is no scheduler: the node takes every pod that nobody has.
//!
//! Not as on other nodes: a container has no file system of its own, so volumes cannot be mounted; limits of CPU and memory
//! are not enforced; and a container without a readiness probe is ready only once it accepts connections on a port that it
//! declares (or after a second), so that no request finds nobody listening.

mod addresses;
mod container;
mod environment;
mod expansion;
mod hooks;
mod images;
mod launch;
mod listening;
pub(crate) mod logs;
mod pod_logs;
mod probe;
mod probing;
pub(crate) mod process;
mod record;
mod registration;
mod restarts;
mod status;
mod worker;

pub use expansion::expand;
pub use restarts::BackOff;

use crate::controllers::Informers;
use crate::controllers::events::EventRecorder;
use crate::informer::ObjectKey;
use addresses::Addresses;
use images::Images;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use parking_lot::Mutex;
use process::Spawner;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use worker::{PodContext, Wish, is_done};

/// The node's name.
pub(crate) const NODE_NAME: &str = "serin";
/// The machine's address, as pods see it.
pub(crate) const HOST_IP: &str = "127.0.0.1";
/// How long pods may take to end when serin does.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

/// What a node is started with.
pub(crate) struct NodeOptions {
    /// The instance's home directory.
    pub(crate) home: PathBuf,
    /// Programs on this machine by image.
    pub(crate) images: BTreeMap<String, PathBuf>,
    /// The binary that has the hidden subcommands.
    pub(crate) self_exe: PathBuf,
    pub(crate) back_off: BackOff,
}

/// Why the node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// No addresses for pods.
    #[error(transparent)]
    Addresses(#[from] AddressError),
    /// The system gives no thread to start programs from.
    #[error("cannot start the thread that starts programs: {0}")]
    Thread(#[from] std::io::Error),
}

/// There are no addresses for pods.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct AddressError(addresses::NoAddress);

/// What all pods' tasks share.
struct Shared {
    client: Client,
    informers: Arc<Informers>,
    events: EventRecorder,
    home: PathBuf,
    images: Images,
    spawner: Spawner,
    back_off: BackOff,
    /// Changes with every EndpointSlice.
    slices_changed: watch::Sender<u64>,
    addresses: Mutex<Addresses>,
    pods: Mutex<BTreeMap<ObjectKey, Running>>,
}

/// A pod that has a worker.
struct Running {
    context: Arc<PodContext>,
    wishes: watch::Sender<Wish>,
}

/// The running node.
#[derive(Clone)]
pub(crate) struct Node {
    shared: Arc<Shared>,
    queue: mpsc::UnboundedSender<ObjectKey>,
    stopping: watch::Sender<bool>,
}

impl Node {
    /// Starts the node. Its work ends with `tasks`; [`Node::stop`] ends its pods before.
    pub(crate) fn start(
        options: NodeOptions,
        client: Client,
        informers: Arc<Informers>,
        events: &EventRecorder,
        tasks: &mut JoinSet<()>,
    ) -> Result<Node, NodeError> {
        let shared = Arc::new(Shared {
            addresses: Mutex::new(Addresses::claim(&options.home).map_err(AddressError)?),
            images: Images::new(options.images, options.self_exe.clone()),
            spawner: Spawner::start(options.self_exe)?,
            home: options.home,
            back_off: options.back_off,
            events: events.named("kubelet"),
            slices_changed: watch::Sender::new(0),
            pods: Mutex::default(),
            client,
            informers,
        });
        let weak = Arc::downgrade(&shared);
        shared.informers.endpoint_slices.on_change(move |_| {
            if let Some(shared) = weak.upgrade() {
                shared.slices_changed.send_modify(|version| *version += 1);
            }
        });
        let (queue, mut keys) = mpsc::unbounded_channel();
        let changed = queue.clone();
        shared.informers.pods.on_change(move |change| {
            // The other end is gone only when the node is.
            let _ = changed.send(change.key.clone());
        });
        let node = Node { shared: shared.clone(), queue, stopping: watch::Sender::new(false) };
        tasks.spawn(registration::run(shared.client.clone()));
        let worker = node.clone();
        tasks.spawn(async move {
            worker.shared.informers.synced().await;
            worker.forget_strangers();
            while let Some(key) = keys.recv().await {
                worker.attend(key).await;
            }
        });
        Ok(node)
    }

    /// Ends all pods, and waits until they have ended. Their objects stay as they are.
    pub(crate) async fn stop(&self) {
        self.stopping.send_replace(true);
        for pod in self.shared.pods.lock().values() {
            pod.wishes.send_replace(Wish::Shutdown(SHUTDOWN_GRACE));
        }
        let all: Vec<_> = self.shared.pods.lock().values().map(|pod| pod.wishes.clone()).collect();
        for pod in all {
            // A worker that ends drops its receiver.
            pod.closed().await;
        }
    }

    /// Brings one pod a step further.
    async fn attend(&self, key: ObjectKey) {
        if *self.stopping.borrow() {
            return;
        }
        let object = self.shared.informers.pods.get(&key);
        {
            let pods = self.shared.pods.lock();
            if let Some(running) = pods.get(&key) {
                let wish = match object {
                    Some(pod) if pod.metadata.uid.as_ref() == Some(&running.context.uid) => Wish::Run(pod),
                    // The worker puts the key into the queue again when it is done; then a successor has its turn.
                    _ => Wish::Gone,
                };
                running.wishes.send_replace(wish);
                return;
            }
        }
        let Some(pod) = object else { return };
        let on = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).filter(|name| !name.is_empty());
        let going = pod.metadata.deletion_timestamp.is_some();
        match on {
            None if going || is_done(&pod) => {}
            None => self.bind(&key, &pod).await,
            Some(NODE_NAME) if is_done(&pod) && !going => {}
            // It has ended here, and waits for somebody's finalizer.
            Some(NODE_NAME) if going && pod.metadata.deletion_grace_period_seconds == Some(0) => {}
            Some(NODE_NAME) => self.start_pod(key, pod),
            Some(_) => {}
        }
    }

    /// Takes a pod that nobody has.
    async fn bind(&self, key: &ObjectKey, pod: &Pod) {
        let api: Api<Pod> = Api::namespaced(self.shared.client.clone(), &key.namespace);
        let patch = Patch::Merge(json!({"metadata": {"uid": pod.metadata.uid}, "spec": {"nodeName": NODE_NAME}}));
        match api.patch(&key.name, &PatchParams::default(), &patch).await {
            Ok(written) => {
                let message = format!("Successfully assigned {key} to {NODE_NAME}");
                self.shared.events.named("default-scheduler").normal(&written, "Scheduled", message);
                self.shared.informers.pods.wrote(written);
            }
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => {
                tracing::debug!(pod = %key, %error, "not taken");
                let (queue, key) = (self.queue.clone(), key.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    let _ = queue.send(key);
                });
            }
        }
    }

    fn start_pod(&self, key: ObjectKey, pod: Arc<Pod>) {
        let former = pod.status.as_ref().and_then(|status| status.pod_ip.as_deref()).and_then(|ip| ip.parse().ok());
        let address: Ipv4Addr = match self.shared.addresses.lock().take(former) {
            Ok(address) => address,
            Err(error) => {
                self.shared.events.warning(
                    &*pod,
                    "FailedCreatePodSandBox",
                    format!("the pod gets no address: {error}"),
                );
                return;
            }
        };
        self.warn_of_volumes(&pod);
        let context = Arc::new(PodContext::new(self.shared.clone(), pod.clone(), address));
        let (wishes, wished) = watch::channel(Wish::Run(pod));
        self.shared.pods.lock().insert(key.clone(), Running { context: context.clone(), wishes });
        let node = self.clone();
        tokio::spawn(async move {
            worker::run(context, wished).await;
            node.shared.pods.lock().remove(&key);
            node.shared.addresses.lock().give_back(address);
            let _ = node.queue.send(key);
        });
    }

    /// A pod that mounts volumes is told that nothing can be mounted.
    fn warn_of_volumes(&self, pod: &Pod) {
        let containers =
            pod.spec.iter().flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()));
        for container in containers {
            for mount in container.volume_mounts.iter().flatten() {
                let message = format!(
                    "container \"{}\": volume \"{}\" is not mounted at {}: a pod is a process of this machine and has no file \
                     system of its own. Give the program what it needs by env, args or a path on this machine",
                    container.name, mount.name, mount.mount_path
                );
                self.shared.events.warning(pod, "VolumeNotMounted", message);
            }
        }
    }

    /// Removes what earlier runs left of pods that are no more.
    fn forget_strangers(&self) {
        let known = |uid: &str| {
            let pods = self.shared.informers.pods.all();
            pods.iter().any(|pod| pod.metadata.uid.as_deref() == Some(uid))
        };
        for directory in ["pods", "logs/pods"] {
            let Ok(entries) = std::fs::read_dir(self.shared.home.join(directory)) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let uid = name.to_str().and_then(|name| name.rsplit('_').next());
                if uid.is_some_and(|uid| !known(uid)) {
                    let _ = std::fs::remove_dir_all(entry.path());
                }
            }
        }
    }
}
