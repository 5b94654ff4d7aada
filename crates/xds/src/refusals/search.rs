//! The search for the routes at fault: groups of suspects, those refused divided further.

use std::collections::BTreeMap;
use std::sync::Arc;

use serin_api::proxy::{Listener, ProxySpec, Route, VirtualHost};

use super::{aspects, words};
use crate::server::Refusal;

/// What the names of throw-away listeners begin with. No Gateway's can: there is no dot in it.
const PROBE: &str = "serin-probe/";
/// How many groups are tried at once: few enough for an Envoy to take in at a moment's notice.
const GROUPS: usize = 16;

/// The name of the throw-away listener for a group. All are of one length, so that none is the beginning of another.
pub(super) fn probe_name(round: u32, group: usize) -> String {
    format!("{PROBE}{round:06}-{group:03}")
}

/// Whether a listener is a throw-away one.
pub(super) fn is_probe(name: &str) -> bool {
    name.starts_with(PROBE)
}

/// A part that may be at fault.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Suspect {
    pub(super) host: Arc<VirtualHost>,
    /// One of its routes; `None`: all about it but its routes.
    pub(super) route: Option<Arc<Route>>,
}

/// A part that is at fault.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) suspect: Suspect,
    /// The field at fault, as the API calls it.
    pub(super) field: Option<String>,
    /// Why, in Envoy's words.
    pub(super) message: String,
}

/// What a group stands for.
#[derive(Clone, Debug)]
enum Group {
    /// Parts of which at least one may be at fault.
    Suspects(Vec<Suspect>),
    /// A field of a route that is at fault: the route with little else in it.
    Aspect { of: usize, field: String, route: Arc<Route> },
}

/// A search at work.
#[derive(Debug)]
pub(super) struct Search {
    base: Listener,
    round: u32,
    groups: Vec<Group>,
    /// Refused groups that wait for their turn.
    waiting: Vec<Vec<Suspect>>,
    found: Vec<Found>,
    /// How many of what was found were looked at more closely.
    examined: usize,
    done: bool,
}

impl Search {
    /// A search among what is in `listener` now and was not in `accepted`; `None` when nothing is.
    pub(super) fn begin(spec: &ProxySpec, accepted: &ProxySpec, listener: &str) -> Option<Self> {
        let named = |spec: &ProxySpec| spec.listeners.iter().find(|it| it.name == listener).cloned();
        let current = named(spec)?;
        let before = named(accepted);
        let mut suspects = Vec::new();
        for host in &current.virtual_hosts {
            let old = before.as_ref().and_then(|it| it.virtual_hosts.iter().find(|old| old.name == host.name));
            if old == Some(host) {
                continue;
            }
            suspects.push(Suspect { host: host.clone(), route: None });
            let new = host.routes.iter().filter(|route| !old.is_some_and(|old| old.routes.contains(route)));
            suspects.extend(new.map(|route| Suspect { host: host.clone(), route: Some(route.clone()) }));
        }
        let base = Listener { virtual_hosts: Vec::new(), ..Listener::clone(&current) };
        let (waiting, found) = (vec![suspects], Vec::new());
        let mut search = Self { base, round: 0, groups: Vec::new(), waiting, found, examined: 0, done: false };
        search.divide();
        (!search.groups.is_empty()).then_some(search)
    }

    /// The throw-away listeners of this round.
    pub(super) fn probes(&self) -> Vec<Listener> {
        let probe = |(index, group): (usize, &Group)| {
            let virtual_hosts = match group {
                Group::Suspects(suspects) => suspects.iter().enumerate().map(|(at, one)| one.alone(at)).collect(),
                Group::Aspect { of, route, .. } => {
                    let host = self.found[*of].suspect.host.clone();
                    vec![Suspect { host, route: Some(route.clone()) }.alone(0)]
                }
            };
            Listener { name: probe_name(self.round, index), virtual_hosts, ..self.base.clone() }
        };
        self.groups.iter().enumerate().map(probe).collect()
    }

    /// Takes in which of the throw-away listeners were refused.
    pub(super) fn answer(&mut self, refusals: &[Refusal]) {
        let said: BTreeMap<&str, &str> =
            refusals.iter().map(|refusal| (refusal.resource.as_str(), refusal.message.as_str())).collect();
        for (index, group) in std::mem::take(&mut self.groups).into_iter().enumerate() {
            let name = probe_name(self.round, index);
            let Some(message) = said.get(name.as_str()) else { continue };
            let message = words::about(message, &name);
            match group {
                Group::Suspects(suspects) => match <[Suspect; 1]>::try_from(suspects) {
                    Ok([suspect]) => self.found.push(Found { suspect, field: None, message }),
                    Err(suspects) => self.waiting.push(suspects),
                },
                Group::Aspect { of, field, .. } => {
                    let found = &mut self.found[of];
                    if found.field.is_none() {
                        (found.field, found.message) = (Some(field), message);
                    }
                }
            }
        }
        self.divide();
    }

    /// What is at fault, once that is known.
    pub(super) fn take_found(&mut self) -> Option<Vec<Found>> {
        self.done.then(|| std::mem::take(&mut self.found))
    }

    /// Makes the groups of the next round.
    fn divide(&mut self) {
        self.round += 1;
        if let Some(suspects) = self.waiting.pop() {
            let size = suspects.len().div_ceil(GROUPS).max(1);
            self.groups = suspects.chunks(size).map(|chunk| Group::Suspects(chunk.to_vec())).collect();
            return;
        }
        if let Some(found) = self.found.get(self.examined) {
            let fields = found.suspect.route.as_deref().map(aspects::of).unwrap_or_default();
            let of = self.examined;
            self.examined += 1;
            let group = |(field, route)| Group::Aspect { of, field, route: Arc::new(route) };
            self.groups = fields.into_iter().map(group).collect();
            if !self.groups.is_empty() {
                return;
            }
            return self.divide();
        }
        self.done = true;
    }
}

impl Suspect {
    /// The part by itself, as the `index`th virtual host of a throw-away listener.
    fn alone(&self, index: usize) -> Arc<VirtualHost> {
        let host = VirtualHost::clone(&self.host);
        Arc::new(match &self.route {
            None => VirtualHost { routes: Vec::new(), ..host },
            Some(route) => VirtualHost {
                name: format!("{}-{index}", host.name),
                domains: vec![format!("probe-{index}.invalid")],
                routes: vec![route.clone()],
                policy: None,
                ..host
            },
        })
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
