//! The Node object that stands for this machine, and the Lease that says it is alive.

use super::{HOST_IP, NODE_NAME};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::time::Duration;

/// How often the Lease is renewed.
const HEARTBEAT: Duration = Duration::from_secs(60);
const LEASE_NAMESPACE: &str = "kube-node-lease";
const MAX_PODS: u32 = 1000;

/// Registers the node, and renews its Lease until dropped.
pub(super) async fn run(client: Client) {
    let mut retry = Duration::from_millis(50);
    while let Err(error) = register(&client).await {
        tracing::debug!(%error, "node not registered");
        tokio::time::sleep(retry).await;
        retry = (retry * 2).min(Duration::from_secs(30));
    }
    loop {
        if let Err(error) = renew(&client).await {
            tracing::debug!(%error, "lease not renewed");
        }
        tokio::time::sleep(HEARTBEAT).await;
    }
}

async fn register(client: &Client) -> kube::Result<()> {
    let api: Api<Node> = Api::all(client.clone());
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE_NAME, "labels": labels()}});
    if api.get_opt(NODE_NAME).await?.is_none() {
        // What we have written is a node.
        let Ok(node) = serde_json::from_value::<Node>(node) else { return Ok(()) };
        api.create(&PostParams::default(), &node).await?;
    }
    api.patch_status(NODE_NAME, &PatchParams::default(), &Patch::Merge(json!({"status": status()}))).await?;
    Ok(())
}

async fn renew(client: &Client) -> kube::Result<()> {
    let api: Api<Lease> = Api::namespaced(client.clone(), LEASE_NAMESPACE);
    let spec = json!({
        "holderIdentity": NODE_NAME, "leaseDurationSeconds": 3 * HEARTBEAT.as_secs(), "renewTime": MicroTime(Timestamp::now()),
    });
    let metadata = json!({"name": NODE_NAME, "namespace": LEASE_NAMESPACE});
    if api.get_opt(NODE_NAME).await?.is_some() {
        api.patch(NODE_NAME, &PatchParams::default(), &Patch::Merge(json!({"spec": spec}))).await?;
    } else if let Ok(lease) = serde_json::from_value(json!({"metadata": metadata, "spec": spec})) {
        api.create(&PostParams::default(), &lease).await?;
    }
    Ok(())
}

fn labels() -> Value {
    json!({
        "kubernetes.io/hostname": NODE_NAME,
        "kubernetes.io/os": std::env::consts::OS,
        "kubernetes.io/arch": architecture(),
    })
}

fn status() -> Value {
    let now = Time(Timestamp::now());
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let resources = json!({
        "cpu": cpus.to_string(), "memory": format!("{}Ki", memory_kib()), "pods": MAX_PODS.to_string(),
    });
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": now})
    };
    json!({
        "addresses": [
            {"type": "InternalIP", "address": HOST_IP},
            {"type": "Hostname", "address": NODE_NAME},
        ],
        "capacity": resources,
        "allocatable": resources,
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "memory is not watched here"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "the disk is not watched here"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "processes are not counted here"),
            condition("Ready", "True", "KubeletReady", "serin runs pods as processes of this machine"),
        ],
        "nodeInfo": {
            "architecture": architecture(), "bootID": "", "containerRuntimeVersion": concat!("serin://", env!("CARGO_PKG_VERSION")),
            "kernelVersion": kernel(), "kubeProxyVersion": "", "kubeletVersion": concat!("serin-", env!("CARGO_PKG_VERSION")),
            "machineID": "", "operatingSystem": std::env::consts::OS, "osImage": std::env::consts::OS, "systemUUID": "",
        },
    })
}

/// The architecture as Go, and so Kubernetes, calls it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn kernel() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

fn memory_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    total.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0)
}
