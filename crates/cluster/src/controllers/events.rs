//! Events: what controllers and the node tell people about an object, as `kubectl describe` shows it.
//!
//! An event that is told again within the hour is counted, not repeated. Telling never blocks and never fails a controller.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use std::collections::HashMap;
use tokio::sync::mpsc;

/// How many events are remembered, to count them when they come again.
const REMEMBERED: usize = 512;
/// Events that wait to be written; more are dropped.
const WAITING: usize = 512;
/// After this long an event is told anew. Kubernetes keeps events for an hour.
const COUNTED_FOR_SECONDS: i64 = 3600;

/// Tells events of one component.
#[derive(Clone)]
pub(crate) struct EventRecorder {
    component: &'static str,
    sender: mpsc::Sender<Told>,
}

struct Told {
    component: &'static str,
    object: ObjectReference,
    warning: bool,
    reason: String,
    message: String,
    at: Timestamp,
}

#[derive(PartialEq, Eq, Hash, Clone)]
struct Sameness {
    object: Identity,
    reason: String,
    message: String,
}

/// Uid and field path of an object: what tells it apart from others.
type Identity = (Option<String>, Option<String>);

struct Remembered {
    namespace: String,
    name: String,
    count: i32,
    since: Timestamp,
}

impl EventRecorder {
    /// A recorder, and the work of writing what is told, which ends when the last recorder is gone.
    pub(crate) fn new(client: Client, component: &'static str) -> (EventRecorder, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (EventRecorder { component, sender }, write(client, receiver))
    }

    /// The same recorder in the name of another component.
    pub(crate) fn named(&self, component: &'static str) -> EventRecorder {
        EventRecorder { component, sender: self.sender.clone() }
    }

    pub(crate) fn normal<K: Resource<DynamicType = ()>>(&self, object: &K, reason: &str, message: impl Into<String>) {
        self.tell(reference(object), false, reason, message.into());
    }

    pub(crate) fn warning<K: Resource<DynamicType = ()>>(&self, object: &K, reason: &str, message: impl Into<String>) {
        self.tell(reference(object), true, reason, message.into());
    }

    /// Tells of something in an object; the reference's field path says of what.
    pub(crate) fn tell(&self, object: ObjectReference, warning: bool, reason: &str, message: String) {
        let at = Timestamp::now();
        let told = Told { component: self.component, object, warning, reason: reason.to_owned(), message, at };
        if self.sender.try_send(told).is_err() {
            tracing::debug!(reason, "an event is dropped");
        }
    }
}

/// A reference to an object, for events and endpoints.
pub(crate) fn reference<K: Resource<DynamicType = ()>>(object: &K) -> ObjectReference {
    ObjectReference {
        api_version: Some(K::api_version(&()).into_owned()),
        kind: Some(K::kind(&()).into_owned()),
        name: object.meta().name.clone(),
        namespace: object.meta().namespace.clone(),
        uid: object.meta().uid.clone(),
        resource_version: object.meta().resource_version.clone(),
        field_path: None,
    }
}

async fn write(client: Client, mut receiver: mpsc::Receiver<Told>) {
    let mut remembered: HashMap<Sameness, Remembered> = HashMap::new();
    while let Some(told) = receiver.recv().await {
        let same = Sameness {
            object: (told.object.uid.clone(), told.object.field_path.clone()),
            reason: told.reason.clone(),
            message: told.message.clone(),
        };
        remembered.retain(|_, event| told.at.duration_since(event.since).as_secs() < COUNTED_FOR_SECONDS);
        if let Some(event) = remembered.get_mut(&same) {
            event.count += 1;
            let patch = json!({"count": event.count, "lastTimestamp": Time(told.at)});
            let api: Api<Event> = Api::namespaced(client.clone(), &event.namespace);
            if api.patch(&event.name, &PatchParams::default(), &Patch::Merge(&patch)).await.is_ok() {
                continue;
            }
        }
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        let event = event(&told);
        let namespace = event.namespace().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(client.clone(), &namespace);
        match api.create(&PostParams::default(), &event).await {
            Ok(event) => {
                let name = event.name_any();
                remembered.insert(same, Remembered { namespace, name, count: 1, since: told.at });
            }
            Err(error) => tracing::debug!(%error, reason = %told.reason, "an event is not written"),
        }
    }
}

fn event(told: &Told) -> Event {
    let name = told.object.name.as_deref().unwrap_or_default();
    // Events about objects of the cluster live in the namespace `default`.
    let namespace = told.object.namespace.clone().unwrap_or_else(|| "default".to_owned());
    let time = Some(Time(told.at));
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{name}.{:x}", told.at.as_nanosecond())),
            namespace: Some(namespace),
            ..Default::default()
        },
        involved_object: told.object.clone(),
        reason: Some(told.reason.clone()),
        message: Some(told.message.clone()),
        type_: Some(if told.warning { "Warning" } else { "Normal" }.to_owned()),
        count: Some(1),
        first_timestamp: time.clone(),
        last_timestamp: time,
        source: Some(EventSource { component: Some(told.component.to_owned()), host: None }),
        reporting_component: Some(told.component.to_owned()),
        ..Default::default()
    }
}
