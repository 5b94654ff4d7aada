//! The routes of one resource, looked at once: everything about them that does not depend on who delegates to them.

use std::borrow::Cow;
use std::sync::Arc;

use serin_api::gateway;
use serin_api::proxy::{Action, Forward, Route, RoutePolicy};
use serin_api::{ResourceId, ResourceKind, Written};

use crate::action::Actions;
use crate::destination::{Destinations, Notes, Problem, Severity};
use crate::field_path::FieldPath;
use crate::matcher::{self, Checked};
use crate::options::{self, Options};
use crate::policy::InvalidPolicy;
use crate::report::Finding;
use crate::route_policy;
use crate::selection::{self, Selection};
use crate::shadowing;
use crate::snapshot::Resource;
use crate::stickiness;
use crate::view::TableIndex;

/// A route, looked at.
pub(crate) struct Compiled<'a> {
    pub(crate) written: &'a gateway::Route,
    /// Its place in the list.
    pub(crate) index: usize,
    pub(crate) matchers: Vec<Checked<'a>>,
    /// Its own options, and those it takes over from RouteOptions.
    pub(crate) options: Option<Cow<'a, Options>>,
    /// Whether options that it takes over cannot be read, so that nobody knows what they ask for.
    pub(crate) options_unknown: bool,
    /// What its options come to when nothing comes down from a parent. Nothing: one of them is at fault.
    pub(crate) policy: Option<MergedPolicy>,
    pub(crate) step: Step,
    /// What is to be said of it, apart from its paths.
    pub(crate) findings: Vec<Arc<Finding>>,
    /// Upstreams, groups and options whose findings concern whoever reaches this route.
    pub(crate) uses: Vec<&'a ResourceId>,
}

impl Compiled<'_> {
    /// Its name in messages and metrics: its own, else where it is.
    pub(crate) fn name(&self, id: &ResourceId) -> String {
        name(id, self.written, self.index)
    }

    /// Its path in the resource that holds it.
    pub(crate) fn path(&self, id: &ResourceId) -> String {
        let list = if id.kind == ResourceKind::VirtualService { "spec.virtualHost" } else { "spec" };
        format!("{list}.routes[{}]", self.index)
    }
}

fn name(id: &ResourceId, route: &gateway::Route, index: usize) -> String {
    if route.name.is_empty() { format!("{}.{}[{index}]", id.namespace, id.name) } else { route.name.clone() }
}

/// A route's options in the flattened model's terms; `None` where none says anything.
pub(crate) type MergedPolicy = Option<Arc<RoutePolicy>>;

/// What comes after a route has matched.
pub(crate) enum Step {
    /// Its own action, or what takes its place: the route as it is served when nothing comes down from a parent and no
    /// matcher is at fault.
    Act(Arc<Route>),
    /// The routes of other tables.
    Delegate(Selection),
}

/// What routes are looked at against.
pub(crate) struct Compiler<'a> {
    pub(crate) actions: &'a Actions<'a>,
    pub(crate) index: &'a TableIndex<'a>,
}

impl<'a> Compiler<'a> {
    /// Looks at the routes of one resource. `list` is where they are, such as `spec`.
    pub(crate) fn routes<T>(
        &self,
        resource: &'a Resource<T>,
        routes: &'a [gateway::Route],
        list: &FieldPath<'_>,
    ) -> Vec<Compiled<'a>> {
        let id = &resource.id;
        routes
            .iter()
            .enumerate()
            .map(|(at, route)| self.route(id, &resource.unimplemented, route, at, &list.element("routes", at)))
            .collect()
    }

    fn route(
        &self,
        id: &'a ResourceId,
        unimplemented: &[String],
        route: &'a gateway::Route,
        index: usize,
        at: &FieldPath<'_>,
    ) -> Compiled<'a> {
        let mut findings = Vec::new();
        let matchers: Vec<_> = route
            .matchers
            .iter()
            .enumerate()
            .map(|(place, matcher)| matcher::check(id, matcher, &at.element("matchers", place), &mut findings))
            .collect();
        let mut uses = Vec::new();
        let (options, options_unknown, policy) = self.options(id, route, at, &mut findings, &mut uses);
        let step = match &route.delegate_action {
            Some(delegate) => self.delegate(id, route, index, delegate, at, &mut findings),
            None => {
                let mut whole = self.act(id, unimplemented, route, index, at, &mut findings, &mut uses);
                apply(policy.clone(), &mut whole, &self.actions.view.policy, self.actions.destinations);
                Step::Act(Arc::new(whole))
            }
        };
        Compiled { written: route, index, matchers, options, options_unknown, policy, step, findings, uses }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one route")]
    fn act(
        &self,
        id: &ResourceId,
        unimplemented: &[String],
        route: &gateway::Route,
        index: usize,
        at: &FieldPath<'_>,
        findings: &mut Vec<Arc<Finding>>,
        uses: &mut Vec<&'a ResourceId>,
    ) -> Route {
        let mut notes = Notes::default();
        let mut resolved = self.actions.resolve(id, route, at, unimplemented, &mut notes);
        let mut stickiness = None;
        let multi = route.route_action.as_ref().and_then(|action| action.multi.as_ref());
        if let (Some(written), Some(Action::Forward(Forward::Weighted(targets)))) =
            (multi.and_then(|multi| multi.stickiness.as_ref()), &resolved)
        {
            let at = at.field("routeAction");
            let at = at.field("multi");
            stickiness = stickiness::of(written, id, targets, &at.field("stickiness"), &mut notes);
            if stickiness.is_none() {
                resolved = None;
            }
        }
        findings.extend(notes.problems.into_iter().map(|problem| Arc::new(problem.on_route(id))));
        uses.append(&mut notes.uses);
        let group = route.route_action.as_ref().and_then(|action| action.upstream_group.as_ref());
        let via = group
            .filter(|_| resolved.is_some())
            .map(|group| ResourceId::new(ResourceKind::UpstreamGroup, &group.namespace, &group.name));
        Route {
            name: name(id, route, index),
            source: id.clone(),
            via: via.into_iter().collect(),
            matchers: if route.matchers.is_empty() { vec![matcher::everything()] } else { route.matchers.clone() },
            action: resolved.unwrap_or_else(|| self.actions.view.policy.action()),
            policy: None,
            stickiness,
        }
    }

    /// A route that cannot delegate as it is written is replaced.
    fn delegate(
        &self,
        id: &ResourceId,
        route: &gateway::Route,
        index: usize,
        delegate: &gateway::DelegateAction,
        at: &FieldPath<'_>,
        findings: &mut Vec<Arc<Finding>>,
    ) -> Step {
        let mut fault = |reason: &str| {
            let message = format!("{at}: invalid route: {reason}");
            findings.push(Arc::new(Finding::error(id, at.to_string(), message)));
            Step::Act(Arc::new(Route {
                name: name(id, route, index),
                source: id.clone(),
                via: Vec::new(),
                matchers: if route.matchers.is_empty() { vec![matcher::everything()] } else { route.matchers.clone() },
                action: self.actions.view.policy.action(),
                policy: None,
                stickiness: None,
            }))
        };
        if route.route_action.is_some() || route.redirect_action.is_some() || route.direct_response_action.is_some() {
            return fault("a route has one action, keep only one of them");
        }
        let named = delegate.reference.is_some() || !delegate.name.is_empty() || !delegate.namespace.is_empty();
        if named && delegate.selector.is_some() {
            return fault("a route delegates by ref or by selector, keep only one of them");
        }
        match route.matchers.as_slice() {
            [] => {}
            [matcher] => {
                if matcher::has_path(matcher) && matcher.prefix.as_deref().is_none_or(str::is_empty) {
                    return fault("routes with delegate actions must use a prefix matcher");
                }
            }
            _ => return fault("routes with delegate actions must omit or specify a single matcher"),
        }
        let at = at.field("delegateAction");
        Step::Delegate(selection::select(self.actions.view, self.index, id, delegate, &at, findings))
    }

    fn options(
        &self,
        id: &ResourceId,
        route: &'a gateway::Route,
        at: &FieldPath<'_>,
        findings: &mut Vec<Arc<Finding>>,
        uses: &mut Vec<&'a ResourceId>,
    ) -> (Option<Cow<'a, Options>>, bool, Option<MergedPolicy>) {
        let own = options::map(route.options.as_ref());
        let (own_policy, faults) = match route_policy::of(own) {
            Ok(policy) => (Some(policy), Vec::new()),
            Err(faults) => (None, faults),
        };
        for fault in faults {
            let path = format!("{}.{}", at.field("options"), fault.field);
            let problem = Problem { severity: Severity::Malformed, reason: fault.reason, path };
            findings.push(Arc::new(problem.on_route(id)));
        }
        shadowing::look_up(self.actions.destinations, own, id, at, findings, uses);
        let view = self.actions.view;
        let all = &view.snapshot.route_options;
        let mut merged = own.map(Cow::Borrowed);
        let mut unknown = false;
        let refs = route.options_config_refs.iter().flat_map(|refs| &refs.delegate_options);
        for (place, reference) in refs.enumerate() {
            let kind = ResourceKind::RouteOption;
            let at = at.field("optionsConfigRefs");
            let at = at.element("delegateOptions", place);
            let found = view.find(all, reference).map(|option| (&option.id, option.spec.options.as_ref()));
            if let Some((shared, options)) = found {
                let spec = FieldPath::root("spec");
                let faults = route_policy::of(options::map(options)).err().into_iter().flatten();
                findings.extend(faults.map(|fault| Arc::new(fault.on(shared, &spec.field("options")))));
                let destinations = self.actions.destinations;
                shadowing::look_up(destinations, options::map(options), shared, &spec, findings, uses);
            }
            merged = self.take_over(id, kind, reference, found, &at, merged, findings, uses, &mut unknown);
        }
        // Without shared options what is merged is the route's own.
        let policy = match &route.options_config_refs {
            None => own_policy,
            Some(_) => route_policy::of(merged.as_deref()).ok(),
        };
        (merged, unknown, policy)
    }

    /// Takes over shared options where the options so far are silent.
    #[expect(clippy::too_many_arguments, reason = "one step of a fold, used for routes and for hosts")]
    pub(crate) fn take_over<T>(
        &self,
        id: &ResourceId,
        kind: ResourceKind,
        reference: &serin_api::Ref,
        found: Option<(&'a ResourceId, Option<&'a Written<T>>)>,
        at: &FieldPath<'_>,
        merged: Option<Cow<'a, Options>>,
        findings: &mut Vec<Arc<Finding>>,
        uses: &mut Vec<&'a ResourceId>,
        unknown: &mut bool,
    ) -> Option<Cow<'a, Options>> {
        match found {
            Some((shared, options)) => {
                uses.push(shared);
                options::merge(merged, options::map(options))
            }
            None => {
                let finding = match self.actions.view.unreadable(kind, reference) {
                    Some((shared, unreadable)) => {
                        *unknown = true;
                        uses.push(shared);
                        let reason = &unreadable.reason;
                        let closed = "what it belongs to answers 403, as it may ask for authentication";
                        Finding::error(
                            id,
                            at.to_string(),
                            format!("{at}: {kind} {reference} cannot be read: {reason}; {closed}"),
                        )
                    }
                    None => Finding::left_out(id, at.to_string(), format!("{at}: {kind} {reference} not found")),
                };
                findings.push(Arc::new(finding));
                merged
            }
        }
    }
}

/// Gives a route its options. A route that forwards and has one at fault is replaced; a redirect or a direct response
/// never is.
pub(crate) fn apply(
    policy: Option<MergedPolicy>,
    route: &mut Route,
    invalid: &InvalidPolicy,
    destinations: &Destinations<'_>,
) {
    match policy {
        Some(policy) => route.policy = policy.and_then(|policy| shadowing::without_missing(policy, destinations)),
        None if matches!(route.action, Action::Forward(_)) => route.action = invalid.action(),
        None => {}
    }
}
