//! Probing a running container, for as long as it runs.

use super::container::Runner;
use super::listening::wildcard_ports;
use super::probe::{Target, Timing, Verdict, ask, unsupported};
use super::process::Process;
use crate::subprocess::descendants;
use k8s_openapi::api::core::v1::Probe;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A container without a readiness probe counts as ready once one of its declared ports accepts a connection, or after this
/// long. Kubernetes has it ready at once; then the first requests could find nobody listening yet.
const READY_AFTER: Duration = Duration::from_secs(1);
/// When it is looked which addresses the container listens on, after it has become ready.
const LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(8)];

/// Keeps the container's record up to date; returns when it has to be restarted, and says why.
pub(super) async fn probe(runner: &Runner, process: &Process, target: &Target<'_>) -> String {
    let container = &runner.container;
    let probes = [
        ("Startup", &container.startup_probe),
        ("Readiness", &container.readiness_probe),
        ("Liveness", &container.liveness_probe),
    ];
    for (kind, probe) in probes {
        if let Some(problem) = probe.as_ref().and_then(unsupported) {
            runner.event(true, "UnsupportedProbe", format!("{kind} probe is left out: {problem}"));
        }
    }
    let supported = |probe: &'_ Option<Probe>| probe.clone().filter(|probe| unsupported(probe).is_none());
    if let Some(startup) = supported(&container.startup_probe)
        && !repeat(runner, "Startup", &startup, target, |verdict| verdict).await
    {
        return "failed startup probe, will be restarted".to_owned();
    }
    let name = &container.name;
    runner.pod.records.update(name, |record| record.started = true);
    let readiness = async {
        match supported(&container.readiness_probe) {
            Some(readiness) => {
                let look = look_at_addresses(runner, process);
                let probing = repeat(runner, "Readiness", &readiness, target, |verdict| {
                    if let Some(ready) = verdict {
                        runner.pod.records.update(name, |record| record.ready = ready);
                    }
                    None
                });
                tokio::join!(look, probing);
            }
            None => {
                first_listening(runner, target).await;
                runner.pod.records.update(name, |record| record.ready = true);
                look_at_addresses(runner, process).await;
            }
        }
        std::future::pending::<()>().await;
    };
    let liveness = async {
        match supported(&container.liveness_probe) {
            Some(liveness) => {
                repeat(runner, "Liveness", &liveness, target, |verdict| verdict.filter(|&alive| !alive)).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = readiness => {}
        () = liveness => {}
    }
    "failed liveness probe, will be restarted".to_owned()
}

/// Asks again and again, until `decide` makes something of a verdict.
async fn repeat(
    runner: &Runner,
    kind: &str,
    probe: &Probe,
    target: &Target<'_>,
    decide: impl Fn(Option<bool>) -> Option<bool>,
) -> bool {
    let timing = Timing::of(probe);
    tokio::time::sleep(timing.initial_delay).await;
    // A program needs a moment before it listens: until it has answered once, a refusal is asked again soon, and not counted.
    let patience = Instant::now() + timing.period.min(READY_AFTER);
    let mut answered = false;
    let mut verdict = Verdict::default();
    loop {
        let asked = Instant::now();
        let answer = ask(probe, target).await;
        answered |= answer.is_ok();
        if answer.is_err() && !answered && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        if let Err(error) = &answer {
            runner.event(true, "Unhealthy", format!("{kind} probe failed: {error}"));
        }
        if let Some(decision) = decide(verdict.count(answer.is_ok(), &timing)) {
            return decision;
        }
        tokio::time::sleep_until(asked + timing.period).await;
    }
}

/// Waits until a declared TCP port accepts a connection, but not for long.
async fn first_listening(runner: &Runner, target: &Target<'_>) {
    let declared = runner.container.ports.iter().flatten();
    let declared = declared.filter(|port| port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP"));
    let mut ports: Vec<u16> = declared.filter_map(|port| u16::try_from(port.container_port).ok()).collect();
    if runner.pod.node.images.is_built_in(runner.container.image.as_deref().unwrap_or_default()) {
        ports.extend(crate::subprocess::http_echo_port(&target.launch.args));
    }
    if ports.is_empty() {
        return;
    }
    let accepted = async {
        let mut pause = Duration::from_millis(1);
        loop {
            for port in &ports {
                if TcpStream::connect((target.ip, *port)).await.is_ok() {
                    return;
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    };
    let _ = tokio::time::timeout(READY_AFTER, accepted).await;
}

/// Says so when the container listens on every address of the machine.
async fn look_at_addresses(runner: &Runner, process: &Process) {
    let start = Instant::now();
    for look in LOOKS {
        tokio::time::sleep_until(start + look).await;
        let Some(pid) = process.pid() else { continue };
        let found = tokio::task::spawn_blocking(move || {
            let mut pids = descendants(pid);
            pids.push(pid);
            wildcard_ports(&pids)
        });
        let Some(port) = found.await.ok().and_then(|ports| ports.first().copied()) else { continue };
        let message = format!(
            "container \"{}\" listens on port {port} of all addresses (0.0.0.0), which keeps every other pod from that port. \
             Have it listen on $POD_IP:{port} ({}:{port}); env and args may name $(POD_IP)",
            runner.container.name, runner.pod.ip
        );
        runner.event(true, "ListensOnAllAddresses", message.clone());
        runner.pod.records.say(message);
        return;
    }
}
