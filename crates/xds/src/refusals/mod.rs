//! What happens when an Envoy refuses routes: the one at fault is found, withdrawn and told of; all others are served.
//!
//! An Envoy refuses a listener's routes as a whole. Traffic is not what to find the culprit with: the Envoy keeps the
//! routes that it has, and is sent throw-away listeners that bind no port, each with a part of the routes in it. Those it
//! refuses are divided further, until single routes, and then single fields of them, are left.

mod aspects;
mod search;
mod withdrawn;
mod words;

use std::sync::Arc;

use serin_api::ResourceId;
use serin_api::proxy::{EndpointMap, ProxySpec};
use tokio::sync::watch;

use self::search::Search;
use self::withdrawn::Withdrawn;
use crate::{DiscoveryServer, ListenerAddresses, ResourceType, SecretMap, Snapshot};

/// What answers in place of a route that was never accepted; `None`: nothing does.
pub type Replacement = Option<(u16, String)>;

/// What an Envoy does not take, for the owner's eyes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// Whom to tell.
    pub owner: ResourceId,
    /// What is refused, why, and what is served instead.
    pub reason: String,
}

/// Feeds a discovery server, and deals with what its Envoys refuse.
#[derive(Debug)]
pub struct Feed {
    server: DiscoveryServer,
    changes: watch::Receiver<u64>,
    spec: Arc<ProxySpec>,
    endpoints: EndpointMap,
    addresses: ListenerAddresses,
    secrets: SecretMap,
    replacement: Replacement,
    /// The last configuration of which an Envoy took all routes.
    accepted: Arc<ProxySpec>,
    withdrawn: Withdrawn,
    /// The node that refused routes, and the search for the one at fault.
    search: Option<(String, Search)>,
    complaints: Vec<Complaint>,
}

impl Feed {
    /// A feed for `server`.
    pub fn new(server: DiscoveryServer) -> Self {
        Self {
            changes: server.changes(),
            server,
            spec: Arc::default(),
            endpoints: EndpointMap::new(),
            addresses: ListenerAddresses::default(),
            secrets: SecretMap::new(),
            replacement: None,
            accepted: Arc::default(),
            withdrawn: Withdrawn::default(),
            search: None,
            complaints: Vec::new(),
        }
    }

    /// Takes over certificates, keys and roots, for what is published next.
    pub fn set_secrets(&mut self, secrets: SecretMap) {
        self.secrets = secrets;
    }

    /// Hands out a configuration and its endpoints; `replacement` stands in for routes that no Envoy ever took. What did
    /// not change is not sent again, and what was withdrawn stays so until it changes.
    pub fn publish(
        &mut self,
        spec: Arc<ProxySpec>,
        endpoints: EndpointMap,
        addresses: ListenerAddresses,
        replacement: Replacement,
    ) {
        if self.spec != spec {
            self.search = None;
            self.withdrawn.forget_all_but(&spec);
        }
        (self.spec, self.endpoints, self.addresses, self.replacement) = (spec, endpoints, addresses, replacement);
        self.send();
    }

    /// Returns when [`look`](Self::look) may find something.
    pub async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            // The server is in here too, so it does not come to this.
            std::future::pending().await
        }
    }

    /// Looks at what the Envoys answered, and takes the next step. Returns whether there is something else to complain of.
    pub fn look(&mut self) -> bool {
        self.changes.mark_unchanged();
        let Some(current) = self.server.current() else { return false };
        let nodes = self.server.nodes();
        if let Some((name, search)) = &mut self.search {
            match nodes.iter().find(|node| node.node == *name) {
                None => self.search = None,
                Some(node) if node.snapshot < current.number() => {}
                Some(node) => {
                    search.answer(&node.refusals);
                    if let Some(found) = search.take_found() {
                        self.search = None;
                        tracing::error!(
                            "an Envoy refused {} of the routes it was sent; the others are served",
                            found.len()
                        );
                        self.withdrawn.add(found);
                    }
                    self.send();
                }
            }
        } else {
            let refused = nodes.iter().find_map(|node| {
                let refusal = node.refusals.iter().find(|refusal| {
                    let sent = current.resources(ResourceType::Routes).get(&refusal.resource);
                    refusal.kind == ResourceType::Routes && sent.is_some_and(|sent| sent.version == refusal.version)
                })?;
                Some((node.node.clone(), refusal.resource.clone()))
            });
            if let Some((node, listener)) = refused {
                let served = self.served();
                if let Some(search) = Search::begin(&served, &self.accepted, &listener) {
                    self.search = Some((node, search));
                    self.send();
                }
            } else if nodes.iter().any(|node| node.snapshot == current.number()) {
                self.accepted = self.served();
            }
        }
        let mut complaints = self.withdrawn.complaints(&self.spec);
        for refusal in nodes.iter().flat_map(|node| &node.refusals) {
            if refusal.kind != ResourceType::Routes && !search::is_probe(&refusal.resource) {
                let reason = format!(
                    "Envoy refuses it, and goes on with what it had: {}",
                    words::about(&refusal.message, &refusal.resource)
                );
                complaints.push(Complaint { owner: refusal.source.clone(), reason });
            }
        }
        complaints.sort();
        complaints.dedup();
        let news = complaints != self.complaints;
        self.complaints = complaints;
        news
    }

    /// What the Envoys do not take.
    pub fn complaints(&self) -> &[Complaint] {
        &self.complaints
    }

    /// The configuration without what was withdrawn.
    fn served(&self) -> Arc<ProxySpec> {
        self.withdrawn.apply(&self.spec, &self.accepted, self.replacement.as_ref())
    }

    fn send(&self) {
        let previous = self.server.current();
        let mut endpoints = self.endpoints.clone();
        let served = self.served();
        if let Some(previous) = &previous {
            // A route that goes on as it was may need a cluster that is gone.
            for name in served.clusters.keys().filter(|name| !self.spec.clusters.contains_key(*name)) {
                endpoints.entry(name.clone()).or_insert_with(|| previous.endpoints_of(name).to_vec().into());
            }
        }
        let mut snapshot = Snapshot::with_secrets(
            served,
            endpoints,
            self.addresses.clone(),
            self.secrets.clone(),
            previous.as_deref(),
        );
        if let Some((_, search)) = &self.search {
            snapshot.add_probes(&search.probes());
        }
        self.server.publish(Arc::new(snapshot));
    }
}
