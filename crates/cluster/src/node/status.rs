//! A pod's status, as it follows from the records of its containers.

use super::record::Record;
use super::restarts::RestartPolicy;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::net::IpAddr;

const OWN_CONDITIONS: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

/// What there is to know about a pod that runs here.
pub(crate) struct Facts<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) ip: IpAddr,
    /// Records of the containers, those that initialise the pod first.
    pub(crate) records: &'a [Record],
    pub(crate) message: Option<String>,
    pub(crate) now: Timestamp,
}

pub(crate) fn pod_status(facts: &Facts) -> PodStatus {
    let pod = facts.pod;
    let former = pod.status.clone().unwrap_or_default();
    let Some(spec) = &pod.spec else { return former };
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let (initialising, main) = facts.records.split_at(init.len().min(facts.records.len()));
    let sidecar = |at: usize| init.get(at).is_some_and(|c| c.restart_policy.as_deref() == Some("Always"));
    let incomplete: Vec<&str> = initialising
        .iter()
        .enumerate()
        .filter(|&(at, record)| !(if sidecar(at) { record.started } else { record.exit_code() == Some(0) }))
        .map(|(_, record)| record.name.as_str())
        .collect();
    let policy = RestartPolicy::parse(spec.restart_policy.as_deref());
    let initialised = incomplete.is_empty() || main.iter().any(Record::has_run);
    let init_failed = policy == RestartPolicy::Never
        && initialising.iter().enumerate().any(|(at, r)| !sidecar(at) && r.exit_code().is_some_and(|code| code != 0));
    let phase = if init_failed { "Failed" } else { phase(initialised, main, policy) };
    let mut unready: Vec<&str> = initialising
        .iter()
        .enumerate()
        .filter(|&(at, r)| sidecar(at) && !r.ready)
        .map(|(_, r)| r.name.as_str())
        .collect();
    unready.extend(main.iter().filter(|record| !record.ready).map(|record| record.name.as_str()));

    let mut conditions = Conditions {
        former: former.conditions.as_deref().unwrap_or_default(),
        list: Vec::new(),
        generation: pod.metadata.generation,
        now: facts.now,
    };
    conditions.set("PodReadyToStartContainers", Ok(()));
    conditions.set(
        "Initialized",
        match () {
            () if phase == "Succeeded" => Err(("True", "PodCompleted", String::new())),
            () if initialised => Ok(()),
            () => {
                let message = format!("containers with incomplete status: [{}]", incomplete.join(" "));
                Err(("False", "ContainersNotInitialized", message))
            }
        },
    );
    let not_ready = match phase {
        "Succeeded" => Some(("PodCompleted", String::new())),
        "Failed" => Some(("PodFailed", String::new())),
        _ if !unready.is_empty() => {
            Some(("ContainersNotReady", format!("containers with unready status: [{}]", unready.join(" "))))
        }
        _ => None,
    };
    let gate = spec.readiness_gates.iter().flatten().find(|gate| {
        let met = |c: &PodCondition| c.type_ == gate.condition_type && c.status == "True";
        !former.conditions.iter().flatten().any(met)
    });
    let containers_ready = match not_ready {
        Some((reason, message)) => Err(("False", reason, message)),
        None => Ok(()),
    };
    let ready = match (&containers_ready, gate) {
        (Ok(()), Some(gate)) => {
            let message = format!(
                "corresponding condition of pod readiness gate \"{}\" does not exist or is not True.",
                gate.condition_type
            );
            Err(("False", "ReadinessGatesNotReady", message))
        }
        _ => containers_ready.clone(),
    };
    conditions.set("Ready", ready);
    conditions.set("ContainersReady", containers_ready);
    conditions.set("PodScheduled", Ok(()));
    // Conditions that others have set stay.
    let foreign = former.conditions.iter().flatten().filter(|c| !OWN_CONDITIONS.contains(&c.type_.as_str()));
    conditions.list.extend(foreign.cloned());

    let statuses = |records: &[Record]| {
        let list: Vec<ContainerStatus> = records.iter().map(Record::status).collect();
        Some(list).filter(|list| !list.is_empty())
    };
    PodStatus {
        phase: Some(phase.to_owned()),
        conditions: Some(conditions.list),
        init_container_statuses: statuses(initialising),
        container_statuses: statuses(main),
        host_ip: Some(super::HOST_IP.to_owned()),
        host_ips: Some(vec![HostIP { ip: super::HOST_IP.to_owned() }]),
        pod_ip: Some(facts.ip.to_string()),
        pod_ips: Some(vec![PodIP { ip: facts.ip.to_string() }]),
        start_time: former.start_time.clone().or(Some(Time(facts.now))),
        message: facts.message.clone(),
        qos_class: former.qos_class.clone().or_else(|| Some(qos_class(pod).to_owned())),
        observed_generation: pod.metadata.generation,
        ..former
    }
}

fn phase(initialised: bool, main: &[Record], policy: RestartPolicy) -> &'static str {
    if !initialised || main.iter().any(|record| !record.has_run()) {
        return "Pending";
    }
    let ended = |record: &Record| record.exit_code();
    if main.iter().any(|record| ended(record).is_none_or(|code| policy.restarts(code))) {
        return "Running";
    }
    if main.iter().all(|record| ended(record) == Some(0)) { "Succeeded" } else { "Failed" }
}

/// Kubernetes' class of service, from requests and limits of CPU and memory.
fn qos_class(pod: &Pod) -> &'static str {
    let containers =
        pod.spec.iter().flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()));
    let (mut any, mut guaranteed) = (false, true);
    for container in containers {
        let resources = container.resources.clone().unwrap_or_default();
        let (limits, requests) = (resources.limits.unwrap_or_default(), resources.requests.unwrap_or_default());
        for name in ["cpu", "memory"] {
            let (limit, request) = (limits.get(name), requests.get(name));
            any |= limit.is_some() || request.is_some();
            guaranteed &= limit.is_some() && request.is_none_or(|request| Some(request) == limit);
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

struct Conditions<'a> {
    former: &'a [PodCondition],
    list: Vec<PodCondition>,
    generation: Option<i64>,
    now: Timestamp,
}

impl Conditions<'_> {
    fn set(&mut self, kind: &str, state: Result<(), (&str, &str, String)>) {
        let (status, reason, message) = match &state {
            Ok(()) => ("True", None, None),
            Err((status, reason, message)) => (*status, Some(*reason), Some(message).filter(|m| !m.is_empty())),
        };
        let former = self.former.iter().find(|condition| condition.type_ == kind && condition.status == status);
        self.list.push(PodCondition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            message: message.cloned(),
            last_transition_time: former.and_then(|c| c.last_transition_time.clone()).or(Some(Time(self.now))),
            observed_generation: self.generation,
            last_probe_time: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::process::Outcome;
    use super::super::record::{running_state, terminated_state, waiting_state};
    use super::*;
    use serde_json::json;

    fn pod(policy: &str) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": {"restartPolicy": policy,
            "initContainers": [{"name": "i", "image": "x"}], "containers": [{"name": "c", "image": "x"}]}}))
        .unwrap()
    }

    fn records(pod: &Pod) -> Vec<Record> {
        let spec = pod.spec.as_ref().unwrap();
        let all = spec.init_containers.iter().flatten().chain(&spec.containers);
        all.map(|container| Record::new(container, "PodInitializing", None)).collect()
    }

    fn status(pod: &Pod, records: &[Record]) -> PodStatus {
        let ip = "127.1.1.2".parse().unwrap();
        pod_status(&Facts { pod, ip, records, message: None, now: Timestamp::UNIX_EPOCH })
    }

    fn summary(status: &PodStatus) -> (String, String) {
        let conditions = status.conditions.iter().flatten();
        let ready = conditions.filter(|c| c.type_ == "Ready").map(|c| c.status.clone()).collect();
        (status.phase.clone().unwrap(), ready)
    }

    #[test]
    fn a_pod_goes_from_pending_to_running() {
        let pod = pod("Always");
        let mut records = records(&pod);
        assert_eq!(summary(&status(&pod, &records)), ("Pending".into(), "False".into()));
        records[0].state = terminated_state(Outcome::Exit(0), &records[0], None);
        assert_eq!(summary(&status(&pod, &records)), ("Pending".into(), "False".into()));
        records[1].state = running_state();
        assert_eq!(summary(&status(&pod, &records)), ("Running".into(), "False".into()));
        records[1].ready = true;
        assert_eq!(summary(&status(&pod, &records)), ("Running".into(), "True".into()));
        records[1].ready = false;
        records[1].last_state = Some(terminated_state(Outcome::Exit(1), &records[1], None));
        records[1].state = waiting_state("CrashLoopBackOff", None);
        assert_eq!(summary(&status(&pod, &records)), ("Running".into(), "False".into()));
    }

    #[test]
    fn the_restart_policy_says_when_a_pod_is_done() {
        for (policy, code, wanted) in [
            ("Never", 0, "Succeeded"),
            ("Never", 3, "Failed"),
            ("OnFailure", 0, "Succeeded"),
            ("OnFailure", 3, "Running"),
        ] {
            let pod = pod(policy);
            let mut records = records(&pod);
            records[0].state = terminated_state(Outcome::Exit(0), &records[0], None);
            records[1].state = terminated_state(Outcome::Exit(code), &records[1], None);
            assert_eq!(summary(&status(&pod, &records)).0, wanted, "{policy} {code}");
        }
        let pod = pod("Never");
        let mut records = records(&pod);
        records[0].state = terminated_state(Outcome::Signal(9), &records[0], None);
        assert_eq!(summary(&status(&pod, &records)).0, "Failed");
    }

    #[test]
    fn a_restarted_serin_counts_the_container_as_restarted() {
        let pod = pod("Always");
        let mut before = records(&pod);
        before[1].state = running_state();
        before[1].restarts = 2;
        let container = &pod.spec.as_ref().unwrap().containers[0];
        let record = Record::new(container, "ContainerCreating", Some(&before[1].status()));
        assert_eq!(record.restarts, 3);
        assert_eq!(record.last_state.unwrap().terminated.unwrap().exit_code, 137);
        let waiting = Record::new(container, "ContainerCreating", Some(&before[0].status()));
        assert_eq!(waiting.restarts, 0);
    }
}
