//! Service → EndpointSlice and Endpoints, as `kube-controller-manager` does it.
//!
//! Not taken over: mirroring Endpoints that people write into slices, and topology hints.

mod legacy;
mod members;
mod slices;

use super::difference::merge_patch;
use super::ownership::Labels;
use super::{Informers, Reconcile, WorkQueue, is_conflict, is_not_found};
use crate::informer::ObjectKey;
use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use slices::SERVICE_NAME;
use std::sync::Arc;

pub(super) struct EndpointsController {
    pub(super) client: Client,
    pub(super) informers: Arc<Informers>,
    pub(super) queue: Arc<WorkQueue>,
}

impl EndpointsController {
    /// Has every change that may concern a Service put it into the queue.
    pub(super) fn listen(&self) {
        let queue = self.queue.clone();
        self.informers.services.on_change(move |change| queue.add(change.key.clone()));
        let (queue, informers) = (self.queue.clone(), Arc::downgrade(&self.informers));
        self.informers.pods.on_change(move |change| {
            let Some(informers) = informers.upgrade() else { return };
            for service in informers.services.list(&change.key.namespace) {
                if change.both().any(|pod| selects(&service, pod.metadata.labels.as_ref())) {
                    queue.add(ObjectKey::of(&*service));
                }
            }
        });
        // Somebody may delete or change what is ours.
        let queue = self.queue.clone();
        self.informers.endpoint_slices.on_change(move |change| {
            for slice in change.both().filter(|slice| slices::is_ours(slice)) {
                if let Some(service) = slice.labels().get(SERVICE_NAME) {
                    queue.add(ObjectKey::new(&change.key.namespace, service));
                }
            }
        });
        let queue = self.queue.clone();
        self.informers.endpoints.on_change(move |change| queue.add(change.key.clone()));
    }

    /// The Service is gone, or selects nothing: what was made for it goes.
    async fn tidy_up(&self, key: &ObjectKey) -> kube::Result<()> {
        if self.informers.services.get(key).is_some_and(|service| selector(&service).is_none()) {
            // People look after the endpoints of a Service without a selector themselves.
            return Ok(());
        }
        let slices: Api<EndpointSlice> = Api::namespaced(self.client.clone(), &key.namespace);
        for slice in self.own_slices(key) {
            delete(&slices, &slice.name_any()).await?;
            self.informers.endpoint_slices.removed(&ObjectKey::of(&*slice), slice.metadata.uid.as_deref());
        }
        if let Some(endpoints) = self.informers.endpoints.get(key).filter(|endpoints| legacy::is_ours(endpoints)) {
            delete(&Api::<Endpoints>::namespaced(self.client.clone(), &key.namespace), &key.name).await?;
            self.informers.endpoints.removed(key, endpoints.metadata.uid.as_deref());
        }
        Ok(())
    }

    fn own_slices(&self, service: &ObjectKey) -> Vec<Arc<EndpointSlice>> {
        let mut slices = self.informers.endpoint_slices.list(&service.namespace);
        slices.retain(|slice| slices::is_ours(slice) && slice.labels().get(SERVICE_NAME) == Some(&service.name));
        slices
    }

    async fn update_slices(&self, service: &Service, members: &[members::Group]) -> kube::Result<()> {
        let key = ObjectKey::of(service);
        let existing: Vec<EndpointSlice> =
            self.own_slices(&key).iter().map(|slice| EndpointSlice::clone(slice)).collect();
        let plan = slices::plan(service, members, &existing);
        let api: Api<EndpointSlice> = Api::namespaced(self.client.clone(), &key.namespace);
        for slice in &plan.update {
            let Some(before) = existing.iter().find(|before| before.metadata.name == slice.metadata.name) else {
                continue;
            };
            if let Some(patch) = merge_patch(before, slice) {
                let written = api.patch(&slice.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?;
                self.informers.endpoint_slices.wrote(written);
            }
        }
        for slice in &plan.create {
            self.informers.endpoint_slices.wrote(api.create(&PostParams::default(), slice).await?);
        }
        for slice in &plan.delete {
            delete(&api, &slice.name_any()).await?;
            self.informers.endpoint_slices.removed(&ObjectKey::of(slice), slice.metadata.uid.as_deref());
        }
        Ok(())
    }

    async fn update_endpoints(&self, service: &Service, members: &[members::Group]) -> kube::Result<()> {
        let key = ObjectKey::of(service);
        let api: Api<Endpoints> = Api::namespaced(self.client.clone(), &key.namespace);
        let wanted = legacy::endpoints(service, members);
        let written = match self.informers.endpoints.get(&key) {
            Some(before) => {
                let mut after = Endpoints::clone(&before);
                after.subsets = wanted.subsets;
                after.metadata.labels = wanted.metadata.labels;
                let Some(patch) = merge_patch(&*before, &after) else { return Ok(()) };
                api.patch(&key.name, &PatchParams::default(), &Patch::Merge(&patch)).await?
            }
            None => match api.create(&PostParams::default(), &wanted).await {
                Ok(created) => created,
                // It has come meanwhile, and the watch will say so.
                Err(error) if is_conflict(&error) => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        self.informers.endpoints.wrote(written);
        Ok(())
    }
}

impl Reconcile for EndpointsController {
    /// Brings a Service's slices and Endpoints up to date.
    async fn reconcile(&self, key: &ObjectKey) -> kube::Result<()> {
        let service = self
            .informers
            .services
            .get(key)
            .filter(|service| service.metadata.deletion_timestamp.is_none() && selector(service).is_some());
        let Some(service) = service else { return self.tidy_up(key).await };
        let pods: Vec<Arc<Pod>> = self.informers.pods.list(&key.namespace);
        let pods = pods.iter().filter(|pod| selects(&service, pod.metadata.labels.as_ref())).map(|pod| &**pod);
        let members = members::members(&service, pods);
        self.update_slices(&service, &members).await?;
        self.update_endpoints(&service, &members).await
    }
}

async fn delete<K>(api: &Api<K>, name: &str) -> kube::Result<()>
where
    K: Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    match api.delete(name, &DeleteParams::background()).await {
        Err(error) if !is_not_found(&error) => Err(error),
        _ => Ok(()),
    }
}

fn selector(service: &Service) -> Option<&Labels> {
    let spec = service.spec.as_ref()?;
    let external = spec.type_.as_deref() == Some("ExternalName");
    spec.selector.as_ref().filter(|selector| !selector.is_empty() && !external)
}

fn selects(service: &Service, labels: Option<&Labels>) -> bool {
    let (Some(selector), Some(labels)) = (selector(service), labels) else { return false };
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}
