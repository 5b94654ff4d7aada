//! Waits until the control plane has seen what the API has, so that a check right after a change judges that change.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kube::api::DynamicObject;
use kube::{Client, ResourceExt};
use serde_json::Value;

use super::area::routing_objects;
use super::{envoys, health};
use crate::failure::{Failure, Outcome, While};
use crate::home::Home;
use crate::http_client;

/// How long a control plane may take to catch up. What it has by then is judged.
const LIMIT: Duration = Duration::from_secs(3);
/// How often it is asked.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// Waits, if the cluster is the one of this home: the admin port of any other is out of reach. What `/config` said last.
pub(super) async fn wait(client: &Client, server: &hyper::Uri) -> Outcome<Option<Value>> {
    let Some(instance) = Home::find()?.instance() else { return Ok(None) };
    if server.port_u16() != Some(instance.api.port()) || server.host() != Some(&instance.api.ip().to_string()) {
        return Ok(None);
    }
    let end = Instant::now() + LIMIT;
    loop {
        let objects = routing_objects(client).await?;
        let config = get(instance.admin, "/config?view=resources").await?;
        if (has_seen(&config, &objects) && !health::is_awaited(&config) && !envoys::is_awaited(&config))
            || Instant::now() > end
        {
            return Ok(Some(config));
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Everything that `/config` says.
pub(crate) async fn fetch(admin: SocketAddr) -> Outcome<Value> {
    get(admin, "/config").await
}

async fn get(admin: SocketAddr, path: &str) -> Outcome<Value> {
    let answer = http_client::get(admin, path, &[]).await?;
    if answer.status != 200 {
        return Err(Failure::new(format!("the admin port {admin} answered {}", answer.status)));
    }
    serde_json::from_slice(&answer.body).or_fail(|| format!("the admin port {admin} did not answer in JSON"))
}

/// Whether the control plane has seen each object as it is now, none that is gone, and has written every status.
fn has_seen(config: &Value, objects: &[(&'static str, DynamicObject)]) -> bool {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let seen: BTreeMap<_, _> = config["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| ((text(it, "kind"), text(it, "namespace"), text(it, "name")), it["generation"].as_i64()))
        .collect();
    let current: BTreeMap<_, _> = objects
        .iter()
        .map(|(kind, it)| {
            (((*kind).to_owned(), it.namespace().unwrap_or_default(), it.name_any()), it.metadata.generation)
        })
        .collect();
    let gone = seen.keys().any(|(kind, namespace, name)| {
        kind != "Settings" && !current.contains_key(&(kind.clone(), namespace.clone(), name.clone()))
    });
    let all = current.iter().all(|(id, generation)| seen.get(id).is_some_and(|seen| *seen >= generation.or(Some(0))));
    all && !gone && config["statusesPending"] == 0
}
