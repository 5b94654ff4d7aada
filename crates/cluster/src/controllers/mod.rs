//! The controllers: Deployment → ReplicaSet → Pod, and Service → EndpointSlice and Endpoints.
//!
//! Each is a queue of keys, a worker, and pure functions in between: what is there goes in, what is to be done comes out. They
//! know the API server only as a client does, and share one watch for each kind with each other and with the node.

mod deployment;
mod difference;
mod endpoints;
pub(crate) mod events;
pub(crate) mod ownership;
pub(crate) mod pod_facts;
mod replica_set;
mod work_queue;

use crate::informer::{Informer, ObjectKey};
use deployment::DeploymentController;
use endpoints::EndpointsController;
use events::EventRecorder;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use replica_set::ReplicaSetController;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fmt::Debug;
use std::sync::Arc;
use tokio::task::JoinSet;
use work_queue::WorkQueue;

pub(crate) use difference::merge_patch;

/// The kinds that controllers and the node watch.
pub(crate) struct Informers {
    pub(crate) deployments: Arc<Informer<Deployment>>,
    pub(crate) replica_sets: Arc<Informer<ReplicaSet>>,
    pub(crate) pods: Arc<Informer<Pod>>,
    pub(crate) services: Arc<Informer<Service>>,
    pub(crate) endpoint_slices: Arc<Informer<EndpointSlice>>,
    pub(crate) endpoints: Arc<Informer<Endpoints>>,
}

impl Informers {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Informers {
            deployments: Informer::new(),
            replica_sets: Informer::new(),
            pods: Informer::new(),
            services: Informer::new(),
            endpoint_slices: Informer::new(),
            endpoints: Informer::new(),
        })
    }

    /// Starts the watches. Handlers that are to see everything are there already.
    pub(crate) fn start(&self, client: &Client, tasks: &mut JoinSet<()>) {
        tasks.spawn(self.deployments.clone().run(Api::all(client.clone())));
        tasks.spawn(self.replica_sets.clone().run(Api::all(client.clone())));
        tasks.spawn(self.pods.clone().run(Api::all(client.clone())));
        tasks.spawn(self.services.clone().run(Api::all(client.clone())));
        tasks.spawn(self.endpoint_slices.clone().run(Api::all(client.clone())));
        tasks.spawn(self.endpoints.clone().run(Api::all(client.clone())));
    }

    /// Waits until everything that exists is known.
    pub(crate) async fn synced(&self) {
        self.deployments.synced().await;
        self.replica_sets.synced().await;
        self.pods.synced().await;
        self.services.synced().await;
        self.endpoint_slices.synced().await;
        self.endpoints.synced().await;
    }
}

/// Starts the controllers; they end when `tasks` does.
pub(crate) fn start(client: &Client, informers: &Arc<Informers>, events: &EventRecorder, tasks: &mut JoinSet<()>) {
    let deployments = DeploymentController {
        client: client.clone(),
        informers: informers.clone(),
        events: events.named("deployment-controller"),
        queue: Arc::default(),
    };
    deployments.listen();
    let replica_sets = ReplicaSetController {
        client: client.clone(),
        informers: informers.clone(),
        events: events.named("replicaset-controller"),
        queue: Arc::default(),
    };
    replica_sets.listen();
    let endpoints = EndpointsController { client: client.clone(), informers: informers.clone(), queue: Arc::default() };
    endpoints.listen();

    let queue = deployments.queue.clone();
    tasks.spawn(work("deployment", informers.clone(), queue, deployments));
    let queue = replica_sets.queue.clone();
    tasks.spawn(work("replicaset", informers.clone(), queue, replica_sets));
    let queue = endpoints.queue.clone();
    tasks.spawn(work("endpoints", informers.clone(), queue, endpoints));
}

/// Brings one object, and what is made for it, closer to what it asks for.
trait Reconcile: Send + Sync {
    fn reconcile(&self, key: &ObjectKey) -> impl Future<Output = kube::Result<()>> + Send;
}

/// Takes one key after another; what fails comes again later.
async fn work(name: &'static str, informers: Arc<Informers>, queue: Arc<WorkQueue>, controller: impl Reconcile) {
    informers.synced().await;
    loop {
        let key = queue.next().await;
        match controller.reconcile(&key).await {
            Ok(()) => queue.succeeded(&key),
            Err(error) => {
                tracing::debug!(controller = name, %key, %error, "trying again");
                queue.failed(key);
            }
        }
    }
}

/// Changes an object's owners, provided that it is still the one we know, in the version that we know.
async fn update_owners<K>(api: &Api<K>, object: &K, change: impl FnOnce(&mut Vec<OwnerReference>)) -> kube::Result<K>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    let mut owners = object.owner_references().to_vec();
    change(&mut owners);
    let patch = json!({"metadata": {
        "uid": object.meta().uid, "resourceVersion": object.meta().resource_version, "ownerReferences": owners,
    }});
    api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await
}

fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_not_found())
}

/// The object exists already, or has changed meanwhile.
fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}
