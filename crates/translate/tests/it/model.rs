//! The flattening against a naive model: written down a second time, as plainly as the specification reads, with copies
//! of everything and no index, and compared on random trees of tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serin_api::gateway::{
    DelegateAction, DirectResponseAction, Expression, HeaderMatcher, Matcher, Operator, QueryParameterMatcher, Route,
    RouteTableSelector, RouteTableSpec, VirtualHost, VirtualServiceSpec,
};
use serin_api::proxy::Action;
use serin_api::{Ref, ResourceId, ResourceKind};
use serin_translate::{Resource, translate};

use crate::fixture::{World, replacing};

/// A route of the flat list: what it answers (`None`: the replacement) and what it matches.
type Flat = (Option<String>, Vec<Matcher>);

struct Model<'m> {
    tables: &'m [Arc<Resource<RouteTableSpec>>],
}

struct Parent {
    matcher: Matcher,
    conditions: bool,
    path: bool,
}

impl Model<'_> {
    fn flatten(&self, namespace: &str, routes: &[Route], parent: Option<&Parent>, branch: &[&Ref]) -> Vec<Flat> {
        let mut out = Vec::new();
        for route in routes {
            let conditions = route.inheritable_matchers.unwrap_or(parent.is_some_and(|parent| parent.conditions));
            let path = route.inheritable_path_matchers.unwrap_or(parent.is_some_and(|parent| parent.path));
            let mut matchers = route.matchers.clone();
            if matchers.is_empty() {
                matchers.push(slash());
            }
            if let Some(parent) = parent {
                for matcher in &mut matchers {
                    if path {
                        matcher.prefix = parent.matcher.prefix.clone();
                        matcher.exact = None;
                        matcher.regex = None;
                        matcher.case_sensitive = parent.matcher.case_sensitive;
                    }
                    if conditions {
                        matcher.headers = [parent.matcher.headers.clone(), matcher.headers.clone()].concat();
                        matcher.methods = [parent.matcher.methods.clone(), matcher.methods.clone()].concat();
                        matcher.query_parameters =
                            [parent.matcher.query_parameters.clone(), matcher.query_parameters.clone()].concat();
                    }
                }
                if !matchers.iter().all(|matcher| inside(matcher, &parent.matcher)) {
                    continue;
                }
            }
            let Some(delegate) = &route.delegate_action else {
                out.extend(leaf(route.direct_response_action.as_ref().map(|action| action.body.clone()), matchers));
                continue;
            };
            let pathless = route.matchers.first().is_some_and(|matcher| text(matcher).is_none());
            let not_a_prefix =
                route.matchers.first().is_some_and(|matcher| text(matcher).is_some() && matcher.prefix.is_none());
            if route.matchers.len() > 1 || not_a_prefix {
                out.extend(leaf(None, matchers));
                continue;
            }
            let own = if pathless && !(path && parent.is_some()) { slash() } else { matchers[0].clone() };
            let down = Parent { matcher: own.clone(), conditions, path };
            let mut chosen = self.choose(namespace, delegate);
            chosen.sort_by_key(|table| table.spec.weight.unwrap_or(0));
            let mut weights: Vec<i32> = chosen.iter().map(|table| table.spec.weight.unwrap_or(0)).collect();
            weights.dedup();
            for weight in weights {
                let mut merged = Vec::new();
                let group: Vec<_> = chosen.iter().filter(|table| table.spec.weight.unwrap_or(0) == weight).collect();
                for table in &group {
                    let reference = table.id.reference();
                    if branch.contains(&&reference) {
                        merged.push((None, vec![own.clone()]));
                    } else {
                        let deeper = [branch, &[&reference]].concat();
                        merged.extend(self.flatten(&table.id.namespace, &table.spec.routes, Some(&down), &deeper));
                    }
                }
                if group.len() > 1 {
                    merged.sort_by_key(|(_, matchers)| matchers.iter().map(specificity).min());
                }
                out.extend(merged);
            }
        }
        out
    }

    fn choose(&self, namespace: &str, delegate: &DelegateAction) -> Vec<&Arc<Resource<RouteTableSpec>>> {
        let all = self.tables.iter();
        match (&delegate.reference, &delegate.selector) {
            (Some(reference), _) => all.filter(|table| table.id.reference() == *reference).collect(),
            (None, Some(selector)) => all
                .filter(|table| {
                    let here = match selector.namespaces.as_slice() {
                        [] => table.id.namespace == namespace,
                        names => names.iter().any(|name| name == "*" || *name == table.id.namespace),
                    };
                    let labels = selector.labels.iter().all(|(key, value)| table.labels.get(key) == Some(value));
                    let expressions = selector.expressions.iter().all(|expression| {
                        let value = table.labels.get(&expression.key);
                        match expression.operator {
                            Operator::Exists => value.is_some(),
                            Operator::DoesNotExist => value.is_none(),
                            Operator::NotIn => value.is_none_or(|value| !expression.values.contains(value)),
                            _ => value.is_some_and(|value| expression.values.contains(value)),
                        }
                    });
                    here && labels && expressions
                })
                .collect(),
            (None, None) => Vec::new(),
        }
    }
}

/// A route without tables below it. Without a path a matcher is at fault: what it matches by its conditions is kept.
fn leaf(body: Option<String>, matchers: Vec<Matcher>) -> Option<Flat> {
    let kept: Vec<Matcher> = matchers
        .into_iter()
        .filter_map(|mut matcher| {
            if text(&matcher).is_none() {
                if matcher.headers.is_empty() && matcher.methods.is_empty() && matcher.query_parameters.is_empty() {
                    return None;
                }
                matcher.prefix = Some("/".to_owned());
            }
            Some(matcher)
        })
        .collect();
    (!kept.is_empty()).then_some((body, kept))
}

fn slash() -> Matcher {
    Matcher { prefix: Some("/".to_owned()), ..Matcher::default() }
}

fn text(matcher: &Matcher) -> Option<&String> {
    matcher.prefix.as_ref().or(matcher.exact.as_ref()).or(matcher.regex.as_ref())
}

fn inside(child: &Matcher, parent: &Matcher) -> bool {
    let last = |name: &str| child.headers.iter().rfind(|header| header.name == name);
    let last_parameter = |name: &str| child.query_parameters.iter().rfind(|parameter| parameter.name == name);
    text(child).cloned().unwrap_or_default().starts_with(parent.prefix.as_deref().unwrap_or_default())
        && (child.case_sensitive != Some(false)) == (parent.case_sensitive != Some(false))
        && parent.headers.iter().all(|header| last(&header.name) == Some(header))
        && parent.query_parameters.iter().all(|parameter| last_parameter(&parameter.name) == Some(parameter))
        && parent.methods.iter().all(|method| child.methods.contains(method))
}

/// Less is more specific: more methods, then exact before regex before prefix, then the greater path.
fn specificity(matcher: &Matcher) -> (isize, u8, Vec<isize>) {
    let kind = if matcher.exact.is_some() {
        1
    } else if matcher.regex.is_some() {
        2
    } else {
        3
    };
    // Bytes turned round, with an end that is greater than any of them: the longer of two alike comes first.
    let path = text(matcher).map_or("", String::as_str);
    let turned = path.bytes().map(|byte| -isize::from(byte)).chain([1]).collect();
    (-(matcher.methods.len() as isize), kind, turned)
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let path = prop::sample::select(vec!["/", "/a", "/a/b", "/a/b/c", "/ab", "/b"]);
    let header = prop::sample::select(vec![("x", "1"), ("x", "2"), ("w", "1")]).prop_map(|(name, value)| {
        HeaderMatcher { name: name.to_owned(), value: value.to_owned(), ..HeaderMatcher::default() }
    });
    let query = Just(QueryParameterMatcher { name: "q".to_owned(), ..QueryParameterMatcher::default() });
    (
        0..10u8,
        path,
        prop::option::weighted(0.15, any::<bool>()),
        prop::collection::vec(header, 0..2),
        prop::collection::vec(query, 0..2),
        prop::sample::subsequence(vec!["GET", "PUT"], 0..=1),
    )
        .prop_map(|(kind, path, case_sensitive, headers, query_parameters, methods)| {
            let some = |wanted: bool| wanted.then(|| path.to_owned());
            Matcher {
                prefix: some(kind > 2),
                exact: some(kind == 2),
                regex: some(kind == 1),
                case_sensitive,
                headers: if kind % 3 == 0 { headers } else { Vec::new() },
                query_parameters: if kind % 4 == 0 { query_parameters } else { Vec::new() },
                methods: if kind % 5 == 0 { methods.into_iter().map(str::to_owned).collect() } else { Vec::new() },
                ..Matcher::default()
            }
        })
}

fn delegate() -> impl Strategy<Value = DelegateAction> {
    let by_ref =
        (0..5usize).prop_map(|table| DelegateAction { reference: Some(reference(table)), ..DelegateAction::default() });
    let namespaces = prop::sample::select(vec![vec![], vec!["one"], vec!["one", "two"], vec!["*"]]);
    let labels = prop::sample::select(vec![vec![], vec![("team", "a")], vec![("team", "b")]]);
    let expressions = prop::sample::select(vec![
        None,
        Some((Operator::In, vec!["a", "c"])),
        Some((Operator::NotIn, vec!["a"])),
        Some((Operator::Exists, vec![])),
        Some((Operator::DoesNotExist, vec![])),
    ]);
    let by_selector = (namespaces, labels, expressions).prop_map(|(namespaces, labels, expression)| {
        let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let expressions: Vec<Expression> = expression
            .filter(|_| labels.is_empty())
            .map(|(operator, values)| Expression { key: "team".to_owned(), operator, values: owned(values) })
            .into_iter()
            .collect();
        let labels = labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let selector = RouteTableSelector { namespaces: owned(namespaces), labels, expressions };
        DelegateAction { selector: Some(selector), ..DelegateAction::default() }
    });
    prop_oneof![by_ref, by_selector]
}

fn routes(delegates: f64) -> impl Strategy<Value = Vec<Route>> {
    let flag = || prop::option::weighted(0.3, any::<bool>());
    let route = (prop::collection::vec(matcher(), 0..3), prop::option::weighted(delegates, delegate()), flag(), flag());
    prop::collection::vec(route, 0..4).prop_map(|routes| {
        let route = |(matchers, delegate_action, inheritable_matchers, inheritable_path_matchers)| Route {
            matchers,
            delegate_action,
            inheritable_matchers,
            inheritable_path_matchers,
            ..Route::default()
        };
        routes.into_iter().map(route).collect()
    })
}

fn reference(table: usize) -> Ref {
    Ref::new(["one", "two"][table % 2], format!("t{table}"))
}

/// Gives every route that does not delegate an answer of its own.
fn answered(owner: &str, mut routes: Vec<Route>) -> Vec<Route> {
    for (at, route) in routes.iter_mut().enumerate().filter(|(_, route)| route.delegate_action.is_none()) {
        route.direct_response_action = Some(DirectResponseAction { status: 200, body: format!("{owner} {at}") });
    }
    routes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_flat_list_is_the_models(
        root in routes(0.8),
        tables in prop::collection::vec((routes(0.3), -1..2i32, prop::sample::select(vec!["", "a", "b"])), 0..5),
    ) {
        let tables: Vec<Arc<Resource<RouteTableSpec>>> = tables
            .into_iter()
            .enumerate()
            .map(|(at, (routes, weight, team))| {
                let Ref { namespace, name } = reference(at);
                let labels = if team.is_empty() { BTreeMap::new() } else { [("team".to_owned(), team.to_owned())].into() };
                let spec = RouteTableSpec {
                    routes: answered(&name, routes),
                    weight: (weight != 0).then_some(weight),
                };
                let id = ResourceId::new(ResourceKind::RouteTable, namespace, name);
                Arc::new(Resource { id, generation: 1, created: String::new(), labels, spec, unimplemented: Vec::new() })
            })
            .collect();
        let mut world = World::new();
        world.apply(&replacing());
        world.snapshot.route_tables = tables.iter().map(|table| (table.id.reference(), table.clone())).collect();
        let root = answered("root", root);
        let spec = VirtualServiceSpec {
            virtual_host: VirtualHost { routes: root.clone(), ..VirtualHost::default() },
            ..VirtualServiceSpec::default()
        };
        let id = ResourceId::new(ResourceKind::VirtualService, "one", "app");
        let resource = Resource { id: id.clone(), generation: 1, created: String::new(), labels: BTreeMap::new(), spec, unimplemented: Vec::new() };
        world.snapshot.virtual_services.insert(id.reference(), Arc::new(resource));

        let translation = translate(&world.snapshot);
        let host = &translation.proxies["gateway-proxy"].listeners[0].virtual_hosts[0];
        let flat: Vec<Flat> = host
            .routes
            .iter()
            .map(|route| match &route.action {
                Action::DirectResponse { status: 200, body } => (Some(body.clone()), route.matchers.clone()),
                _ => (None, route.matchers.clone()),
            })
            .collect();
        // The index has the tables by namespace and name.
        let mut sorted = tables;
        sorted.sort_by_key(|table| table.id.clone());
        let expected = Model { tables: &sorted }.flatten("one", &root, None, &[]);
        prop_assert_eq!(flat, expected);
    }
}
