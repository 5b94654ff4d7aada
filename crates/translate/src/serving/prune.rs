//! Takes out of a kept configuration what has been deleted since: a deletion is a change, not a fault.

use std::sync::Arc;

use serin_api::proxy::{Action, Forward, Listener, ProxySpec, Route, Target, VirtualHost};
use serin_api::{ResourceId, ResourceKind};

use crate::translation::Translation;

/// The configuration without what no longer exists, and without what may no longer be served in plain text.
pub(super) fn without_deleted(spec: &ProxySpec, translation: &Translation) -> ProxySpec {
    let gone = |id: &ResourceId| {
        // Services have no reports; one that is gone has no endpoints.
        !matches!(id.kind, ResourceKind::Service | ResourceKind::Secret) && !translation.reports.contains(id)
    };
    let listeners = spec
        .listeners
        .iter()
        .filter(|listener| !gone(&listener.source))
        .map(|listener| {
            let virtual_hosts = listener
                .virtual_hosts
                .iter()
                .filter(|host| !gone(&host.source) && (listener.ssl || !translation.tls_only.contains(&host.source)))
                .map(|host| {
                    let routes =
                        host.routes.iter().filter_map(|route| pruned(route, spec, translation, &gone)).collect();
                    Arc::new(VirtualHost { routes, ..VirtualHost::clone(host) })
                })
                .collect();
            Arc::new(Listener { virtual_hosts, ..Listener::clone(listener) })
        })
        .collect();
    ProxySpec {
        listeners,
        clusters: spec
            .clusters
            .iter()
            .filter(|(_, cluster)| !gone(&cluster.source))
            .map(|(name, cluster)| (name.clone(), cluster.clone()))
            .collect(),
        sources: spec
            .sources
            .iter()
            .filter(|(id, _)| !gone(id))
            .map(|(id, generation)| (id.clone(), *generation))
            .collect(),
    }
}

fn pruned(
    route: &Arc<Route>,
    spec: &ProxySpec,
    translation: &Translation,
    gone: &dyn Fn(&ResourceId) -> bool,
) -> Option<Arc<Route>> {
    let is_table = |id: &&ResourceId| id.kind != ResourceKind::UpstreamGroup;
    if gone(&route.source) || route.via.iter().filter(is_table).any(gone) {
        return None;
    }
    if route.via.iter().any(gone) {
        let action = translation.policy.action();
        return Some(Arc::new(Route { action, ..Route::clone(route) }));
    }
    let Action::Forward(Forward::Weighted(targets)) = &route.action else { return Some(route.clone()) };
    let is_gone = |target: &Target| match target {
        Target::Cluster { cluster, .. } => spec.clusters.get(cluster).is_none_or(|cluster| gone(&cluster.source)),
        Target::DirectResponse { .. } => false,
    };
    if !targets.iter().any(|weighted| is_gone(&weighted.target)) {
        return Some(route.clone());
    }
    let mut targets = targets.clone();
    for weighted in targets.iter_mut().filter(|weighted| is_gone(&weighted.target)) {
        weighted.target = translation.policy.target();
    }
    let action = Action::Forward(Forward::Weighted(targets));
    Some(Arc::new(Route { action, ..Route::clone(route) }))
}
