//! From a VirtualService's tree of tables to one flat list of routes, depth first, in order.

mod inherit;
mod parent_check;
mod sort;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serin_api::ResourceId;
use serin_api::gateway::Matcher;
use serin_api::gloo::SettingsSpec;
use serin_api::proxy::{Action, Route};

use crate::closed;
use crate::compile::{Compiled, MergedPolicy, Step, apply};
use crate::destination::Destinations;
use crate::matcher::{self, Checked, PathState};
use crate::options::{self, Options};
use crate::policy::InvalidPolicy;
use crate::report::Finding;
use crate::route_policy;
use crate::selection::{Selection, weight};
use crate::view::TableIndex;

/// The most routes that one VirtualService may come to, counting those that are left out: tables that delegate to
/// each other many times over multiply.
pub const MAX_ROUTES: usize = 200_000;
/// The most tables on one branch.
pub const MAX_DEPTH: usize = 32;

/// A tree, flattened.
#[derive(Default)]
pub(crate) struct Flat<'a> {
    /// The routes, in order.
    pub(crate) routes: Vec<Arc<Route>>,
    /// The tables that were entered.
    pub(crate) tables: BTreeSet<usize>,
    /// Upstreams, groups and options that a route in the tree uses.
    pub(crate) uses: Vec<&'a ResourceId>,
    /// What came up on the way, each once. Each is for the resource at fault and for the VirtualService.
    pub(crate) findings: Vec<Arc<Finding>>,
}

/// What trees are flattened with.
pub(crate) struct Forest<'a> {
    pub(crate) index: &'a TableIndex<'a>,
    /// The routes of each table, in the order of the index.
    pub(crate) tables: &'a [Vec<Compiled<'a>>],
    pub(crate) policy: &'a InvalidPolicy,
    pub(crate) destinations: &'a Destinations<'a>,
}

/// The options of a host, which hold where a route is silent.
pub(crate) struct HostOptions<'h> {
    options: Option<&'h Options>,
    settings: Option<&'h SettingsSpec>,
    /// Whether some of them cannot be read, so that nobody knows what they ask for.
    unknown: bool,
    /// Whether a route without options is closed.
    pub(crate) closed: bool,
}

impl<'h> HostOptions<'h> {
    pub(crate) fn new(options: Option<&'h Options>, unknown: bool, settings: Option<&'h SettingsSpec>) -> Self {
        Self { options, settings, unknown, closed: unknown || closed::asks(settings, &[options]) }
    }

    /// Whether a route with these options is closed.
    fn closes(&self, route: Option<&Options>) -> bool {
        match route {
            None => self.closed,
            route => self.unknown || closed::asks(self.settings, &[self.options, route]),
        }
    }
}

/// What a delegating route hands down.
struct Parent<'p> {
    matcher: &'p Matcher,
    /// Whether its headers and query parameters can be compared at all.
    conditions_hold: bool,
    options: Option<&'p Options>,
    options_unknown: bool,
    inherits_conditions: bool,
    inherits_path: bool,
}

struct Walk<'w, 'a> {
    forest: &'w Forest<'a>,
    host: &'w HostOptions<'w>,
    flat: Flat<'a>,
    used: FxHashSet<*const ResourceId>,
    seen: FxHashSet<*const Finding>,
    said: FxHashSet<String>,
    /// The tables from the root down to where we are.
    branch: Vec<usize>,
    left: usize,
}

impl<'a> Forest<'a> {
    /// Flattens the tree below the routes of a VirtualService.
    pub(crate) fn flatten(
        &self,
        virtual_service: &ResourceId,
        routes: &[Compiled<'a>],
        host: &HostOptions<'_>,
    ) -> Flat<'a> {
        let mut walk = Walk {
            forest: self,
            host,
            flat: Flat::default(),
            used: FxHashSet::default(),
            seen: FxHashSet::default(),
            said: FxHashSet::default(),
            branch: Vec::new(),
            left: MAX_ROUTES,
        };
        let routes = walk.resource(virtual_service, routes, None);
        walk.flat.routes = routes;
        walk.flat
    }
}

impl<'a> Walk<'_, 'a> {
    fn resource(&mut self, id: &ResourceId, routes: &[Compiled<'a>], parent: Option<&Parent<'_>>) -> Vec<Arc<Route>> {
        let mut out = Vec::with_capacity(routes.len());
        for route in routes {
            if self.left == 0 {
                self.say(Finding::error(
                    id,
                    "spec",
                    format!(
                        "the tree of tables comes to more than {MAX_ROUTES} routes at {} {}: the rest is not served; \
                         delegate to this table from fewer places",
                        id.kind,
                        id.reference()
                    ),
                ));
                break;
            }
            self.left -= 1;
            self.route(id, route, parent, &mut out);
        }
        out
    }

    fn route(&mut self, id: &ResourceId, route: &Compiled<'a>, parent: Option<&Parent<'_>>, out: &mut Vec<Arc<Route>>) {
        let inherits = inherit::Inherits::of(route, parent);
        // A route that nothing is handed down to is looked at as it is written, without a copy.
        let handed = inherits.anything().then(|| inherit::matchers(route, parent, inherits));
        if let Some(reason) = parent.and_then(|parent| outside(route, handed.as_deref(), parent)) {
            let message = format!("{reason}. Route Name: {}", route.name(id));
            self.say(Finding::left_out(id, route.path(id), message));
            return;
        }
        for finding in &route.findings {
            self.note(finding);
        }
        if !inherits.overrides_path() {
            for finding in route.matchers.iter().filter_map(|checked| checked.path_finding.as_ref()) {
                // Whether a path is missing shows only here: a delegate matcher may go without.
                let missing = route.matchers.iter().any(|checked| checked.path == PathState::Missing);
                if !(missing && matches!(route.step, Step::Delegate(_))) {
                    self.note(finding);
                }
            }
        }
        for used in &route.uses {
            if self.used.insert(std::ptr::from_ref(*used)) {
                self.flat.uses.push(used);
            }
        }
        let unknown = route.options_unknown || parent.is_some_and(|parent| parent.options_unknown);
        let inherited = parent.and_then(|parent| parent.options);
        let own = route.options.as_ref().map(|options| Cow::Borrowed(options.as_ref()));
        let staged =
            options::inherit_transformations(own, if parent.is_some() { inherited } else { self.host.options });
        let effective = options::merge(staged, inherited);
        match &route.step {
            Step::Act(whole) => {
                let closed = unknown || self.host.closes(effective.as_deref());
                let as_written = !closed && handed.is_none() && self.branch.len() < 2 && inherited.is_none();
                if as_written && route.matchers.iter().all(Checked::is_fine) {
                    out.push(whole.clone());
                } else {
                    let handed = handed.unwrap_or_else(|| inherit::matchers(route, parent, inherits));
                    let within = parent.map_or("/", |parent| parent.matcher.prefix.as_deref().unwrap_or("/"));
                    let policy = match inherited {
                        None => route.policy.clone(),
                        Some(_) => route_policy::of(effective.as_deref()).ok(),
                    };
                    out.extend(self.leaf(id, whole, &handed, closed, within, policy));
                }
            }
            Step::Delegate(selection) => {
                let handed = handed.unwrap_or_else(|| inherit::matchers(route, parent, inherits));
                let default = matcher::everything();
                let (own, conditions_hold) = match handed.first() {
                    // As in Gloo, a delegate matcher without a path counts as plain `/`, its conditions included.
                    Some(handed) if handed.path != PathState::Missing => {
                        (handed.matcher.as_ref(), handed.conditions_hold)
                    }
                    _ => (&default, true),
                };
                let handed_down = Parent {
                    matcher: own,
                    conditions_hold,
                    options: effective.as_deref(),
                    options_unknown: unknown,
                    inherits_conditions: inherits.conditions,
                    inherits_path: inherits.path,
                };
                self.delegate(id, route, selection, &handed_down, out);
            }
        }
    }

    fn delegate(
        &mut self,
        id: &ResourceId,
        route: &Compiled<'a>,
        selection: &Selection,
        parent: &Parent<'_>,
        out: &mut Vec<Arc<Route>>,
    ) {
        let tables = self.forest.index.tables();
        let by_weight =
            selection.tables.chunk_by(|a, b| weight(tables[*a].spec.weight) == weight(tables[*b].spec.weight));
        for group in by_weight {
            let mut merged = Vec::new();
            for table in group {
                match self.enter(id, route, *table, parent) {
                    Ok(mut routes) => merged.append(&mut routes),
                    Err(replaced) => merged.push(replaced),
                }
            }
            if group.len() > 1 {
                sort::most_specific_first(&mut merged);
            }
            out.append(&mut merged);
        }
        if !selection.unreadable.is_empty() {
            out.push(self.in_place_of_table(id, route, parent));
        }
    }

    /// The routes of a table, or what stands in for them where it cannot be entered.
    fn enter(
        &mut self,
        id: &ResourceId,
        route: &Compiled<'a>,
        table: usize,
        parent: &Parent<'_>,
    ) -> Result<Vec<Arc<Route>>, Arc<Route>> {
        let tables = self.forest.index.tables();
        if self.branch.contains(&table) {
            let path: Vec<String> = self
                .branch
                .iter()
                .chain([&table])
                .map(|table| format!("[{}]", tables[*table].id.reference()))
                .collect();
            let message = format!("invalid route: delegation cycle detected: {}", path.join(" -> "));
            self.say(Finding::error(&tables[table].id, "spec.routes", message.clone()));
            if tables[table].id != *id {
                self.say(Finding::error(id, route.path(id), message));
            }
            return Err(self.in_place_of_table(id, route, parent));
        }
        if self.branch.len() >= MAX_DEPTH {
            let message = format!(
                "delegation goes more than {MAX_DEPTH} tables deep at RouteTable {}: it is not entered",
                tables[table].id.reference()
            );
            self.say(Finding::error(id, route.path(id), message));
            return Err(self.in_place_of_table(id, route, parent));
        }
        self.flat.tables.insert(table);
        self.branch.push(table);
        let forest = self.forest;
        let routes = self.resource(&tables[table].id, &forest.tables[table], Some(parent));
        self.branch.pop();
        Ok(routes)
    }

    /// The route that takes the place of a whole table: what the delegating route matches.
    fn in_place_of_table(&self, id: &ResourceId, route: &Compiled<'a>, parent: &Parent<'_>) -> Arc<Route> {
        let closed = parent.options_unknown || self.host.closes(parent.options);
        let mut matcher = parent.matcher.clone();
        if !parent.conditions_hold {
            matcher.headers.clear();
            matcher.query_parameters.clear();
        }
        Arc::new(Route {
            name: route.name(id),
            source: id.clone(),
            via: self.via(id),
            matchers: vec![matcher],
            action: if closed { closed::action() } else { self.forest.policy.action() },
            policy: None,
            stickiness: None,
        })
    }

    /// A route that is not served as it is written: because it inherits, is closed, or has a matcher at fault.
    fn leaf(
        &self,
        id: &ResourceId,
        whole: &Route,
        handed: &[inherit::Handed<'_>],
        closed: bool,
        within: &str,
        policy: Option<MergedPolicy>,
    ) -> Option<Arc<Route>> {
        let fine = handed.iter().all(|handed| handed.path == PathState::Fine && handed.conditions_hold);
        let matchers: Vec<Matcher> = if fine {
            handed.iter().map(|handed| handed.matcher.clone().into_owned()).collect()
        } else if closed {
            handed
                .iter()
                .map(|handed| matcher::widen(&handed.matcher, handed.path, handed.conditions_hold, within))
                .collect()
        } else {
            handed.iter().filter_map(inherit::Handed::still_matches).collect()
        };
        if matchers.is_empty() {
            return None;
        }
        let action = match &whole.action {
            _ if closed => closed::action(),
            // A redirect or a direct response is never replaced.
            Action::Forward(_) if !fine => self.forest.policy.action(),
            action => action.clone(),
        };
        let mut via = self.via(id);
        via.extend(whole.via.iter().cloned());
        let stickiness = whole.stickiness.clone();
        let mut leaf =
            Route { name: whole.name.clone(), source: id.clone(), via, matchers, action, policy: None, stickiness };
        if !closed {
            apply(policy, &mut leaf, self.forest.policy, self.forest.destinations);
        }
        Some(Arc::new(leaf))
    }

    /// The tables above `id` on this branch.
    fn via(&self, id: &ResourceId) -> Vec<ResourceId> {
        let tables = self.forest.index.tables();
        self.branch.iter().map(|table| &tables[*table].id).filter(|table| *table != id).cloned().collect()
    }

    fn note(&mut self, finding: &Arc<Finding>) {
        if self.seen.insert(Arc::as_ptr(finding)) {
            self.flat.findings.push(finding.clone());
        }
    }

    fn say(&mut self, finding: Finding) {
        if self.said.insert(format!("{} {} {}", finding.source, finding.path, finding.message)) {
            self.flat.findings.push(Arc::new(finding));
        }
    }
}

/// Why a route is outside what its parent delegates; `None` when it is inside.
fn outside(route: &Compiled<'_>, handed: Option<&[inherit::Handed<'_>]>, parent: &Parent<'_>) -> Option<String> {
    match handed {
        Some(handed) => handed.iter().find_map(|handed| parent_check::outside(&handed.matcher, parent.matcher)),
        None if route.matchers.is_empty() => parent_check::outside(&matcher::everything(), parent.matcher),
        None => route.matchers.iter().find_map(|checked| parent_check::outside(checked.matcher, parent.matcher)),
    }
}
