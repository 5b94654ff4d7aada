//! One container's life: start, run, end, and start again as its pod's policy says.

use super::probe::Target;
use super::process::{Launch, Outcome, Process};
use super::record::{running_state, terminated_state, waiting_state};
use super::restarts::RestartPolicy;
use super::worker::PodContext;
use super::{hooks, logs, probing};
use crate::controllers::events::reference;
use k8s_openapi::api::core::v1::{Container, ContainerState, ObjectReference};
use kube::ResourceExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// What a container is to its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It runs before the others and has to succeed.
    Init,
    /// It starts before the others and stays.
    Sidecar,
    Main,
}

/// When the container has to be gone; `None` while it may run.
pub(super) type StopSignal = watch::Receiver<Option<Instant>>;

/// How long after a container has stopped its output may keep coming (out of pipes that are not empty yet).
const LAST_OUTPUT: Duration = Duration::from_secs(2);
/// Pauses between tries to start a container that cannot be started yet.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(10);

/// Runs one container of a pod.
pub(super) struct Runner {
    pub(super) pod: Arc<PodContext>,
    pub(super) container: Container,
    pub(super) role: Role,
    pub(super) stop: StopSignal,
}

/// Why a container cannot be started for now.
pub(super) struct NotStarted {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Runner {
    /// Runs the container for as long as its pod wants it; the exit code of its last run, `None` when it never ran.
    pub(super) async fn run(mut self) -> Option<i32> {
        let policy = self.policy();
        let mut runs_that_ended = 0;
        loop {
            let launch = self.prepared().await?;
            let start = Instant::now();
            let outcome = match self.run_once(&launch).await {
                Ok(outcome) => outcome,
                Err(failure) => {
                    self.event(true, "Failed", format!("Error: {}", failure.message));
                    self.wait_with(waiting_state(failure.reason, Some(failure.message)));
                    Outcome::Exit(128)
                }
            };
            if self.stopping() || !policy.restarts(outcome.code()) {
                return Some(outcome.code());
            }
            if start.elapsed() >= self.pod.node.back_off.forgiven_after {
                runs_that_ended = 0;
            }
            runs_that_ended += 1;
            let delay = self.pod.node.back_off.delay(runs_that_ended);
            if !delay.is_zero() {
                self.back_off(delay);
                if self.stopped_within(delay).await {
                    return Some(outcome.code());
                }
            }
            self.pod.records.update(&self.container.name, |record| record.restarts += 1);
        }
    }

    fn policy(&self) -> RestartPolicy {
        let of_pod = self.pod.spec.restart_policy.as_deref();
        match (self.role, RestartPolicy::parse(of_pod)) {
            (Role::Sidecar, _) => RestartPolicy::Always,
            (Role::Init, RestartPolicy::Always) => RestartPolicy::OnFailure,
            (_, policy) => policy,
        }
    }

    pub(super) fn stopping(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Waits; true when the container is to stop before the time is over.
    async fn stopped_within(&mut self, delay: Duration) -> bool {
        tokio::select! {
            _ = self.stop.wait_for(Option::is_some) => true,
            () = tokio::time::sleep(delay) => false,
        }
    }

    /// What to start, as soon as there is something that can be; `None` when the pod does not want it any more.
    async fn prepared(&mut self) -> Option<Launch> {
        let mut retry = FIRST_RETRY;
        loop {
            if self.stopping() {
                return None;
            }
            match self.pod.launch(&self.container).await {
                Ok(launch) => return Some(launch),
                Err(NotStarted { reason, message }) => {
                    let record = self.pod.records.get(&self.container.name);
                    let waiting = waiting_state(reason, Some(message.clone()));
                    if record.is_none_or(|record| record.state != waiting) {
                        self.event(true, "Failed", format!("Error: {reason}: {message}"));
                        self.wait_with(waiting);
                    }
                }
            }
            if self.stopped_within(retry).await {
                return None;
            }
            retry = (retry * 2).min(LAST_RETRY);
        }
    }

    /// Notes that the container waits; what it did before becomes its last state.
    fn wait_with(&self, waiting: ContainerState) {
        self.pod.records.update(&self.container.name, |record| {
            if record.state.terminated.is_some() {
                record.last_state = Some(std::mem::take(&mut record.state));
            }
            record.state = waiting;
            (record.ready, record.started) = (false, false);
        });
    }

    fn back_off(&self, delay: Duration) {
        let (name, pod) = (&self.container.name, &self.pod.key);
        let container_and_pod = format!("container={name} pod={}_{}({})", pod.name, pod.namespace, self.pod.uid);
        let message = format!("back-off {}s restarting failed {container_and_pod}", delay.as_secs());
        self.event(
            true,
            "BackOff",
            format!(
                "Back-off restarting failed container {name} in pod {}_{}({})",
                pod.name, pod.namespace, self.pod.uid
            ),
        );
        self.wait_with(waiting_state("CrashLoopBackOff", Some(message)));
    }

    async fn run_once(&mut self, launch: &Launch) -> Result<Outcome, NotStarted> {
        let failed = |error: std::io::Error| NotStarted {
            reason: "RunContainerError",
            message: format!("cannot start {}: {error}", launch.program.display()),
        };
        let name = self.container.name.clone();
        let restarts = self.pod.records.get(&name).map_or(0, |record| record.restarts);
        let log = Arc::new(logs::RunLog::create(&self.log_directory(), restarts).map_err(failed)?);
        let (process, stdout, stderr) = self.pod.node.spawner.spawn(launch.clone()).await.map_err(failed)?;
        self.pod.records.set_log(&name, log.clone());
        let output = tokio::spawn({
            let log = log.clone();
            async move {
                tokio::join!(log.take("stdout", stdout), log.take("stderr", stderr));
            }
        });
        let has_startup_probe = self.container.startup_probe.is_some();
        self.pod.records.update(&name, |record| {
            if record.state.terminated.is_some() {
                record.last_state = Some(std::mem::take(&mut record.state));
            }
            record.state = running_state();
            record.container_id = Some(format!("serin://{}", uuid::Uuid::new_v4().simple()));
            (record.ready, record.started) = (false, !has_startup_probe);
        });
        self.event(false, "Started", format!("Started container {name}"));

        let outcome = self.attend(&process, launch).await;
        let _ = tokio::time::timeout(LAST_OUTPUT, output).await;
        log.end();
        let message = (outcome.code() != 0).then(|| address_in_use(&log, &self.pod.ip.to_string())).flatten();
        if let Some(message) = &message {
            self.event(true, "AddressInUse", message.clone());
        }
        let done = self.role == Role::Init && outcome.code() == 0;
        self.pod.records.update(&name, |record| {
            record.state = terminated_state(outcome, record, message);
            (record.ready, record.started) = (done, false);
        });
        Ok(outcome)
    }

    /// Looks after the running program until it has ended.
    async fn attend(&mut self, process: &Process, launch: &Launch) -> Outcome {
        let pod = self.pod.clone();
        let container = self.container.clone();
        let target = Target { ip: pod.ip, container: &container, launch, spawner: &pod.node.spawner };
        let mut stop = self.stop.clone();
        let trouble = async {
            let post_start = container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.post_start.as_ref());
            if let Some(hook) = post_start
                && let Err(error) = hooks::run(hook, &target).await
            {
                self.event(true, "FailedPostStartHook", format!("PostStartHook failed: {error}"));
                return "FailedPostStartHook, will be restarted".to_owned();
            }
            probing::probe(self, process, &target).await
        };
        let grace = tokio::select! {
            outcome = process.ended() => return outcome,
            _ = stop.wait_for(Option::is_some) => None,
            why = trouble => {
                self.event(false, "Killing", format!("Container {} {why}", container.name));
                let of_probe = container.liveness_probe.as_ref().and_then(|p| p.termination_grace_period_seconds);
                let seconds = of_probe.or(pod.spec.termination_grace_period_seconds).unwrap_or(30);
                Some(Instant::now() + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
            }
        };
        self.pod.records.update(&container.name, |record| record.ready = false);
        if grace.is_none() {
            self.event(false, "Killing", format!("Stopping container {}", container.name));
        }
        let pre_stop = container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref());
        if let Some(hook) = pre_stop {
            tokio::select! {
                done = hooks::run(hook, &target) => if let Err(error) = done {
                    self.event(true, "FailedPreStopHook", format!("PreStopHook failed: {error}"));
                },
                () = deadline_passed(grace, stop.clone()) => {}
                outcome = process.ended() => return outcome,
            }
        }
        process.terminate().await;
        tokio::select! {
            outcome = process.ended() => outcome,
            () = deadline_passed(grace, stop) => {
                process.kill().await;
                process.ended().await
            }
        }
    }

    fn log_directory(&self) -> PathBuf {
        self.pod.log_directory().join(&self.container.name)
    }

    /// Tells of something that happened to the container.
    pub(super) fn event(&self, warning: bool, reason: &str, message: String) {
        let list = if self.role == Role::Main { "containers" } else { "initContainers" };
        let field_path = Some(format!("spec.{list}{{{}}}", self.container.name));
        let object = ObjectReference { field_path, ..reference(&*self.pod.object()) };
        self.pod.node.events.tell(object, warning, reason, message);
    }
}

/// Waits for the earlier of a fixed deadline and the one that the stop signal carries, which may still be brought forward.
async fn deadline_passed(fixed: Option<Instant>, mut stop: StopSignal) {
    loop {
        let deadline = match (*stop.borrow_and_update(), fixed) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let passed = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = passed => return,
            changed = stop.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

/// What to say when a program ended because it could not have the address it wanted, which its log tells.
fn address_in_use(log: &logs::RunLog, ip: &str) -> Option<String> {
    let text = logs::last_bytes(log.path(), 4096).ok()?;
    let text = String::from_utf8_lossy(&text).to_lowercase();
    if !(text.contains("address already in use") || text.contains("address in use") || text.contains("eaddrinuse")) {
        return None;
    }
    Some(format!(
        "the program could not have the address it wanted, as its log says. Here a pod is a process of this machine: it has to \
         listen on its own address, which is $POD_IP ({ip}), and not on all addresses (0.0.0.0)"
    ))
}

impl PodContext {
    /// What to start for a container.
    async fn launch(&self, container: &Container) -> Result<Launch, NotStarted> {
        super::launch::launch(self, &self.object(), container).await
    }

    pub(super) fn log_directory(&self) -> PathBuf {
        let pod = self.object();
        let name = format!("{}_{}_{}", self.key.namespace, pod.name_any(), self.uid);
        self.node.home.join("logs/pods").join(name)
    }
}
