//! `/config`: what is served, which generation of what it was made of, and why it is not newer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State as Shared};
use serde::{Deserialize, Serialize};
use serin_api::proxy::ProxySpec;
use serin_api::{ResourceId, ResourceStatus};

use super::Admin;
use super::envoys::{Envoy, Refused, connected};
use super::health::Upstream;

/// The answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    /// Counts translations: it grows with every change that was looked at.
    sequence: u64,
    /// Whether the last good configuration is kept.
    frozen: bool,
    /// Why it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Statuses that the API does not have yet.
    statuses_pending: u64,
    /// Watches that fail at the moment, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    failing_watches: BTreeMap<String, String>,
    /// Where the listeners are bound.
    addresses: BTreeMap<String, SocketAddr>,
    /// Every resource the last translation saw, its generation and its verdict.
    resources: Vec<Resource>,
    /// Which endpoints of Upstreams get no requests for now, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    health: Vec<Upstream>,
    /// The Envoys that are connected; missing where none are fed.
    #[serde(skip_serializing_if = "Option::is_none")]
    envoys: Option<Vec<Envoy>>,
    /// What Envoys refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused_by_envoys: Vec<Refused>,
    /// What the data plane has. Its `sources` are the generations that it was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    served: Option<Arc<ProxySpec>>,
}

/// One resource as the last translation saw it.
#[derive(Serialize)]
struct Resource {
    #[serde(flatten)]
    id: ResourceId,
    generation: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<ResourceStatus>,
}

/// How much is shown.
#[derive(Deserialize)]
pub(super) struct View {
    /// `resources` leaves out what the data plane has, which can be large.
    view: Option<String>,
}

pub(super) async fn show(Shared(admin): Shared<Arc<Admin>>, Query(view): Query<View>) -> Json<impl Serialize> {
    let served = admin.state.served();
    let resources = served.observed.iter().map(|(id, generation)| Resource {
        id: id.clone(),
        generation: *generation,
        status: served.statuses.get(id).cloned(),
    });
    let failing = admin.state.failing().into_iter().map(|(kind, reason)| (kind.definition(), reason));
    Json(Config {
        sequence: served.sequence,
        frozen: served.frozen.is_some(),
        reason: served.frozen.clone(),
        statuses_pending: admin.metrics.pending(),
        failing_watches: failing.collect(),
        addresses: admin.data_plane.listeners().into_iter().map(|open| (open.name, open.address)).collect(),
        resources: resources.collect(),
        health: admin.data_plane.health().into_iter().map(Upstream::from).collect(),
        envoys: (!admin.envoys.is_empty()).then(|| connected(&admin.envoys)),
        refused_by_envoys: served.refused.iter().map(Refused::from).collect(),
        served: (view.view.as_deref() != Some("resources")).then(|| served.spec.clone()),
    })
}
