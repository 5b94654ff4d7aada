//! Keeps the parts of a configuration that did not change, so that a data plane can tell them by their address and a
//! change costs what changed.

use std::collections::HashMap;
use std::sync::Arc;

use serin_api::proxy::{Listener, ProxySpec, Route, VirtualHost};

/// `new`, with every part that is equal to one of `old` replaced by that.
pub(super) fn unchanged(old: &Arc<ProxySpec>, new: &Arc<ProxySpec>) -> Arc<ProxySpec> {
    if Arc::ptr_eq(old, new) {
        return new.clone();
    }
    let listeners: Vec<Arc<Listener>> = new
        .listeners
        .iter()
        .map(|listener| match old.listeners.iter().find(|before| before.name == listener.name) {
            Some(before) => same_listener(before, listener),
            None => listener.clone(),
        })
        .collect();
    let clusters = new
        .clusters
        .iter()
        .map(|(name, cluster)| {
            let before = old.clusters.get(name).filter(|before| *before == cluster);
            (name.clone(), before.unwrap_or(cluster).clone())
        })
        .collect();
    let spec = ProxySpec { listeners, clusters, sources: new.sources.clone() };
    if spec == **old { old.clone() } else { Arc::new(spec) }
}

fn same_listener(old: &Arc<Listener>, new: &Arc<Listener>) -> Arc<Listener> {
    let before: HashMap<&str, &Arc<VirtualHost>> =
        old.virtual_hosts.iter().map(|host| (host.name.as_str(), host)).collect();
    let virtual_hosts: Vec<_> = new
        .virtual_hosts
        .iter()
        .map(|host| match before.get(host.name.as_str()) {
            Some(before) => same_host(before, host),
            None => host.clone(),
        })
        .collect();
    let listener = Listener { virtual_hosts, ..Listener::clone(new) };
    if listener == **old { old.clone() } else { Arc::new(listener) }
}

fn same_host(old: &Arc<VirtualHost>, new: &Arc<VirtualHost>) -> Arc<VirtualHost> {
    let mut before: HashMap<&str, Vec<&Arc<Route>>> = HashMap::with_capacity(old.routes.len());
    for route in &old.routes {
        before.entry(&route.name).or_default().push(route);
    }
    let same = |route: &Arc<Route>| {
        // Names are mostly unique; of many routes of one name only the first few are compared.
        before.get(route.name.as_str()).and_then(|alike| alike.iter().take(8).find(|before| **before == route))
    };
    let routes: Vec<Arc<Route>> =
        new.routes.iter().map(|route| same(route).map_or_else(|| route.clone(), |before| (*before).clone())).collect();
    let all_the_same = routes.len() == old.routes.len()
        && routes.iter().zip(&old.routes).all(|(route, before)| Arc::ptr_eq(route, before))
        && (&new.name, &new.source, &new.domains) == (&old.name, &old.source, &old.domains);
    if all_the_same { old.clone() } else { Arc::new(VirtualHost { routes, ..VirtualHost::clone(new) }) }
}
