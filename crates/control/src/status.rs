//! Writes statuses back: only those that changed, a few at a time, and again until the API has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use kube::core::DynamicObject;
use serde_json::{Value, json};
use serin_api::{CONTROL_PLANE_NAMESPACE, ResourceId, ResourceStatus};
use tokio::sync::mpsc;

use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::watched::api_resource;

/// How many writes are under way at once.
const CONCURRENT_WRITES: usize = 8;
/// The pause before a write that failed is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// A status to write.
type Write = (ResourceId, ResourceStatus);

/// Decides which statuses have to be written, and hands them to the task that writes.
pub(crate) struct StatusBook {
    /// What was handed over and not seen coming back yet, and for which life of the resource.
    sent: BTreeMap<ResourceId, (String, ResourceStatus)>,
    writes: mpsc::UnboundedSender<Write>,
    metrics: Arc<Metrics>,
}

impl StatusBook {
    /// Starts the task that writes; it ends with the book.
    pub(crate) fn open(client: Client, metrics: Arc<Metrics>) -> Self {
        let (writes, queue) = mpsc::unbounded_channel();
        tokio::spawn(write_all(client, queue, metrics.clone()));
        Self { sent: BTreeMap::new(), writes, metrics }
    }

    /// Compares what each resource should carry with what it carries, and has the difference written.
    pub(crate) fn settle(&mut self, desired: &BTreeMap<ResourceId, ResourceStatus>, intake: &Intake) {
        self.sent.retain(|id, (uid, status)| {
            intake.carried(id).is_some_and(|carried| carried.uid == *uid && carried.status.as_ref() != Some(status))
        });
        for (id, status) in desired {
            let Some(carried) = intake.carried(id) else { continue };
            let settled = match self.sent.get(id) {
                Some((_, sent)) => sent == status,
                None => carried.status.as_ref() == Some(status),
            };
            if settled {
                continue;
            }
            self.sent.insert(id.clone(), (carried.uid.clone(), status.clone()));
            self.metrics.statuses_pending.fetch_add(1, Ordering::Relaxed);
            // The task lives as long as this sender.
            let _ = self.writes.send((id.clone(), status.clone()));
        }
    }
}

/// Writes what comes in; of several statuses of one resource only the latest.
async fn write_all(client: Client, mut queue: mpsc::UnboundedReceiver<Write>, metrics: Arc<Metrics>) {
    let mut waiting: BTreeMap<ResourceId, ResourceStatus> = BTreeMap::new();
    let mut busy: BTreeSet<ResourceId> = BTreeSet::new();
    let mut under_way = FuturesUnordered::new();
    loop {
        while under_way.len() < CONCURRENT_WRITES {
            let Some(id) = waiting.keys().find(|id| !busy.contains(*id)).cloned() else { break };
            let Some(status) = waiting.remove(&id) else { break };
            busy.insert(id.clone());
            under_way.push(write(client.clone(), id, status));
        }
        tokio::select! {
            incoming = queue.recv() => match incoming {
                Some((id, status)) => {
                    if waiting.insert(id, status).is_some() {
                        metrics.statuses_pending.fetch_sub(1, Ordering::Relaxed);
                    }
                }
                None => return,
            },
            Some((id, status, written)) = under_way.next(), if !under_way.is_empty() => {
                busy.remove(&id);
                if written || waiting.contains_key(&id) {
                    metrics.statuses_pending.fetch_sub(1, Ordering::Relaxed);
                    metrics.status_writes.fetch_add(1, Ordering::Relaxed);
                } else {
                    waiting.insert(id, status);
                }
            }
        }
    }
}

/// Writes one status. Returns whether that is settled: it stands, or the resource is gone.
async fn write(client: Client, id: ResourceId, status: ResourceStatus) -> (ResourceId, ResourceStatus, bool) {
    let api: Api<DynamicObject> = Api::namespaced_with(client, &id.namespace, &api_resource(id.kind));
    let patch = Patch::Merge(merge_patch(&status));
    let settled = match api.patch_status(&id.name, &PatchParams::default(), &patch).await {
        Ok(_) => true,
        Err(kube::Error::Api(answer)) if answer.code == 404 => true,
        Err(error) => {
            tracing::warn!("the status of {id} could not be written, trying again: {error}");
            tokio::time::sleep(RETRY_PAUSE).await;
            false
        }
    };
    (id, status, settled)
}

/// The patch that leaves other control planes' statuses as they are. An empty reason is taken away.
fn merge_patch(status: &ResourceStatus) -> Value {
    let reason = if status.reason.is_empty() { Value::Null } else { Value::from(status.reason.as_str()) };
    let entry = json!({ "state": status.state, "reason": reason, "reportedBy": status.reported_by });
    json!({ "status": { "statuses": { CONTROL_PLANE_NAMESPACE: entry } } })
}

#[cfg(test)]
mod tests {
    use serin_api::StatusState;

    use super::*;

    #[test]
    fn a_patch_touches_this_control_planes_entry_alone_and_takes_an_old_reason_away() {
        let status =
            ResourceStatus { state: StatusState::Accepted, reason: String::new(), reported_by: "serin".to_owned() };
        let expected = json!({"status": {"statuses": {"gloo-system": {"state": "Accepted", "reason": null, "reportedBy": "serin"}}}});
        assert_eq!(merge_patch(&status), expected);
    }
}
