//! From a `ProxySpec` to what workers serve. Virtual hosts that did not change are taken over as they are, so that a
//! change costs what changed.

mod destinations;

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serin_api::ResourceId;
use serin_api::proxy::{ClusterName, Listener, ProxySpec, RoutePolicy, VirtualHost};

pub(crate) use destinations::{DestinationHandle, Destinations};

use crate::access_log::{AccessLogs, LogFiles};
use crate::action::{CompiledAction, WHOLE};
use crate::error::{ApplyError, CompileError, RouteError};
use crate::front::Front;
use crate::metrics::Registry;
use crate::policy::{CompiledHostPolicy, CompiledPolicy};
use crate::router::{HostIndex, Router, RouterBuilder};

/// What one listener serves.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) hosts: HostIndex,
    /// What it does to every request.
    pub(crate) front: Front,
    pub(crate) virtual_hosts: Vec<Arc<CompiledHost>>,
    /// What requests that match nothing are counted under.
    pub(crate) unmatched: u32,
    /// Every cluster by name, for routes that take the name from a header; empty when there is no such route.
    pub(crate) clusters: Arc<FxHashMap<ClusterName, DestinationHandle>>,
    /// Where its requests are logged.
    pub(crate) access_logs: Option<Arc<AccessLogs>>,
    /// The listener's name, for scopes that are made while serving.
    pub(crate) listener: Arc<str>,
}

/// A virtual host's routes.
#[derive(Debug)]
pub(crate) struct CompiledHost {
    pub(crate) router: Router,
    pub(crate) routes: Vec<CompiledRoute>,
    /// The VirtualService.
    pub(crate) source: ResourceId,
    /// The routes' names, apart from what every request reads.
    pub(crate) names: Vec<Arc<str>>,
    /// Keeps the numbers of the destinations that the routes name.
    _used: Vec<DestinationHandle>,
}

/// A route's action. Kept small: with thousands of routes, each request reads one that is in no cache.
#[derive(Debug)]
pub(crate) struct CompiledRoute {
    pub(crate) action: CompiledAction,
    pub(crate) policy: Option<Arc<CompiledPolicy>>,
    /// What responses that no upstream gave are counted under.
    pub(crate) scope: u32,
}

/// Compiles configurations, keeping what it can from the last one.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    log_files: LogFiles,
    pub(crate) destinations: Destinations,
    /// By listener and virtual host: what it was compiled from, and the result.
    hosts: FxHashMap<(String, String), (Arc<VirtualHost>, Arc<CompiledHost>)>,
}

impl Compiler {
    /// The tables of `spec`'s listeners, in their order.
    ///
    /// # Errors
    /// When a route cannot be compiled. The compiler then still holds what it held.
    pub(crate) fn compile(&mut self, spec: &ProxySpec, registry: &Registry) -> Result<Vec<Arc<Table>>, ApplyError> {
        let mut hosts = FxHashMap::default();
        let mut by_header = false;
        let mut compiled = Vec::with_capacity(spec.listeners.len());
        for listener in &spec.listeners {
            let name: Arc<str> = listener.name.as_str().into();
            let mut virtual_hosts = Vec::with_capacity(listener.virtual_hosts.len());
            for host in &listener.virtual_hosts {
                let key = (listener.name.clone(), host.name.clone());
                let result = match self.hosts.get(&key) {
                    Some((from, result)) if Arc::ptr_eq(from, host) || from == host => Arc::clone(result),
                    _ => Arc::new(self.compile_host(&name, host, registry)?),
                };
                by_header |= result.routes.iter().any(|route| matches!(route.action, CompiledAction::ClusterHeader(_)));
                hosts.insert(key, (Arc::clone(host), Arc::clone(&result)));
                virtual_hosts.push(result);
            }
            compiled.push((listener, name, virtual_hosts));
        }
        let clusters = if by_header {
            spec.clusters.keys().map(|name| (name.clone(), self.destinations.handle(name, &WHOLE))).collect()
        } else {
            FxHashMap::default()
        };
        let clusters = Arc::new(clusters);
        self.hosts = hosts;
        Ok(compiled
            .into_iter()
            .map(|(listener, name, virtual_hosts)| {
                Arc::new(Table {
                    hosts: host_index(listener),
                    front: Front::new(&listener.http),
                    virtual_hosts,
                    unmatched: registry.scope(&name, "", ""),
                    clusters: Arc::clone(&clusters),
                    access_logs: self.log_files.open(&listener.access_logs),
                    listener: name,
                })
            })
            .collect())
    }

    fn compile_host(
        &mut self,
        listener: &Arc<str>,
        host: &VirtualHost,
        registry: &Registry,
    ) -> Result<CompiledHost, ApplyError> {
        let mut router = RouterBuilder::default();
        let mut routes = Vec::with_capacity(host.routes.len());
        let (mut names, mut used) = (Vec::with_capacity(host.routes.len()), Vec::new());
        let mut host_policy = None;
        let mut without_own = None;
        for (number, route) in host.routes.iter().enumerate() {
            let at_route = |error| {
                ApplyError::Route(Box::new(RouteError {
                    virtual_host: host.name.clone(),
                    route: route.name.clone(),
                    source_id: route.source.clone(),
                    error,
                }))
            };
            for (index, matcher) in route.matchers.iter().enumerate() {
                router.add(number as u32, matcher).map_err(|error| at_route(CompileError::Matcher { index, error }))?;
            }
            let destinations = &mut self.destinations;
            let action = CompiledAction::new(route, listener, destinations, registry, &mut used).map_err(at_route)?;
            let scope = registry.scope(listener, &route.name, "");
            if let (None, Some(policy)) = (&host_policy, &host.policy) {
                let compiled = Arc::new(CompiledHostPolicy::new(policy).map_err(at_route)?);
                // One for all routes that have no options of their own.
                let alone = CompiledPolicy::new(&RoutePolicy::default(), Some(&compiled)).map_err(at_route)?;
                (host_policy, without_own) = (Some(compiled), Some(Arc::new(alone)));
            }
            let policy = match &route.policy {
                Some(own) => {
                    let policy = CompiledPolicy::new(own, host_policy.as_ref());
                    let policy = policy.and_then(|policy| policy.with_shadow(own, &mut self.destinations));
                    Some(Arc::new(policy.map_err(at_route)?))
                }
                None => without_own.clone(),
            };
            routes.push(CompiledRoute { action, policy, scope });
            names.push(route.name.as_str().into());
        }
        Ok(CompiledHost { router: router.build(), routes, source: host.source.clone(), names, _used: used })
    }
}

fn host_index(listener: &Listener) -> HostIndex {
    let domains = listener
        .virtual_hosts
        .iter()
        .enumerate()
        .flat_map(|(number, host)| host.domains.iter().map(move |domain| (domain.as_str(), number as u32)));
    HostIndex::new(domains, listener.strip_any_host_port)
}
