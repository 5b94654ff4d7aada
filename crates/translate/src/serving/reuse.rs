//! Keeps the parts of a configuration that did not change, so that a data plane can tell them by their address and a
//! change costs what changed.

use std::sync::Arc;

use rustc_hash::FxHashMap;
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
    let same_clusters =
        || spec.clusters.len() == old.clusters.len() && alike(spec.clusters.values(), old.clusters.values());
    let same = alike(&spec.listeners, &old.listeners) && same_clusters() && spec.sources == old.sources;
    if same { old.clone() } else { Arc::new(spec) }
}

/// Whether two lists hold the very same parts.
fn alike<'p, T: 'p>(
    new: impl IntoIterator<Item = &'p Arc<T>, IntoIter: ExactSizeIterator>,
    old: impl IntoIterator<Item = &'p Arc<T>, IntoIter: ExactSizeIterator>,
) -> bool {
    let (new, old) = (new.into_iter(), old.into_iter());
    new.len() == old.len() && new.zip(old).all(|(new, old)| Arc::ptr_eq(new, old))
}

fn same_listener(old: &Arc<Listener>, new: &Arc<Listener>) -> Arc<Listener> {
    let before: FxHashMap<&str, &Arc<VirtualHost>> =
        old.virtual_hosts.iter().map(|host| (host.name.as_str(), host)).collect();
    let virtual_hosts: Vec<_> = new
        .virtual_hosts
        .iter()
        .map(|host| match before.get(host.name.as_str()) {
            Some(before) => same_host(before, host),
            None => host.clone(),
        })
        .collect();
    let listener = Listener {
        virtual_hosts,
        name: new.name.clone(),
        source: new.source.clone(),
        bind_address: new.bind_address.clone(),
        tls: new.tls.iter().map(|tls| old.tls.iter().find(|before| *before == tls).unwrap_or(tls).clone()).collect(),
        access_logs: new.access_logs.clone(),
        http: new.http.clone(),
        ..**new
    };
    let same = alike(&listener.virtual_hosts, &old.virtual_hosts)
        && alike(&listener.tls, &old.tls)
        && (&listener.source, &listener.bind_address, listener.bind_port)
            == (&old.source, &old.bind_address, old.bind_port)
        && (listener.ssl, listener.strip_any_host_port) == (old.ssl, old.strip_any_host_port)
        && (&listener.http, &listener.access_logs) == (&old.http, &old.access_logs);
    if same { old.clone() } else { Arc::new(listener) }
}

fn same_host(old: &Arc<VirtualHost>, new: &Arc<VirtualHost>) -> Arc<VirtualHost> {
    // Most routes stay where they were. Those that moved are found by name, which is mostly unique: of many routes of
    // one name only the last one is compared.
    let mut by_name: Option<FxHashMap<&str, usize>> = None;
    let mut shift = 0;
    let mut same = |place: usize, route: &Arc<Route>| {
        let near = old.routes.get(place.saturating_add_signed(shift));
        if let Some(before) = near.filter(|before| *before == route) {
            return before.clone();
        }
        let by_name = by_name.get_or_insert_with(|| {
            old.routes.iter().enumerate().map(|(place, route)| (route.name.as_str(), place)).collect()
        });
        match by_name.get(route.name.as_str()).map(|before| (*before, &old.routes[*before])) {
            Some((before, found)) if found == route => {
                // What follows a route that moved has moved with it.
                shift = before as isize - place as isize;
                found.clone()
            }
            _ => route.clone(),
        }
    };
    let routes: Vec<Arc<Route>> = new.routes.iter().enumerate().map(|(place, route)| same(place, route)).collect();
    // Named one by one, so that a field that is new cannot be forgotten here.
    let VirtualHost { name, source, domains, routes: _, policy } = &**new;
    let unchanged = alike(&routes, &old.routes)
        && (name, source, domains, policy) == (&old.name, &old.source, &old.domains, &old.policy);
    if unchanged {
        return old.clone();
    }
    Arc::new(VirtualHost {
        routes,
        name: name.clone(),
        source: source.clone(),
        domains: domains.clone(),
        policy: policy.clone(),
    })
}
