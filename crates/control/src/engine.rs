//! The loop: changes in, one translation for each burst, the data plane first and the statuses after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serin_api::proxy::ProxySpec;
use serin_api::{ResourceId, ResourceStatus, StatusState};
use serin_proxy::{ApplyError, DataPlane, ListenerError};
use serin_translate::InvalidPolicy;
use tokio::sync::{mpsc, watch};
use tokio::task::block_in_place;

use crate::envoys::Envoys;
use crate::intake::{Intake, Touched};
use crate::metrics::Metrics;
use crate::proxy_object::Shown;
use crate::refusal::without_route;
use crate::state::{Served, State};
use crate::status::StatusBook;
use crate::verdict::Judge;
use crate::watch::{Change, Seen};
use crate::watched::Watched;

/// A burst is over when nothing came in for this long.
const QUIET: Duration = Duration::from_millis(2);
/// A burst is cut off after this long.
const LONGEST_BURST: Duration = Duration::from_millis(15);

/// How many routes that the data plane refuses are left out one by one.
const MOST_REFUSALS: usize = 64;

/// What the loop works with.
pub(crate) struct Engine {
    pub(crate) data_plane: Arc<DataPlane>,
    pub(crate) envoys: Envoys,
    pub(crate) statuses: StatusBook,
    pub(crate) shown: watch::Sender<Option<Shown>>,
    pub(crate) state: Arc<State>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) intake: Intake,
    pub(crate) judge: Judge,
    /// Kinds that were not listed yet.
    pub(crate) awaited: BTreeSet<Watched>,
    /// The statuses before Envoys had their say.
    pub(crate) judged: BTreeMap<ResourceId, ResourceStatus>,
    pub(crate) desired: BTreeMap<ResourceId, ResourceStatus>,
    /// What stands in for what is invalid.
    pub(crate) policy: InvalidPolicy,
    /// When files and the time were last looked at.
    pub(crate) looked: Instant,
}

impl Engine {
    /// Works until the watches end.
    pub(crate) async fn run(mut self, mut changes: mpsc::Receiver<Change>) {
        loop {
            let look = self.intake.next_look();
            let first = tokio::select! {
                first = tokio::time::timeout(look, changes.recv()) => first,
                () = self.envoys.changed() => {
                    if block_in_place(|| self.envoys.look()) {
                        self.tell_refusals();
                    }
                    continue;
                }
            };
            let mut touched = match first {
                Ok(Some(first)) => self.take(first),
                Ok(None) => return,
                Err(_) => Touched::default(),
            };
            let end = Instant::now() + LONGEST_BURST;
            loop {
                let wait = QUIET.min(end.saturating_duration_since(Instant::now()));
                if wait.is_zero() {
                    break;
                }
                match tokio::time::timeout(wait, changes.recv()).await {
                    Ok(Some(change)) => touched = touched.and(self.take(change)),
                    Ok(None) | Err(_) => break,
                }
            }
            if self.awaited.is_empty() {
                if touched.configuration || self.looked.elapsed() >= self.intake.next_look() {
                    touched = touched.and(block_in_place(|| self.intake.look_again()));
                    self.looked = Instant::now();
                }
                self.act(touched);
            } else {
                self.state.waiting_for(&self.awaited);
            }
        }
    }

    fn take(&mut self, change: Change) -> Touched {
        let kind = change.kind;
        match &change.seen {
            Seen::Listed(_) => {
                if self.awaited.remove(&kind) && self.awaited.is_empty() {
                    self.intake.take(change);
                    return Touched::everything();
                }
            }
            Seen::Absent => {
                if self.awaited.remove(&kind) {
                    tracing::warn!(
                        "this cluster has no {}: apply Serin's CustomResourceDefinitions; until then there is nothing of that kind",
                        kind.definition()
                    );
                    return Touched::everything();
                }
            }
            Seen::Failed(reason) => {
                self.metrics.watch_failures.fetch_add(1, Ordering::Relaxed);
                let first = self.state.watch_failed(kind, reason);
                if first {
                    tracing::warn!("{} cannot be watched, trying again: {reason}", kind.definition());
                }
            }
            Seen::Applied(_) | Seen::Deleted(_) => {}
        }
        if !matches!(change.seen, Seen::Failed(_) | Seen::Absent) {
            self.state.watch_recovered(kind);
        }
        self.intake.take(change)
    }

    /// Brings data plane and statuses up to what was taken in.
    fn act(&mut self, touched: Touched) {
        if touched.nothing() {
            return;
        }
        // Before the configuration that names them.
        if touched.credentials {
            let credentials = self.intake.credentials();
            self.envoys.set_credentials(&credentials);
            block_in_place(|| self.data_plane.set_credentials(credentials));
        }
        let served = if touched.configuration {
            Some(self.translate())
        } else {
            if touched.endpoints {
                self.update_endpoints();
            }
            None
        };
        if touched.configuration || touched.statuses {
            self.statuses.settle(&self.desired, &self.intake);
        }
        // Last, so that whoever sees a change as looked at also sees which statuses are still to be written.
        if let Some(served) = served {
            self.state.publish(served);
        }
    }

    fn translate(&mut self) -> Served {
        let started = Instant::now();
        let verdict = self.judge.decide(self.intake.snapshot());
        self.metrics.translated(started.elapsed());

        let mut frozen = verdict.frozen.clone();
        let mut statuses = verdict.statuses.clone();
        let policy = verdict.policy.clone();
        // Endpoints first: a route that is new finds the endpoints of its cluster there.
        self.set_endpoints(&verdict.serve);
        let mut serve = verdict.serve.clone();
        let mut result = block_in_place(|| self.data_plane.apply(serve.clone()));
        // There may be nothing to go on with, or the Settings want only what is at fault to be left out.
        if verdict.policy.replace || self.state.served().sequence == 0 {
            for _ in 0..MOST_REFUSALS {
                let Err(ApplyError::Route(error)) = &result else { break };
                tracing::error!("the data plane refused a route, which is left out: {error}");
                self.metrics.refused.fetch_add(1, Ordering::Relaxed);
                blame(
                    &mut statuses,
                    &error.source_id,
                    &format!("the data plane refused it, and it is left out: {error}"),
                );
                serve = Arc::new(without_route(&serve, &error.virtual_host, &error.source_id, &error.route));
                result = block_in_place(|| self.data_plane.apply(serve.clone()));
            }
        }
        let served = match result {
            Err(ApplyError::Route(error)) => {
                self.metrics.refused.fetch_add(1, Ordering::Relaxed);
                tracing::error!("the data plane refused the configuration and goes on with the one before: {error}");
                let reason =
                    format!("the data plane refused the configuration and goes on with the one before: {error}");
                blame(&mut statuses, &error.source_id, &reason);
                frozen = Some(reason);
                self.state.served().spec.clone()
            }
            result => {
                if let Err(ApplyError::Listeners(failed)) = result {
                    for error in failed {
                        tracing::error!("{error}");
                        blame(&mut statuses, listener_of(&error), &error.to_string());
                    }
                }
                self.metrics.applied.fetch_add(1, Ordering::Relaxed);
                self.judge.served(verdict);
                serve
            }
        };
        self.metrics.frozen.store(u64::from(frozen.is_some()), Ordering::Relaxed);
        self.policy = policy;
        self.feed(&served);
        self.judged = statuses;
        self.desired = self.with_refusals();
        self.show(&served, frozen.as_deref());
        Served {
            spec: served,
            observed: self.intake.generations(),
            statuses: self.desired.clone(),
            frozen,
            refused: self.envoys.complaints().into_iter().cloned().collect(),
            sequence: self.state.served().sequence + 1,
        }
    }

    fn show(&self, served: &Arc<ProxySpec>, frozen: Option<&str>) {
        let status = ResourceStatus {
            state: if frozen.is_some() { StatusState::Warning } else { StatusState::Accepted },
            reason: frozen.unwrap_or_default().to_owned(),
            reported_by: crate::REPORTER.to_owned(),
        };
        let latest = Some(Shown { spec: served.clone(), status });
        self.shown.send_if_modified(|shown| {
            let changed = *shown != latest;
            if changed {
                self.metrics.proxy_wanted.fetch_add(1, Ordering::Relaxed);
                *shown = latest;
            }
            changed
        });
    }

    fn update_endpoints(&mut self) {
        let spec = self.state.served().spec.clone();
        self.set_endpoints(&spec);
        self.feed(&spec);
    }

    fn set_endpoints(&self, spec: &ProxySpec) {
        let endpoints = serin_translate::endpoints(self.intake.snapshot(), spec);
        block_in_place(|| self.data_plane.set_endpoints(endpoints));
        self.metrics.endpoint_updates.fetch_add(1, Ordering::Relaxed);
    }

    /// Hands the Envoys what the data plane has.
    fn feed(&mut self, spec: &Arc<ProxySpec>) {
        if !self.envoys.is_empty() {
            let endpoints = serin_translate::endpoints(self.intake.snapshot(), spec);
            block_in_place(|| self.envoys.feed(spec, &endpoints, &self.policy));
        }
    }

    /// What translation and data plane said, and what Envoys refused.
    fn with_refusals(&self) -> BTreeMap<ResourceId, ResourceStatus> {
        let mut statuses = self.judged.clone();
        for complaint in self.envoys.complaints() {
            blame(&mut statuses, &complaint.owner, &complaint.reason);
        }
        statuses
    }

    /// Writes into the statuses what Envoys refuse by now.
    fn tell_refusals(&mut self) {
        self.desired = self.with_refusals();
        self.statuses.settle(&self.desired, &self.intake);
        let served = self.state.served();
        let refused = self.envoys.complaints().into_iter().cloned().collect();
        self.state.publish(Served { statuses: self.desired.clone(), refused, ..Served::clone(&served) });
    }
}

/// The Gateway whose listener could not be opened.
fn listener_of(error: &ListenerError) -> &ResourceId {
    match error {
        ListenerError::Taken { source_id, .. }
        | ListenerError::Conflict { source_id, .. }
        | ListenerError::Io { source_id, .. } => source_id,
    }
}

/// Adds what the data plane says of a resource to what translation said.
fn blame(statuses: &mut BTreeMap<ResourceId, ResourceStatus>, id: &ResourceId, reason: &str) {
    let status = statuses.entry(id.clone()).or_default();
    status.state = StatusState::Rejected;
    status.reported_by = crate::REPORTER.to_owned();
    if !status.reason.is_empty() {
        status.reason.push('\n');
    }
    status.reason.push_str(reason);
}
