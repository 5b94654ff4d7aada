//! What the node knows of a pod it runs: a record for each container, which tasks change and the pod's worker reports.

use super::logs::RunLog;
use super::process::Outcome;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// One container as it is now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) state: ContainerState,
    pub(crate) last_state: Option<ContainerState>,
    pub(crate) ready: bool,
    pub(crate) started: bool,
    pub(crate) restarts: i32,
    pub(crate) container_id: Option<String>,
}

impl Record {
    /// A container that has not run yet, or that an earlier serin left behind with `former` as its status.
    pub(crate) fn new(container: &Container, waiting: &str, former: Option<&ContainerStatus>) -> Record {
        let mut record = Record {
            name: container.name.clone(),
            image: container.image.clone().unwrap_or_default(),
            state: waiting_state(waiting, None),
            last_state: None,
            ready: false,
            started: false,
            restarts: 0,
            container_id: None,
        };
        let Some(former) = former else { return record };
        record.restarts = former.restart_count;
        record.last_state = former.last_state.clone();
        let state = former.state.clone().unwrap_or_default();
        if let Some(running) = state.running {
            record.restarts += 1;
            let message = "serin ended, and the container with it".to_owned();
            let ended = ContainerStateTerminated {
                container_id: former.container_id.clone(),
                exit_code: 137,
                reason: Some("Error".to_owned()),
                message: Some(message),
                started_at: running.started_at,
                finished_at: Some(Time(Timestamp::now())),
                signal: None,
            };
            record.last_state = Some(ContainerState { terminated: Some(ended), ..Default::default() });
        } else if state.terminated.is_some() {
            record.restarts += 1;
            record.last_state = Some(ContainerState { terminated: state.terminated, ..Default::default() });
        } else if record.last_state.as_ref().is_some_and(|last| last.terminated.is_some()) {
            record.restarts += 1;
        }
        record
    }

    /// The container has run before, or runs.
    pub(crate) fn has_run(&self) -> bool {
        self.state.running.is_some() || self.state.terminated.is_some() || self.last_state.is_some()
    }

    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.state.terminated.as_ref().map(|ended| ended.exit_code)
    }

    pub(crate) fn status(&self) -> ContainerStatus {
        ContainerStatus {
            name: self.name.clone(),
            image: self.image.clone(),
            image_id: String::new(),
            container_id: self.container_id.clone(),
            state: Some(self.state.clone()),
            last_state: Some(self.last_state.clone().unwrap_or_default()),
            ready: self.ready,
            started: Some(self.started),
            restart_count: self.restarts,
            ..Default::default()
        }
    }
}

pub(crate) fn waiting_state(reason: &str, message: Option<String>) -> ContainerState {
    let waiting = ContainerStateWaiting { reason: Some(reason.to_owned()), message };
    ContainerState { waiting: Some(waiting), ..Default::default() }
}

pub(crate) fn running_state() -> ContainerState {
    let running = ContainerStateRunning { started_at: Some(Time(Timestamp::now())) };
    ContainerState { running: Some(running), ..Default::default() }
}

pub(crate) fn terminated_state(outcome: Outcome, record: &Record, message: Option<String>) -> ContainerState {
    let started = record.state.running.as_ref().and_then(|running| running.started_at.clone());
    let ended = ContainerStateTerminated {
        container_id: record.container_id.clone(),
        exit_code: outcome.code(),
        signal: match outcome {
            Outcome::Signal(signal) => Some(signal),
            Outcome::Exit(_) => None,
        },
        reason: Some(if outcome.code() == 0 { "Completed" } else { "Error" }.to_owned()),
        message,
        started_at: started,
        finished_at: Some(Time(Timestamp::now())),
    };
    ContainerState { terminated: Some(ended), ..Default::default() }
}

/// All containers of a pod.
pub(crate) struct Records {
    list: Mutex<Vec<Record>>,
    logs: Mutex<BTreeMap<String, Arc<RunLog>>>,
    /// Something about the pod as a whole that people should read.
    message: Mutex<Option<String>>,
    changed: watch::Sender<u64>,
}

impl Records {
    /// Records in the order of the pod's containers, those that initialise it first.
    pub(crate) fn new(list: Vec<Record>) -> Records {
        Records {
            list: Mutex::new(list),
            logs: Mutex::default(),
            message: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }

    /// Sees every change from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn snapshot(&self) -> (Vec<Record>, Option<String>) {
        (self.list.lock().clone(), self.message.lock().clone())
    }

    pub(crate) fn get(&self, name: &str) -> Option<Record> {
        self.list.lock().iter().find(|record| record.name == name).cloned()
    }

    /// Changes a container's record.
    pub(crate) fn update(&self, name: &str, change: impl FnOnce(&mut Record)) {
        let mut list = self.list.lock();
        let Some(record) = list.iter_mut().find(|record| record.name == name) else { return };
        let before = record.clone();
        change(record);
        if *record != before {
            self.changed.send_modify(|version| *version += 1);
        }
    }

    pub(crate) fn say(&self, message: String) {
        *self.message.lock() = Some(message);
        self.changed.send_modify(|version| *version += 1);
    }

    pub(crate) fn set_log(&self, container: &str, log: Arc<RunLog>) {
        self.logs.lock().insert(container.to_owned(), log);
    }

    /// The log of the container's present or latest run.
    pub(crate) fn log(&self, container: &str) -> Option<Arc<RunLog>> {
        self.logs.lock().get(container).cloned()
    }
}
