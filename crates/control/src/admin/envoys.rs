//! The part of `/config` that says which Envoys are connected, and how far each has come.

use serde::Serialize;
use serin_api::ResourceId;
use serin_xds::{Complaint, DiscoveryServer, NodeStatus};

/// A connected Envoy.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envoy {
    /// Its id, as its bootstrap says.
    node: String,
    /// The version that it has acknowledged whole, but for what it refuses; missing before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// The version that there is for it.
    newest: u64,
}

/// What Envoys refuse.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refused {
    /// Whose it is.
    owner: ResourceId,
    /// What it is, and why.
    reason: String,
}

/// The Envoys of these servers, by id.
pub(super) fn connected(servers: &[DiscoveryServer]) -> Vec<Envoy> {
    let of = |server: &DiscoveryServer| {
        let newest = server.current().map_or(0, |snapshot| snapshot.number());
        let envoy = move |NodeStatus { node, snapshot, refusals: _ }: NodeStatus| {
            let version = Some(snapshot).filter(|version| *version > 0);
            Envoy { node, version, newest }
        };
        server.nodes().into_iter().map(envoy)
    };
    let mut all: Vec<_> = servers.iter().flat_map(of).collect();
    all.sort_by(|one, other| one.node.cmp(&other.node));
    all
}

impl From<&Complaint> for Refused {
    fn from(Complaint { owner, reason }: &Complaint) -> Self {
        Self { owner: owner.clone(), reason: reason.clone() }
    }
}
