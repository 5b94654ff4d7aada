//! What the server does by itself after a write: garbage collection, emptying namespaces, removing the objects of kinds.

mod collection;
mod garbage;
mod namespaces;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::registry::{CRDS, Registry};
use crate::rest::Api;
use crate::store::{Event, Observer};

/// Hands the store's commits to the registry, and then to the workers.
pub(crate) struct Bus {
    registry: Arc<Registry>,
    events: mpsc::UnboundedSender<Arc<Event>>,
}

impl Bus {
    /// A bus, and the end from which the workers read.
    pub(crate) fn new(registry: Arc<Registry>) -> (Bus, mpsc::UnboundedReceiver<Arc<Event>>) {
        let (events, receiver) = mpsc::unbounded_channel();
        (Bus { registry, events }, receiver)
    }
}

impl Observer for Bus {
    fn committed(&self, events: &[Arc<Event>]) {
        self.registry.committed(events);
        for event in events {
            // Nobody listens while the cluster stops.
            let _ = self.events.send(event.clone());
        }
    }
}

/// Works until `stopping` is cancelled.
pub(crate) async fn run(api: Arc<Api>, mut events: mpsc::UnboundedReceiver<Arc<Event>>, stopping: CancellationToken) {
    let mut garbage = garbage::Garbage::new(api.clone());
    let start = async {
        garbage.start().await;
        for object in api.store.list("/namespaces", None).objects {
            namespaces::review(&api, &object).await;
        }
        for object in api.store.list(CRDS, None).objects {
            collection::review(&api, &object).await;
        }
    };
    tokio::select! {
        () = start => {}
        () = stopping.cancelled() => return,
    }
    loop {
        let event = tokio::select! {
            event = events.recv() => match event {
                Some(event) => event,
                None => return,
            },
            () = stopping.cancelled() => return,
        };
        garbage.handle(&event).await;
        match &*event.resource {
            "/namespaces" => namespaces::review(&api, &event.object).await,
            CRDS => collection::review(&api, &event.object).await,
            _ => {}
        }
        if event.kind == crate::store::EventKind::Deleted {
            namespaces::after_deletion(&api, &event).await;
            collection::after_deletion(&api, &event).await;
        }
    }
}
