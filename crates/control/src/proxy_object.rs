//! Keeps the `Proxy` object in the API like what is served, so that anyone can read it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject};
use serde_json::{Value, json};
use serin_api::proxy::ProxySpec;
use serin_api::{CONTROL_PLANE_NAMESPACE, ResourceKind, ResourceStatus};
use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::watched::api_resource;

/// The name of the one proxy, as the Gateways that exist from the start name it.
pub(crate) const PROXY_NAME: &str = "gateway-proxy";
/// The least time between two writes: readers are people.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);
/// The pause before a write that failed is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// The largest spec that is written, in bytes of JSON; etcd refuses objects of 1.5 MB.
const LARGEST_SPEC: usize = 1_000_000;

/// What the object should say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shown {
    pub(crate) spec: Arc<ProxySpec>,
    pub(crate) status: ResourceStatus,
}

/// Writes the latest of `shown` whenever it changed, until the sender is gone.
pub(crate) async fn keep(client: Client, mut shown: watch::Receiver<Option<Shown>>, metrics: Arc<Metrics>) {
    let resource = api_resource(ResourceKind::Proxy);
    let api: Api<DynamicObject> = Api::namespaced_with(client, CONTROL_PLANE_NAMESPACE, &resource);
    while shown.changed().await.is_ok() {
        loop {
            // Read before the value: a change in between is settled by the next round.
            let wanted = metrics.proxy_wanted.load(Ordering::Relaxed);
            let Some(latest) = shown.borrow_and_update().clone() else { break };
            match write(&api, &resource, &latest).await {
                Ok(()) => {
                    metrics.proxy_writes.fetch_add(1, Ordering::Relaxed);
                    metrics.proxy_settled.store(wanted, Ordering::Relaxed);
                    break;
                }
                Err(error) if is_code(&error, 409) => {}
                Err(error) if is_code(&error, 404) => {
                    tracing::info!("the kind proxies.gloo.solo.io is not there: what is served is not kept in the API");
                    metrics.proxy_settled.store(wanted, Ordering::Relaxed);
                    break;
                }
                Err(error) => {
                    tracing::warn!("the Proxy object could not be written, trying again: {error}");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
        tokio::time::sleep(LEAST_INTERVAL).await;
    }
}

fn is_code(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(answer) if answer.code == code)
}

async fn write(api: &Api<DynamicObject>, resource: &ApiResource, shown: &Shown) -> Result<(), kube::Error> {
    let spec = bounded(&shown.spec);
    let params = PostParams::default();
    match api.get_opt(PROXY_NAME).await? {
        Some(mut object) => {
            if object.data.get("spec") != Some(&spec) {
                if let Some(data) = object.data.as_object_mut() {
                    data.insert("spec".to_owned(), spec);
                }
                api.replace(PROXY_NAME, &params, &object).await?;
            }
        }
        None => {
            let mut object = DynamicObject::new(PROXY_NAME, resource).within(CONTROL_PLANE_NAMESPACE);
            object.data = json!({ "spec": spec });
            api.create(&params, &object).await?;
        }
    }
    let reason = if shown.status.reason.is_empty() { Value::Null } else { Value::from(shown.status.reason.as_str()) };
    let entry = json!({ "state": shown.status.state, "reason": reason, "reportedBy": shown.status.reported_by });
    let patch = json!({ "status": { "statuses": { CONTROL_PLANE_NAMESPACE: entry } } });
    api.patch_status(PROXY_NAME, &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(())
}

/// The spec as JSON; where that is too large for the API, what it holds in numbers.
fn bounded(spec: &ProxySpec) -> Value {
    let value = match serde_json::to_value(spec) {
        Ok(value) => value,
        Err(error) => return json!({ "unreadable": error.to_string() }),
    };
    let length = value.to_string().len();
    if length <= LARGEST_SPEC {
        return value;
    }
    let listeners: Vec<Value> = spec
        .listeners
        .iter()
        .map(|listener| {
            let routes: usize = listener.virtual_hosts.iter().map(|host| host.routes.len()).sum();
            json!({ "name": listener.name, "virtualHosts": listener.virtual_hosts.len(), "routes": routes })
        })
        .collect();
    json!({
        "omitted": format!("{length} bytes are too many for one object; `serin proxy dump` prints all of it"),
        "listeners": listeners,
        "clusters": spec.clusters.len(),
    })
}
