//! What was withdrawn because an Envoy refused it, and the configuration without it.
//!
//! In place of a refused route stands the one before it that was accepted, at its place in the list. Was there none, the
//! replacement answers that the Settings name; without one, or when Envoy refuses that too, the route is left out. A route
//! that is closed (403) then takes those behind it along: they must not answer in its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use serin_api::proxy::{Action, Forward, Listener, ProxySpec, Route, Target, VirtualHost};

use super::Complaint;
use super::search::{Found, Suspect};

/// The status of a route that is closed because it asks for authentication.
const CLOSED: u16 = 403;

/// What was withdrawn.
#[derive(Debug, Default)]
pub(super) struct Withdrawn {
    parts: Vec<Found>,
}

impl Withdrawn {
    pub(super) fn add(&mut self, found: Vec<Found>) {
        self.parts.extend(found);
    }

    /// Forgets what `spec` does not have any more: it was mended, or is gone.
    pub(super) fn forget_all_but(&mut self, spec: &ProxySpec) {
        let (there, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.parts).into_iter().partition(|part| part.suspect.is_in(spec));
        // What was put in place of a part that is still there.
        let stand_ins = gone.into_iter().filter(|part| there.iter().any(|it| it.suspect.is_same_place(&part.suspect)));
        self.parts = stand_ins.collect();
        self.parts.extend(there);
    }

    /// What to tell the owners of `spec`'s parts.
    pub(super) fn complaints(&self, spec: &ProxySpec) -> Vec<Complaint> {
        let complaint = |part: &Found| {
            let Suspect { host, route } = &part.suspect;
            let (owner, what) = match route {
                Some(route) => (&route.source, format!("route {} of virtual host {}", route.name, host.name)),
                None => (&host.source, format!("the virtual host {}", host.name)),
            };
            let field = part.field.as_ref().map(|field| format!(", {field}")).unwrap_or_default();
            let reason = format!(
                "Envoy refuses {what}{field}: {}. It is withdrawn there, and what was accepted before goes on if there was any; \
                 everything else is served",
                part.message.trim_end_matches('.')
            );
            Complaint { owner: owner.clone(), reason }
        };
        self.parts.iter().filter(|part| part.suspect.is_in(spec)).map(complaint).collect()
    }

    /// `spec` without what was withdrawn.
    pub(super) fn apply(
        &self,
        spec: &Arc<ProxySpec>,
        accepted: &ProxySpec,
        replacement: Option<&(u16, String)>,
    ) -> Arc<ProxySpec> {
        if self.parts.is_empty() {
            return spec.clone();
        }
        let mut made = ProxySpec::clone(spec);
        for listener in &mut made.listeners {
            let before = accepted.listeners.iter().find(|it| it.name == listener.name);
            let taken: BTreeSet<&String> = listener.virtual_hosts.iter().flat_map(|host| &host.domains).collect();
            let hosts = listener.virtual_hosts.iter().filter_map(|host| {
                let old = before.and_then(|it| it.virtual_hosts.iter().find(|old| old.name == host.name));
                self.host(host, old, &taken, replacement)
            });
            let virtual_hosts: Vec<_> = hosts.collect();
            if virtual_hosts != listener.virtual_hosts {
                *listener = Arc::new(Listener { virtual_hosts, ..Listener::clone(listener) });
            }
        }
        let named: BTreeSet<_> = made.listeners.iter().flat_map(|it| &it.virtual_hosts).flat_map(clusters).collect();
        for name in named {
            if let (false, Some(cluster)) = (made.clusters.contains_key(&name), accepted.clusters.get(&name)) {
                made.clusters.insert(name, cluster.clone());
            }
        }
        Arc::new(made)
    }

    fn host(
        &self,
        host: &Arc<VirtualHost>,
        old: Option<&Arc<VirtualHost>>,
        taken: &BTreeSet<&String>,
        replacement: Option<&(u16, String)>,
    ) -> Option<Arc<VirtualHost>> {
        let refused_itself = self.parts.iter().any(|part| {
            let Suspect { host: refused, route } = &part.suspect;
            route.is_none() && refused.name == host.name && bare(refused) == bare(host)
        });
        if refused_itself {
            // Domains that another host has by now are its own.
            let mut old = VirtualHost::clone(old?);
            old.domains.retain(|domain| host.domains.contains(domain) || !taken.contains(domain));
            return (!old.domains.is_empty()).then(|| Arc::new(old));
        }
        let refused = |route: &Route| {
            let mut routes = self.parts.iter().filter(|part| part.suspect.host.name == host.name);
            routes.any(|part| part.suspect.route.as_deref() == Some(route))
        };
        if !host.routes.iter().any(|route| refused(route)) {
            return Some(host.clone());
        }
        let mut routes = Vec::with_capacity(host.routes.len());
        for (index, route) in host.routes.iter().enumerate() {
            if !refused(route) {
                routes.push(route.clone());
                continue;
            }
            let same = |it: &&Arc<Route>| it.source == route.source && it.name == route.name;
            let nth = host.routes[..index].iter().filter(same).count();
            let before = old.and_then(|old| old.routes.iter().filter(same).nth(nth)).filter(|it| !refused(it));
            let replaced = replacement.map(|with| Arc::new(stand_in(route, with))).filter(|it| !refused(it));
            match before.cloned().or(replaced) {
                Some(stand_in) => routes.push(stand_in),
                None if is_closed(route) => break,
                None => {}
            }
        }
        Some(Arc::new(VirtualHost { routes, ..VirtualHost::clone(host) }))
    }
}

impl Suspect {
    /// Whether `spec` has it as it is.
    fn is_in(&self, spec: &ProxySpec) -> bool {
        let mut hosts = spec.listeners.iter().flat_map(|listener| &listener.virtual_hosts);
        hosts.any(|host| {
            host.name == self.host.name
                && match &self.route {
                    None => bare(host) == bare(&self.host),
                    Some(route) => host.routes.contains(route),
                }
        })
    }

    /// Whether it is, or was, where `other` is.
    fn is_same_place(&self, other: &Self) -> bool {
        let route = |suspect: &Self| suspect.route.as_ref().map(|route| (route.source.clone(), route.name.clone()));
        self.host.name == other.host.name && route(self) == route(other)
    }
}

/// A host without its routes.
fn bare(host: &VirtualHost) -> VirtualHost {
    VirtualHost { routes: Vec::new(), ..host.clone() }
}

fn is_closed(route: &Route) -> bool {
    matches!(route.action, Action::DirectResponse { status: CLOSED, .. })
}

/// What answers in place of `route`. One that is closed stays so.
fn stand_in(route: &Route, (status, body): &(u16, String)) -> Route {
    let status = if is_closed(route) { CLOSED } else { *status };
    let action = Action::DirectResponse { status, body: body.clone() };
    Route { action, policy: None, stickiness: None, ..route.clone() }
}

/// The clusters that a host's routes name.
fn clusters(host: &Arc<VirtualHost>) -> Vec<serin_api::proxy::ClusterName> {
    let targets = host.routes.iter().filter_map(|route| match &route.action {
        Action::Forward(Forward::Weighted(targets)) => Some(targets),
        _ => None,
    });
    let named = targets.flatten().filter_map(|target| match &target.target {
        Target::Cluster { cluster, .. } => Some(cluster.clone()),
        Target::DirectResponse { .. } => None,
    });
    named.collect()
}
