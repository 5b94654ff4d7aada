//! Configurations in which chance decides, drawn from a seed, each with the request that is sent many times.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serin_api::proxy::{
    Abort, Action, Delay, Faults, Forward, HashKey, HashPart, Route, RoutePolicy, Shadow, ShadowHost, Stickiness,
    StickyKey, Target, VirtualHost, WeightedTarget,
};
use serin_api::{GoDuration, ResourceId, ResourceKind};

use super::configurations::pick;
use super::request::Request;
use super::shares::{NUMBER, SLOW};
use super::world::{HASHED, PLAIN, SPREAD, version};

/// How often a request is sent.
pub(crate) const TIMES: usize = 1500;
/// The header that tells users apart.
const USER: &str = "x-user";

/// Configuration number `number`, and the request to it. Every kind of chance has its turn.
pub(crate) fn draw(random: &mut Rng, number: usize, turn: usize) -> (VirtualHost, Request) {
    let name = format!("s{number}");
    let source = ResourceId::new(ResourceKind::VirtualService, "ns", &name);
    let (mut targets, mut policy, mut stickiness) = (vec![to(pick(random, &PLAIN), 1)], RoutePolicy::default(), None);
    match turn % 6 {
        0 => targets = weighted(random),
        1 => {
            let abort = Some(Abort { per_million: share(random), status: pick(random, &[418, 503]) });
            policy.faults = Some(Faults { abort, delay: None });
        }
        2 => {
            let time = GoDuration(SLOW + Duration::from_millis(1));
            policy.faults = Some(Faults { abort: None, delay: Some(Delay { per_million: share(random) / 4, time }) });
        }
        3 => {
            let cluster = pick(random, &PLAIN).into();
            policy.shadow = Some(Shadow { cluster, per_million: share(random), host: ShadowHost::Suffixed });
        }
        4 => {
            targets = vec![to(pick(random, &[&HASHED[..], &SPREAD[..]].concat()), 1)];
            let key = match random.bool() {
                true => HashKey::Header(USER.to_owned()),
                false => HashKey::Cookie {
                    name: "session".to_owned(),
                    ttl: Some(GoDuration(Duration::from_secs(60))),
                    path: "/".to_owned(),
                },
            };
            policy.hash = vec![HashPart { key, terminal: false }];
        }
        _ => {
            targets = weighted(random);
            let key = StickyKey::Header(USER.to_owned());
            stickiness = Some(Arc::new(Stickiness { key, salt: format!("rollout-{number}") }));
        }
    }
    let matcher = serin_api::gateway::Matcher { prefix: Some("/".to_owned()), ..Default::default() };
    let route = Route {
        name: "chance".to_owned(),
        source: source.clone(),
        via: Vec::new(),
        matchers: vec![matcher],
        action: Action::Forward(Forward::Weighted(targets)),
        policy: Some(Arc::new(policy)),
        stickiness,
    };
    let request = Request {
        protocol: Default::default(),
        method: "GET".to_owned(),
        target: "/".to_owned(),
        host: format!("{name}.test"),
        sni: None,
        headers: vec![(USER.to_owned(), format!("user {NUMBER}"))],
        want: String::new(),
        body: Default::default(),
    };
    let domains = vec![request.host.clone()];
    let host = VirtualHost { name: format!("ns.{name}"), source, domains, routes: vec![Arc::new(route)], policy: None };
    (host, request)
}

/// How many of a million.
fn share(random: &mut Rng) -> u32 {
    pick(random, &[20_000, 100_000, 250_000, 500_000, 900_000])
}

/// Two or three destinations, with weights.
fn weighted(random: &mut Rng) -> Vec<WeightedTarget> {
    let version = |name| Target::Cluster { cluster: "default_ns".into(), subset: version(name) };
    let (one, two) = (random.u32(1..100), random.u32(1..100));
    let mut targets = vec![
        WeightedTarget { target: version("v1"), weight: one, headers: None },
        WeightedTarget { target: version("v2"), weight: two, headers: None },
    ];
    if random.bool() {
        targets.insert(random.usize(..3), to(pick(random, &PLAIN), random.u32(1..100)));
    }
    targets
}

fn to(cluster: &str, weight: u32) -> WeightedTarget {
    WeightedTarget {
        target: Target::Cluster { cluster: cluster.into(), subset: Default::default() },
        weight,
        headers: None,
    }
}
