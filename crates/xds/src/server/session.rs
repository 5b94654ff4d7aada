//! What one Envoy has asked for, what it has, and so what it has to be told next.
//!
//! The order is Envoy's own for changes without a gap: clusters, their endpoints, listeners, their routes, each only after
//! what came before it is acknowledged; and what is no longer named is taken away last. Endpoints and secrets do not wait:
//! Envoy acknowledges clusters when they are warm, and they get warm by their endpoints and secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::nodes::Refusal;
use super::wire::{Ask, Names, Update};
use crate::{Resource, ResourceType, Snapshot};

/// How long routes wait for the endpoints of new clusters to be asked for. Envoy asks at once; whoever does not is not
/// kept waiting for ever.
const PATIENCE: Duration = Duration::from_secs(5);
/// The name that stands for all resources of a type.
const ALL: &str = "*";

/// One stream's state.
#[derive(Debug)]
pub(super) struct Session {
    changes_only: bool,
    /// Whether it is known who asks: nobody else gets keys.
    trusted: bool,
    subscriptions: [Subscription; ResourceType::ALL.len()],
    nonces: u64,
    waiting_since: Option<Instant>,
}

/// What is asked for of one type, and what the Envoy has.
#[derive(Debug, Default)]
struct Subscription {
    asked: bool,
    all: bool,
    names: BTreeSet<String>,
    has: BTreeMap<String, Had>,
    in_flight: Option<InFlight>,
    last_nonce: String,
}

/// A resource that was sent, or that the Envoy said it has.
#[derive(Clone, Debug)]
struct Had {
    version: String,
    resource: Option<Arc<Resource>>,
}

/// A response that is not answered yet.
#[derive(Debug)]
struct InFlight {
    sent: Vec<Arc<Resource>>,
    removed: Vec<String>,
}

impl Subscription {
    fn wants(&self, name: &str) -> bool {
        self.asked && (self.all || self.names.contains(name))
    }

    fn has_version(&self, resource: &Resource) -> bool {
        self.has.get(&resource.name).is_some_and(|had| had.version == resource.version)
    }

    /// What is asked for and not there in its current version.
    fn missing<'a>(&'a self, kind: ResourceType, snapshot: &'a Snapshot) -> impl Iterator<Item = &'a Arc<Resource>> {
        snapshot.resources(kind).values().filter(|resource| self.wants(&resource.name) && !self.has_version(resource))
    }

    /// What is there or asked for by name, and no longer exists.
    fn gone(&self, kind: ResourceType, snapshot: &Snapshot) -> Vec<String> {
        let existing = snapshot.resources(kind);
        let had = self.has.iter().filter(|(_, had)| !had.version.is_empty()).map(|(name, _)| name);
        let never = self.names.iter().filter(|name| *name != ALL && !self.has.contains_key(*name));
        let gone: BTreeSet<_> = had.chain(never).filter(|name| !existing.contains_key(*name)).cloned().collect();
        gone.into_iter().collect()
    }
}

impl Session {
    /// `changes_only`: whether the Envoy understands what changed, or wants lists whole.
    pub(super) fn new(changes_only: bool, trusted: bool) -> Self {
        Self { changes_only, trusted, subscriptions: Default::default(), nonces: 0, waiting_since: None }
    }

    /// Takes in what the Envoy says. What it refuses is added to `refusals`, what it now accepts is taken out.
    pub(super) fn hear(&mut self, ask: Ask, refusals: &mut Vec<Refusal>) {
        let Some(kind) = ResourceType::from_type_url(&ask.type_url) else { return };
        if kind == ResourceType::Secret && !self.trusted {
            return;
        }
        let subscription = &mut self.subscriptions[kind as usize];
        let answers = !ask.nonce.is_empty() && ask.nonce == subscription.last_nonce;
        if answers && let Some(answered) = subscription.in_flight.take() {
            refusals.retain(|refusal| {
                let again = answered.sent.iter().any(|resource| resource.name == refusal.resource);
                refusal.kind != kind || !(again || answered.removed.contains(&refusal.resource))
            });
            if let Some(message) = &ask.error {
                refusals.extend(at_fault(kind, &answered.sent, message));
            }
        }
        match ask.names {
            // An answer to a response that another has followed: the Envoy will answer that one too.
            Names::Exactly(_) if !ask.nonce.is_empty() && !answers => {}
            Names::Exactly(names) => {
                let names = BTreeSet::from_iter(names);
                subscription.all = names.contains(ALL)
                    || (names.is_empty() && kind.is_listed() && (!subscription.asked || subscription.all));
                if !subscription.all {
                    subscription.has.retain(|name, _| names.contains(name));
                }
                subscription.names = names;
                subscription.asked = true;
            }
            Names::Change { subscribe, unsubscribe, known } => {
                if !subscription.asked {
                    subscription.all = subscribe.is_empty() && kind.is_listed();
                    let known = known.into_iter().map(|(name, version)| (name, Had { version, resource: None }));
                    subscription.has.extend(known);
                }
                subscription.asked = true;
                for name in subscribe {
                    subscription.all |= name == ALL;
                    // Who asks again wants it again.
                    if subscription.names.contains(&name) {
                        subscription.has.remove(&name);
                    }
                    subscription.names.insert(name);
                }
                for name in unsubscribe {
                    subscription.all &= name != ALL;
                    subscription.names.remove(&name);
                    if !subscription.all {
                        subscription.has.remove(&name);
                    }
                }
            }
        }
    }

    /// What to tell next, if something can be told now.
    pub(super) fn next(&mut self, snapshot: &Snapshot, now: Instant) -> Option<Update> {
        let mut held = false;
        for kind in ResourceType::ALL {
            held |= kind == ResourceType::Listener && self.awaits_endpoints(snapshot, now);
            if held && !kind.is_needed_to_warm() {
                continue;
            }
            let subscription = &self.subscriptions[kind as usize];
            if subscription.in_flight.is_some() {
                held = true;
                continue;
            }
            let missing: Vec<_> = subscription.missing(kind, snapshot).cloned().collect();
            // A first list is sent even when it is empty: the Envoy waits for it.
            let first = subscription.asked && subscription.last_nonce.is_empty() && kind.is_listed();
            if !missing.is_empty() || first {
                return Some(self.tell(kind, snapshot, missing));
            }
        }
        if held {
            return None;
        }
        for kind in ResourceType::ALL.into_iter().rev() {
            let subscription = &self.subscriptions[kind as usize];
            if subscription.in_flight.is_some() {
                return None;
            }
            let gone = if subscription.asked { subscription.gone(kind, snapshot) } else { Vec::new() };
            if !gone.is_empty() && (self.changes_only || kind.is_listed()) {
                return Some(self.take_away(kind, snapshot, gone));
            }
        }
        None
    }

    /// Whether the Envoy has every resource of `snapshot` and has answered for it.
    pub(super) fn has_all_of(&self, snapshot: &Snapshot) -> bool {
        ResourceType::ALL.into_iter().all(|kind| {
            let subscription = &self.subscriptions[kind as usize];
            subscription.in_flight.is_none()
                && (subscription.asked || !kind.is_listed())
                // Of secrets there are more than are named: a credential's roots are one even where nobody is checked.
                && (snapshot.resources(kind).values())
                    .filter(|resource| kind != ResourceType::Secret || subscription.wants(&resource.name))
                    .all(|resource| subscription.has_version(resource))
        })
    }

    /// When to try again though nothing happened.
    pub(super) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        self.waiting_since.map(|since| since + PATIENCE).filter(|wake| *wake > now)
    }

    /// Whether a cluster that the Envoy was sent lacks endpoints that it has yet to ask for.
    fn awaits_endpoints(&mut self, snapshot: &Snapshot, now: Instant) -> bool {
        let [clusters, endpoints, ..] = &self.subscriptions;
        let lacking = clusters.asked
            && snapshot.resources(ResourceType::Endpoints).keys().any(|name| !endpoints.has.contains_key(name));
        if !lacking {
            self.waiting_since = None;
            return false;
        }
        now.duration_since(*self.waiting_since.get_or_insert(now)) < PATIENCE
    }

    fn tell(&mut self, kind: ResourceType, snapshot: &Snapshot, changed: Vec<Arc<Resource>>) -> Update {
        // Envoy gives a cluster or listener that changed a new life, which needs its endpoints or routes again.
        let dependent = match kind {
            ResourceType::Cluster => Some(ResourceType::Endpoints),
            ResourceType::Listener => Some(ResourceType::Routes),
            ResourceType::Endpoints | ResourceType::Routes | ResourceType::Secret => None,
        };
        if let Some(dependent) = dependent {
            for resource in &changed {
                self.subscriptions[dependent as usize].has.remove(&resource.name);
            }
        }
        let subscription = &mut self.subscriptions[kind as usize];
        let mut resources = changed;
        if !self.changes_only && kind.is_listed() {
            // A list names everything: what did not change, and what is only to be taken away when nothing names it any more.
            let changed: BTreeSet<_> = resources.iter().map(|resource| resource.name.clone()).collect();
            let kept = subscription.has.iter().filter(|(name, _)| !changed.contains(*name));
            resources.extend(kept.filter_map(|(_, had)| had.resource.clone()));
        }
        self.send(kind, snapshot, resources, Vec::new())
    }

    fn take_away(&mut self, kind: ResourceType, snapshot: &Snapshot, gone: Vec<String>) -> Update {
        let subscription = &mut self.subscriptions[kind as usize];
        for name in &gone {
            subscription.has.remove(name);
            if subscription.names.contains(name) {
                subscription.has.insert(name.clone(), Had { version: String::new(), resource: None });
            }
        }
        let resources = match self.changes_only {
            true => Vec::new(),
            false => subscription.has.values().filter_map(|had| had.resource.clone()).collect(),
        };
        self.send(kind, snapshot, resources, gone)
    }

    fn send(
        &mut self,
        kind: ResourceType,
        snapshot: &Snapshot,
        resources: Vec<Arc<Resource>>,
        removed: Vec<String>,
    ) -> Update {
        self.nonces += 1;
        let nonce = self.nonces.to_string();
        let subscription = &mut self.subscriptions[kind as usize];
        for resource in &resources {
            let had = Had { version: resource.version.clone(), resource: Some(Arc::clone(resource)) };
            subscription.has.insert(resource.name.clone(), had);
        }
        subscription.last_nonce.clone_from(&nonce);
        subscription.in_flight = Some(InFlight { sent: resources.clone(), removed: removed.clone() });
        Update { kind, nonce, version: snapshot.number().to_string(), resources, removed }
    }
}

/// The refused resources: those that Envoy's message names, else all that were sent.
fn at_fault(kind: ResourceType, sent: &[Arc<Resource>], message: &str) -> Vec<Refusal> {
    let refusal = |resource: &Arc<Resource>| Refusal {
        kind,
        resource: resource.name.clone(),
        version: resource.version.clone(),
        source: resource.source.clone(),
        message: message.to_owned(),
    };
    let named: Vec<_> = sent.iter().filter(|resource| message.contains(&resource.name)).map(refusal).collect();
    if named.is_empty() { sent.iter().map(refusal).collect() } else { named }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
