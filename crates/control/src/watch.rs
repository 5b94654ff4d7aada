//! One watch per kind: lists, follows, reconnects, and passes on what changed.

use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt};
use kube::Client;
use kube::api::Api;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use serde_json::Value;
use serin_api::Ref;
use tokio::sync::mpsc;

use crate::credentials::{Found, read_secret};
use crate::watched::Watched;

/// The shortest pause between attempts to reach the API; each is twice as long as the one before.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// An object as the API has it, reduced to what is read.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) id: Ref,
    pub(crate) uid: String,
    pub(crate) generation: i64,
    /// `metadata.creationTimestamp` in RFC 3339.
    pub(crate) created: String,
    pub(crate) labels: std::collections::BTreeMap<String, String>,
    /// Everything but `metadata`; null where only metadata is watched, and for Secrets.
    pub(crate) body: Value,
    /// What a Secret holds, where that is a credential.
    pub(crate) credential: Option<Found>,
}

/// What a watch saw.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Every object there is; whatever is not among them is gone.
    Listed(Vec<Object>),
    /// One was created or changed.
    Applied(Object),
    /// One is gone.
    Deleted(Ref),
    /// The cluster does not have this kind.
    Absent,
    /// The API could not be reached, or refused. It is tried again.
    Failed(String),
}

/// What was seen of which kind.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) kind: Watched,
    pub(crate) seen: Seen,
}

/// Watches `kind` in all namespaces until the receiver is gone.
pub(crate) async fn follow(client: Client, kind: Watched, changes: mpsc::Sender<Change>) {
    let resource = kind.resource();
    let config = match kind.field_selector() {
        "" => watcher::Config::default(),
        selector => watcher::Config::default().fields(selector),
    };
    if kind.metadata_only() {
        let api: Api<PartialObjectMeta<DynamicObject>> = Api::all_with(client, &resource);
        pass_on(kind, watch(api, config).map_ok(|event| convert(event, reduce_metadata)), changes).await;
    } else if kind == Watched::Secret {
        let api: Api<DynamicObject> = Api::all_with(client, &resource);
        pass_on(kind, watch(api, config).map_ok(|event| convert(event, reduce_secret)), changes).await;
    } else {
        let api: Api<DynamicObject> = Api::all_with(client, &resource);
        pass_on(kind, watch(api, config).map_ok(|event| convert(event, reduce)), changes).await;
    }
}

/// Passes events on, a list as a whole.
async fn pass_on(
    kind: Watched,
    events: impl Stream<Item = Result<Event<Object>, watcher::Error>> + Send,
    changes: mpsc::Sender<Change>,
) {
    let mut events = std::pin::pin!(events.backoff(Pauses { next: SHORTEST_PAUSE }));
    let mut list = Vec::new();
    while let Some(event) = events.next().await {
        let seen = match event {
            Ok(Event::Init) => {
                list.clear();
                continue;
            }
            Ok(Event::InitApply(object)) => {
                list.push(object);
                continue;
            }
            Ok(Event::InitDone) => Seen::Listed(std::mem::take(&mut list)),
            Ok(Event::Apply(object)) => Seen::Applied(object),
            Ok(Event::Delete(object)) => Seen::Deleted(object.id),
            Err(error) if is_absent(&error) => Seen::Absent,
            Err(error) => Seen::Failed(error.to_string()),
        };
        if changes.send(Change { kind, seen }).await.is_err() {
            return;
        }
    }
}

/// Pauses between attempts, ever longer until one succeeds.
struct Pauses {
    next: Duration,
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.next = SHORTEST_PAUSE;
    }
}

/// Whether the API says that it has no such kind.
fn is_absent(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(cause) | watcher::Error::WatchStartFailed(cause)) = error else {
        return false;
    };
    matches!(cause, kube::Error::Api(status) if status.code == 404)
}

fn convert<K>(event: Event<K>, reduce: impl Fn(K) -> Object) -> Event<Object> {
    match event {
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
        Event::InitApply(object) => Event::InitApply(reduce(object)),
        Event::Apply(object) => Event::Apply(reduce(object)),
        Event::Delete(object) => Event::Delete(reduce(object)),
    }
}

fn reduce(object: DynamicObject) -> Object {
    with_body(object.metadata, object.data)
}

fn reduce_secret(object: DynamicObject) -> Object {
    let credential = read_secret(&object.data);
    Object { credential, ..with_body(object.metadata, Value::Null) }
}

fn reduce_metadata(object: PartialObjectMeta<DynamicObject>) -> Object {
    with_body(object.metadata, Value::Null)
}

fn with_body(metadata: kube::core::ObjectMeta, body: Value) -> Object {
    Object {
        id: Ref::new(metadata.namespace.unwrap_or_default(), metadata.name.unwrap_or_default()),
        uid: metadata.uid.unwrap_or_default(),
        generation: metadata.generation.unwrap_or_default(),
        created: metadata.creation_timestamp.map(|time| time.0.to_string()).unwrap_or_default(),
        labels: metadata.labels.unwrap_or_default(),
        body,
        credential: None,
    }
}
