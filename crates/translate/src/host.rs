//! VirtualServices: a flat list of routes for a set of domains.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serin_api::gateway::VirtualServiceSpec;
use serin_api::proxy::{Action, HostPolicy, Route, ServerTls};
use serin_api::{ResourceId, ResourceKind};

use crate::closed;
use crate::compile::Compiler;
use crate::domain;
use crate::field_path::FieldPath;
use crate::flatten::{Forest, HostOptions};
use crate::host_policy;
use crate::matcher;
use crate::options;
use crate::report::Finding;
use crate::snapshot::Resource;
use crate::tls;

/// A VirtualService, flattened, before it is known which Gateways serve it.
pub(crate) struct Host<'a> {
    pub(crate) resource: &'a Arc<Resource<VirtualServiceSpec>>,
    /// Its domains, in lower case, each once.
    pub(crate) domains: Vec<String>,
    /// How its clients are to be spoken with, where that is TLS and can be done.
    pub(crate) tls: Option<ServerTls>,
    pub(crate) routes: Vec<Arc<Route>>,
    /// What its options come to.
    pub(crate) policy: Option<Arc<HostPolicy>>,
    /// The tables it reaches, by their places in the index.
    pub(crate) tables: BTreeSet<usize>,
    /// Everything else it reaches.
    pub(crate) uses: Vec<&'a ResourceId>,
    pub(crate) findings: Vec<Arc<Finding>>,
}

impl Host<'_> {
    /// Whether it asks for TLS, so that it is never served in plain text.
    pub(crate) fn is_tls(&self) -> bool {
        self.resource.spec.ssl_config.is_some()
    }
}

/// Flattens one VirtualService.
pub(crate) fn flatten<'a>(
    compiler: &Compiler<'a>,
    forest: &Forest<'a>,
    resource: &'a Arc<Resource<VirtualServiceSpec>>,
) -> Host<'a> {
    let id = &resource.id;
    let written = &resource.spec.virtual_host;
    let spec = FieldPath::root("spec");
    let at = spec.field("virtualHost");
    let mut findings = Vec::new();
    let mut uses = Vec::new();

    let view = compiler.actions.view;
    let mut unknown = false;
    let mut merged = options::map(written.options.as_ref()).map(Cow::Borrowed);
    for fault in host_policy::of(merged.as_deref()).err().into_iter().flatten() {
        findings.push(Arc::new(fault.on(id, &at.field("options"))));
    }
    let refs = written.options_config_refs.iter().flat_map(|refs| &refs.delegate_options);
    for (place, reference) in refs.enumerate() {
        let at = at.field("optionsConfigRefs");
        let at = at.element("delegateOptions", place);
        let found = view
            .find(&view.snapshot.virtual_host_options, reference)
            .map(|shared| (&shared.id, shared.spec.options.as_ref()));
        if let Some((shared, options)) = found {
            for fault in host_policy::of(options::map(options)).err().into_iter().flatten() {
                findings.push(Arc::new(fault.on(shared, &spec.field("options"))));
            }
        }
        let kind = ResourceKind::VirtualHostOption;
        merged = compiler.take_over(id, kind, reference, found, &at, merged, &mut findings, &mut uses, &mut unknown);
    }

    let compiled = compiler.routes(resource, &written.routes, &at);
    let host = HostOptions::new(merged.as_deref(), unknown, view.settings.map(|settings| &settings.spec));
    let mut flat = forest.flatten(id, &compiled, &host);
    let policy = host_policy::of(merged.as_deref());
    if policy.is_err() {
        // What the options ask for is not known, and it may be what keeps something from leaking.
        for route in &mut flat.routes {
            if matches!(route.action, Action::Forward(_)) {
                let action = view.policy.action();
                *route = Arc::new(Route { action, policy: None, ..Route::clone(route) });
            }
        }
    }
    if host.closed {
        flat.routes.push(Arc::new(closed_remainder(id)));
    }
    findings.append(&mut flat.findings);
    let domains = domain::of(id, &written.domains, &mut findings);
    let tls = tls::of(view.snapshot, resource, &domains, &mut findings);
    flat.uses.extend(uses);
    let policy = policy.unwrap_or_default();
    Host { resource, domains, tls, routes: flat.routes, policy, tables: flat.tables, uses: flat.uses, findings }
}

/// Closes what no route of a closed host matches.
pub(crate) fn closed_remainder(id: &ResourceId) -> Route {
    let action: Action = closed::action();
    let name = format!("{}.{}", id.namespace, id.name);
    Route {
        name,
        source: id.clone(),
        via: Vec::new(),
        matchers: vec![matcher::everything()],
        action,
        policy: None,
        stickiness: None,
    }
}
