//! Configurations: virtual hosts with routes of every kind, drawn from a seed.

use std::sync::Arc;

use fastrand::Rng;
use serin_api::gateway::{HeaderMatcher, Matcher, QueryParameterMatcher};
use serin_api::proxy::{Action, Forward, PathRedirect, Redirect, Route, Target, VirtualHost, WeightedTarget};
use serin_api::{ResourceId, ResourceKind};

use super::header_changes;
use super::policies;
use super::world::{DEAD, EMPTY, HASHED, OTHERS, PLAIN, SUBSETS, version};

/// Paths that routes are for and requests ask for.
pub(crate) const PATHS: [&str; 10] = ["/", "/a", "/a/b", "/A", "/echo", "/a%20b", "/v1/x", "/v22/x", "/a.b", "/aXb"];
const PATTERNS: [&str; 8] = ["/.*", "/a/?.*", "/[a-c]+", r"/v\d+/x", "/(a|echo)?", "/a.b", "/a%20.*", "(?i)/ECHO.*"];
const VALUES: [(&str, bool); 7] =
    [("", false), ("1", false), ("v7", false), ("v[0-9]+", true), (".*", true), ("1,v7", false), ("[^,]*", true)];

/// One of `all`.
pub(crate) fn pick<T: Copy>(random: &mut Rng, all: &[T]) -> T {
    all[random.usize(..all.len())]
}

/// Configuration number `number`: a virtual host with domains of its own.
pub(crate) fn virtual_host(random: &mut Rng, number: usize) -> VirtualHost {
    let mut domains = vec![format!("c{number}.test")];
    if random.bool() {
        domains.push(format!("*.c{number}.test"));
    }
    if random.u8(..4) == 0 {
        domains.push(format!("c{number}.*"));
    }
    let name = format!("c{number}");
    let source = ResourceId::new(ResourceKind::VirtualService, "ns", &name);
    let routes = (0..random.usize(1..6)).map(|index| Arc::new(route(random, &source, index))).collect();
    VirtualHost { name: format!("ns.{name}"), source, domains, routes, policy: policies::of_host(random) }
}

fn route(random: &mut Rng, source: &ResourceId, index: usize) -> Route {
    let matchers = (0..random.usize(1..3)).map(|_| matcher(random)).collect();
    let action = action(random);
    let policy = policies::of_route(random, &action);
    Route {
        name: format!("route-{index}"),
        source: source.clone(),
        via: Vec::new(),
        matchers,
        action,
        policy,
        stickiness: None,
    }
}

fn matcher(random: &mut Rng) -> Matcher {
    let mut matcher = Matcher::default();
    match random.u8(..8) {
        0..=3 => matcher.prefix = Some(pick(random, &PATHS).to_owned()),
        4 | 5 => matcher.exact = Some(pick(random, &PATHS).to_owned()),
        _ => matcher.regex = Some(pick(random, &PATTERNS).to_owned()),
    }
    if matcher.regex.is_none() && random.u8(..4) == 0 {
        matcher.case_sensitive = Some(random.bool());
    }
    if random.u8(..3) == 0 {
        matcher.headers = (0..random.usize(1..3)).map(|_| header(random)).collect();
    }
    if random.u8(..5) == 0 {
        let (value, regex) = pick(random, &VALUES);
        matcher.query_parameters = vec![QueryParameterMatcher { name: "q".to_owned(), value: value.to_owned(), regex }];
    }
    if random.u8(..5) == 0 {
        matcher.methods = pick(random, &[&["GET"][..], &["POST", "PUT"], &["HEAD", "OPTIONS", "GET"]])
            .iter()
            .map(|method| (*method).to_owned())
            .collect();
    }
    matcher
}

fn header(random: &mut Rng) -> HeaderMatcher {
    let (name, value, regex) = match random.u8(..8) {
        0 => (pick(random, &[":authority", "Host"]), r"[^:]*\.test", true),
        1 => (":method", pick(random, &["GET", "POST"]), false),
        _ => {
            let (value, regex) = pick(random, &VALUES);
            (pick(random, &["x-flag", "X-FLAG", "x-flag", "cookie", "x-empty"]), value, regex)
        }
    };
    HeaderMatcher { name: name.to_owned(), value: value.to_owned(), regex, invert_match: random.u8(..3) == 0 }
}

fn action(random: &mut Rng) -> Action {
    match random.u8(..12) {
        0 | 1 => Action::Redirect(redirect(random)),
        2 => {
            let body = pick(random, &["", "a fixed answer", "{\"json\": true}\n"]).to_owned();
            Action::DirectResponse { status: pick(random, &[200, 204, 302, 403, 418, 503]), body }
        }
        3 => Action::Forward(Forward::ClusterHeader("x-to".to_owned())),
        _ => {
            // The one with a weight is drawn, so that both sides draw the same.
            let weight = random.u32(1..100);
            let mut targets = vec![weighted(random, weight)];
            if random.u8(..4) == 0 {
                let nothing = weighted(random, 0);
                targets.insert(random.usize(..2), nothing);
            }
            Action::Forward(Forward::Weighted(targets))
        }
    }
}

fn weighted(random: &mut Rng, weight: u32) -> WeightedTarget {
    let headers = header_changes::draw(random).map(Arc::new);
    let target = target(random);
    // Envoy cannot change the headers of a response that stands for a destination.
    let headers = headers.filter(|_| matches!(target, Target::Cluster { .. }));
    WeightedTarget { target, weight, headers }
}

fn target(random: &mut Rng) -> Target {
    let (cluster, subset) = match random.u8(..18) {
        0 => (EMPTY, None),
        1 => (DEAD, None),
        2 => return Target::DirectResponse { status: 404, body: "replaced".to_owned() },
        3..=6 => (pick(random, &SUBSETS), Some(pick(random, &["v1", "v2", "v3"]))),
        7 => (pick(random, &SUBSETS), None),
        8 | 9 => (pick(random, &HASHED), None),
        10 | 11 => (pick(random, &OTHERS), None),
        _ => (pick(random, &PLAIN), None),
    };
    Target::Cluster { cluster: cluster.into(), subset: subset.map(version).unwrap_or_default() }
}

fn redirect(random: &mut Rng) -> Redirect {
    let path = match random.u8(..5) {
        0 => PathRedirect::Replace(pick(random, &["/new", "/new?own=1", "/"]).to_owned()),
        1 | 2 => PathRedirect::PrefixRewrite(pick(random, &["/new", "/", "/new/"]).to_owned()),
        3 => PathRedirect::Regex {
            pattern: pick(random, &["/a", "/v([0-9]+)", "[ab]"]).to_owned(),
            substitution: pick(random, &["/new", "/-", "x"]).to_owned(),
        },
        _ => PathRedirect::Keep,
    };
    Redirect {
        status: pick(random, &[301, 302, 303, 307, 308]),
        host: random.bool().then(|| "new.host".to_owned()),
        port: (random.u8(..4) == 0).then_some(444),
        https: random.u8(..3) == 0,
        path,
        strip_query: random.u8(..3) == 0,
    }
}
