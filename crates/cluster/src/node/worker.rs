//! One pod's worker: starts its containers in order, reports its status, and ends it when it is deleted.

use super::Shared;
use super::container::{Role, Runner};
use super::record::{Record, Records};
use super::restarts::RestartPolicy;
use super::status::{Facts, pod_status};
use crate::controllers::merge_patch;
use crate::informer::ObjectKey;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long routing has to take a pod out before it is asked to end, counted from when its endpoints say so.
const SETTLE: Duration = Duration::from_millis(100);
/// How long to wait for the endpoints to say so.
const ENDPOINTS_PATIENCE: Duration = Duration::from_secs(1);
/// How long a pod may take to end when its object is gone already.
const ORPHAN_GRACE: Duration = Duration::from_secs(1);
/// How often sidecars, which end last, get at least a moment.
const LEAST_GRACE: Duration = Duration::from_secs(2);
const DEFAULT_GRACE_SECONDS: i64 = 30;

/// What the node wants of a pod.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// It is to be as this object says.
    Run(Arc<Pod>),
    /// Its object is gone: it ends.
    Gone,
    /// serin ends: so does the pod, and its object stays as it is.
    Shutdown(Duration),
}

/// What a pod's tasks share.
pub(super) struct PodContext {
    pub(super) node: Arc<Shared>,
    pub(super) key: ObjectKey,
    pub(super) uid: String,
    pub(super) ip: IpAddr,
    /// The spec as it was when the pod started; what may change of it changes nothing here.
    pub(super) spec: PodSpec,
    pub(super) records: Records,
    object: parking_lot::Mutex<Arc<Pod>>,
}

impl PodContext {
    pub(super) fn new(node: Arc<Shared>, pod: Arc<Pod>, ip: Ipv4Addr) -> PodContext {
        let spec = pod.spec.clone().unwrap_or_default();
        let status = pod.status.clone().unwrap_or_default();
        let init = spec.init_containers.as_deref().unwrap_or_default();
        let waiting = if init.is_empty() { "ContainerCreating" } else { "PodInitializing" };
        let former = |list: &Option<Vec<_>>, name: &str| {
            let list: &[k8s_openapi::api::core::v1::ContainerStatus] = list.as_deref().unwrap_or_default();
            list.iter().find(|status| status.name == name).cloned()
        };
        let of_init = init.iter().map(|container| {
            Record::new(container, waiting, former(&status.init_container_statuses, &container.name).as_ref())
        });
        let of_main = spec.containers.iter().map(|container| {
            Record::new(container, waiting, former(&status.container_statuses, &container.name).as_ref())
        });
        let records = Records::new(of_init.chain(of_main).collect());
        PodContext {
            node,
            key: ObjectKey::of(&*pod),
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            ip: IpAddr::V4(ip),
            spec,
            records,
            object: parking_lot::Mutex::new(pod),
        }
    }

    /// The pod's object as it was last seen.
    pub(super) fn object(&self) -> Arc<Pod> {
        self.object.lock().clone()
    }

    /// A directory of the pod's own.
    pub(super) fn directory(&self) -> PathBuf {
        self.node.home.join("pods").join(&self.uid)
    }

    fn grace(&self) -> Duration {
        let seconds = self.object().metadata.deletion_grace_period_seconds;
        let seconds = seconds.or(self.spec.termination_grace_period_seconds).unwrap_or(DEFAULT_GRACE_SECONDS);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }
}

/// Runs a pod to its end.
pub(super) async fn run(pod: Arc<PodContext>, wishes: watch::Receiver<Wish>) {
    // A pod that was being deleted when an earlier serin ended does not start again.
    let was_going = pod.object().metadata.deletion_timestamp.is_some();
    let last = if was_going { wishes.borrow().clone() } else { run_until_ended(&pod, wishes).await };
    if matches!(last, Wish::Run(_)) {
        finish(&pod).await;
    }
    if !matches!(last, Wish::Shutdown(_)) {
        let (directory, logs) = (pod.directory(), pod.log_directory());
        let _ = tokio::task::spawn_blocking(move || {
            let _ = std::fs::remove_dir_all(directory);
            let _ = std::fs::remove_dir_all(logs);
        })
        .await;
    }
}

/// Runs a pod until it is asked to end and has; what was asked last.
async fn run_until_ended(pod: &Arc<PodContext>, mut wishes: watch::Receiver<Wish>) -> Wish {
    let (stop_main, stopped_main) = watch::channel(None);
    let (stop_sidecars, stopped_sidecars) = watch::channel(None);
    let (all_ended, mut ended) = watch::channel(false);
    let containers = tokio::spawn({
        let pod = pod.clone();
        async move {
            run_containers(&pod, stopped_main, stopped_sidecars, &stop_sidecars).await;
            all_ended.send_replace(true);
        }
    });
    let reporting = tokio::spawn(report(pod.clone(), wishes.clone()));

    let mut stop_at: Option<Instant> = None;
    loop {
        let wish = wishes.borrow_and_update().clone();
        let grace = match &wish {
            Wish::Run(object) => {
                *pod.object.lock() = object.clone();
                object.metadata.deletion_timestamp.is_some().then(|| pod.grace())
            }
            Wish::Gone => Some(ORPHAN_GRACE),
            Wish::Shutdown(grace) => Some(*grace),
        };
        if let Some(grace) = grace {
            if stop_at.is_none() && matches!(wish, Wish::Run(_)) && !*ended.borrow() {
                leave_endpoints(pod).await;
            }
            // A second request may shorten the grace, never prolong it.
            let deadline = Instant::now() + grace;
            let deadline = stop_at.map_or(deadline, |before| before.min(deadline));
            stop_at = Some(deadline);
            stop_main.send_replace(Some(deadline));
            if *ended.borrow() {
                break;
            }
        }
        tokio::select! {
            changed = wishes.changed() => if changed.is_err() {
                break;
            },
            // A pod that has ended stays until it is deleted.
            _ = ended.wait_for(|ended| *ended), if stop_at.is_some() => break,
        }
    }
    let _ = containers.await;
    reporting.abort();
    wishes.borrow().clone()
}

type Stop = watch::Receiver<Option<Instant>>;

/// Runs the pod's containers: those that initialise it one after another, then the others together.
async fn run_containers(
    pod: &Arc<PodContext>,
    stop_main: Stop,
    stop_sidecars: Stop,
    stopping_sidecars: &watch::Sender<Option<Instant>>,
) {
    let runner = |container: &Container, role, stop: &Stop| Runner {
        pod: pod.clone(),
        container: container.clone(),
        role,
        stop: stop.clone(),
    };
    let mut sidecars = JoinSet::new();
    let mut initialised = true;
    for container in pod.spec.init_containers.iter().flatten() {
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars.spawn(runner(container, Role::Sidecar, &stop_sidecars).run());
            started(pod, &container.name, stop_main.clone()).await;
        } else {
            initialised = runner(container, Role::Init, &stop_main).run().await == Some(0);
        }
        if !initialised || stop_main.borrow().is_some() {
            initialised = false;
            break;
        }
    }
    if initialised {
        let mut main = JoinSet::new();
        for container in &pod.spec.containers {
            main.spawn(runner(container, Role::Main, &stop_main).run());
        }
        while main.join_next().await.is_some() {}
    }
    let deadline = stop_main.borrow().unwrap_or_else(Instant::now);
    stopping_sidecars.send_replace(Some(deadline.max(Instant::now() + LEAST_GRACE)));
    while sidecars.join_next().await.is_some() {}
}

/// Waits until a sidecar has started, or the pod is to stop.
async fn started(pod: &PodContext, name: &str, mut stop: Stop) {
    let mut changes = pod.records.watch();
    loop {
        changes.mark_unchanged();
        if pod.records.get(name).is_some_and(|record| record.started && record.state.running.is_some()) {
            return;
        }
        tokio::select! {
            _ = changes.changed() => {}
            _ = stop.wait_for(Option::is_some) => return,
        }
    }
}

/// Waits until no Service sends requests to the pod any more: before that, a request could find it gone.
async fn leave_endpoints(pod: &PodContext) {
    let mut changes = pod.node.slices_changed.subscribe();
    let is_member = || {
        pod.node.informers.endpoint_slices.list(&pod.key.namespace).iter().any(|slice| {
            slice.endpoints.iter().any(|endpoint| {
                endpoint.target_ref.as_ref().and_then(|target| target.uid.as_ref()) == Some(&pod.uid)
                    && endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) != Some(false)
            })
        })
    };
    if !is_member() {
        return;
    }
    let left = async { while is_member() && changes.changed().await.is_ok() {} };
    let _ = tokio::time::timeout(ENDPOINTS_PATIENCE, left).await;
    tokio::time::sleep(SETTLE).await;
}

/// Writes the pod's status whenever it has changed.
async fn report(pod: Arc<PodContext>, mut wishes: watch::Receiver<Wish>) {
    let mut changes = pod.records.watch();
    let mut retry = Duration::from_millis(10);
    loop {
        changes.mark_unchanged();
        match write_status(&pod).await {
            Ok(()) => retry = Duration::from_millis(10),
            Err(error) => {
                tracing::debug!(pod = %pod.key, %error, "status not written");
                tokio::time::sleep(retry).await;
                retry = (retry * 2).min(Duration::from_secs(10));
                continue;
            }
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() {
                return;
            },
            // Readiness gates and the generation come with the object.
            changed = wishes.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

async fn write_status(pod: &PodContext) -> kube::Result<()> {
    let Some(object) =
        pod.node.informers.pods.get(&pod.key).filter(|object| object.metadata.uid.as_ref() == Some(&pod.uid))
    else {
        return Ok(());
    };
    let (records, message) = pod.records.snapshot();
    let now = Timestamp::now();
    let status = pod_status(&Facts { pod: &object, ip: pod.ip, records: &records, message, now });
    let Some(patch) = merge_patch(&object.status.clone().unwrap_or_default(), &status) else { return Ok(()) };
    let patch = Patch::Merge(json!({"status": patch}));
    let api: Api<Pod> = Api::namespaced(pod.node.client.clone(), &pod.key.namespace);
    match api.patch_status(&pod.key.name, &PatchParams::default(), &patch).await {
        Ok(written) => {
            pod.node.informers.pods.wrote(written);
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// The pod's last status, and the end of its object.
async fn finish(pod: &PodContext) {
    let _ = write_status(pod).await;
    let api: Api<Pod> = Api::namespaced(pod.node.client.clone(), &pod.key.namespace);
    let only = Preconditions { uid: Some(pod.uid.clone()), resource_version: None };
    let at_once = DeleteParams::default().grace_period(0).preconditions(only);
    let mut retry = Duration::from_millis(10);
    loop {
        match api.delete(&pod.key.name, &at_once).await {
            Ok(_) => return,
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => return,
            Err(error) => tracing::debug!(pod = %pod.key, %error, "not deleted yet"),
        }
        tokio::time::sleep(retry).await;
        retry = (retry * 2).min(Duration::from_secs(10));
    }
}

/// Whether a pod's object says that it has ended for good.
pub(super) fn is_done(pod: &Pod) -> bool {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    phase == Some("Failed") || (phase == Some("Succeeded") && RestartPolicy::parse(policy) != RestartPolicy::Always)
}
