//! Closes in a kept configuration what now asks for authentication: that outranks keeping it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serin_api::proxy::{Listener, ProxySpec, Route, VirtualHost};

use crate::closed;
use crate::translation::Translation;

/// The kept configuration, with every route in front of it that `current` has closed.
pub(super) fn close(mut kept: ProxySpec, current: &ProxySpec, translation: &Translation) -> ProxySpec {
    for listener in &mut kept.listeners {
        let now = current.listeners.iter().find(|now| now.name == listener.name);
        let all_closed = || {
            let here = |host: &&Arc<VirtualHost>| listener.ssl == translation.tls_only.contains(&host.source);
            translation.closed_hosts.iter().filter(here).cloned().collect()
        };
        let hosts = now.map_or_else(all_closed, |now| now.virtual_hosts.clone());
        if hosts.iter().any(|host| host.routes.iter().any(|route| closed::is_closed(route))) {
            let virtual_hosts = guarded(&listener.virtual_hosts, &hosts);
            *listener = Arc::new(Listener { virtual_hosts, ..Listener::clone(listener) });
        }
    }
    kept
}

/// For every domain of either side, the host that serves it from the kept configuration behind the closed routes of
/// the host that would serve it now.
fn guarded(kept: &[Arc<VirtualHost>], current: &[Arc<VirtualHost>]) -> Vec<Arc<VirtualHost>> {
    let domains: BTreeSet<&str> =
        kept.iter().chain(current).flat_map(|host| &host.domains).map(String::as_str).collect();
    let mut pairs: BTreeMap<(Option<usize>, Option<usize>), Vec<String>> = BTreeMap::new();
    for domain in domains {
        let behind = serving(kept, domain);
        let guard = serving(current, domain)
            .filter(|place| current[*place].routes.iter().any(|route| closed::is_closed(route)));
        // A domain that only the current configuration knows matters only for what it closes.
        let known = behind.is_some_and(|place| kept[place].domains.iter().any(|known| known == domain));
        if known || guard.is_some() {
            pairs.entry((behind, guard)).or_default().push(domain.to_owned());
        }
    }
    pairs
        .into_iter()
        .filter_map(|((behind, guard), domains)| {
            let (behind, guard) = (behind.map(|place| &kept[place]), guard.map(|place| &current[place]));
            match (behind, guard) {
                (Some(behind), None) if behind.domains.len() == domains.len() => Some(behind.clone()),
                (Some(behind), None) => Some(Arc::new(VirtualHost { domains, ..VirtualHost::clone(behind) })),
                (Some(behind), Some(guard)) => {
                    let routes = in_front(&guard.routes, &behind.routes);
                    // Hosts that split up keep apart by the name of the guard.
                    let name = if behind.source == guard.source {
                        behind.name.clone()
                    } else {
                        format!("{} {}", guard.name, behind.name)
                    };
                    Some(Arc::new(VirtualHost { name, domains, routes, ..VirtualHost::clone(behind) }))
                }
                (None, Some(guard)) => {
                    let routes = guard.routes.iter().filter(|route| closed::is_closed(route)).cloned().collect();
                    Some(Arc::new(VirtualHost { domains, routes, ..VirtualHost::clone(guard) }))
                }
                (None, None) => None,
            }
        })
        .collect()
}

/// The place of the host that serves all requests for a domain, which may itself be a pattern.
fn serving(hosts: &[Arc<VirtualHost>], domain: &str) -> Option<usize> {
    let rank = |known: &str| -> Option<(u8, usize)> {
        if known == domain {
            Some((3, known.len()))
        } else if known == "*" {
            Some((0, 0))
        } else if let Some(suffix) = known.strip_prefix('*') {
            // An exact domain or a longer suffix falls under it.
            (domain.len() > suffix.len() && domain.ends_with(suffix)).then_some((2, known.len()))
        } else if let Some(prefix) = known.strip_suffix('*') {
            (!domain.starts_with('*') && domain.len() > prefix.len() && domain.starts_with(prefix))
                .then_some((1, known.len()))
        } else {
            None
        }
    };
    let ranked = hosts
        .iter()
        .enumerate()
        .flat_map(|(place, host)| host.domains.iter().filter_map(move |known| rank(known).map(|rank| (rank, place))));
    ranked.max_by_key(|(rank, _)| *rank).map(|(_, place)| place)
}

/// Merges the closed routes of `guard` into `kept`, so that a request whose first match in `guard` is closed never
/// gets past it: each closed route stands before every kept route that is not a twin of an open route which comes
/// before it in `guard`.
fn in_front(guard: &[Arc<Route>], kept: &[Arc<Route>]) -> Vec<Arc<Route>> {
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    for (place, route) in guard.iter().enumerate().filter(|(_, route)| !closed::is_closed(route)) {
        open.entry(requests(route)).or_insert(place);
    }
    let twins: Vec<usize> =
        kept.iter().map(|route| open.get(&requests(route)).copied().unwrap_or(usize::MAX)).collect();
    let mut merged = Vec::with_capacity(kept.len() + guard.len());
    let mut next = 0;
    for (place, route) in guard.iter().enumerate().filter(|(_, route)| closed::is_closed(route)) {
        while next < kept.len() && twins[next] < place {
            merged.push(kept[next].clone());
            next += 1;
        }
        merged.push(route.clone());
    }
    merged.extend(kept[next..].iter().cloned());
    merged
}

/// What a route matches, as a key.
fn requests(route: &Route) -> String {
    format!("{:?}", route.matchers)
}
