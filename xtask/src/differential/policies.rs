//! Options of routes and hosts, drawn from a seed. Whoever adds an option to the flattened model adds it here.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serin_api::GoDuration;
use serin_api::proxy::{
    Abort, Action, BackOff, CorsPolicy, Delay, Faults, HostPolicy, HostRewrite, OriginMatch, PathRewrite,
    RequestBuffer, Retries, RetryCondition, RoutePolicy, Substitution,
};

use super::configurations::pick;
use super::hashing;
use super::header_changes;

/// A time that no request reaches whose upstream answers.
const LONG: Duration = Duration::from_secs(30);
const ORIGINS: [(&str, bool); 5] =
    [("*", false), ("http://a.test", false), ("http://[a-z]+.test", true), ("http://b.test", false), (".*", true)];

/// A route's options; usually there are none.
pub(crate) fn of_route(random: &mut Rng, action: &Action) -> Option<Arc<RoutePolicy>> {
    let hash = hashing::draw(random, action);
    if random.u8(..3) > 0 {
        return (!hash.is_empty()).then(|| Arc::new(RoutePolicy { hash, ..RoutePolicy::default() }));
    }
    let mut policy = RoutePolicy { hash, ..RoutePolicy::default() };
    policy.path_rewrite = match random.u8(..4) {
        0 => Some(PathRewrite::Prefix(pick(random, &["/", "/new", "/new/"]).to_owned())),
        1 => Some(PathRewrite::Regex(substitution(random))),
        _ => None,
    };
    policy.host_rewrite = match random.u8(..8) {
        0 => Some(HostRewrite::Literal("literal.host".to_owned())),
        1 => Some(HostRewrite::Header("x-host".to_owned())),
        2 => Some(HostRewrite::Path(Substitution {
            pattern: "^/([a-z]*).*$".to_owned(),
            substitution: r"\1.host".to_owned(),
        })),
        3 => Some(HostRewrite::Endpoint),
        _ => None,
    };
    policy.append_x_forwarded_host = policy.host_rewrite.is_some() && random.bool();
    policy.headers = match action {
        Action::Redirect(_) => header_changes::draw_without_path(random),
        _ => header_changes::draw(random),
    };
    policy.cors = (random.u8(..5) == 0).then(|| cors(random, true));
    policy.retries = (random.u8(..4) == 0).then(|| retries(random));
    policy.timeout = (random.u8(..6) == 0).then(|| GoDuration(pick(random, &[LONG, Duration::ZERO])));
    policy.idle_timeout = (random.u8(..6) == 0).then(|| GoDuration(pick(random, &[LONG, Duration::ZERO])));
    policy.buffer = (random.u8(..5) == 0).then(|| buffer(random));
    policy.faults = (random.u8(..8) == 0).then(|| faults(random));
    policy.websocket = (random.u8(..4) == 0).then(|| random.bool());
    Some(Arc::new(policy))
}

/// A virtual host's options.
pub(crate) fn of_host(random: &mut Rng) -> Option<Arc<HostPolicy>> {
    if random.u8(..3) > 0 {
        return None;
    }
    let policy = HostPolicy {
        headers: header_changes::draw_without_path(random),
        cors: (random.u8(..3) == 0).then(|| cors(random, false)),
        retries: (random.u8(..4) == 0).then(|| retries(random)),
        attempts_in_request: random.u8(..4) == 0,
        attempts_in_response: random.u8(..4) == 0,
        buffer: (random.u8(..4) == 0).then(|| buffer(random)),
    };
    Some(Arc::new(policy))
}

/// Limits below, between and above the lengths of the bodies that are sent.
fn buffer(random: &mut Rng) -> RequestBuffer {
    let up_to = RequestBuffer::UpTo;
    pick(random, &[RequestBuffer::Off, up_to(1), up_to(7), up_to(10), up_to(305), up_to(306), up_to(100_000)])
}

fn substitution(random: &mut Rng) -> Substitution {
    let (pattern, substitution) =
        pick(random, &[("/a", "/b"), ("^/(.*)$", r"/x/\1"), (r"v(\d+)", r"version-\1-"), ("[ab]", "")]);
    Substitution { pattern: pattern.to_owned(), substitution: substitution.to_owned() }
}

fn cors(random: &mut Rng, of_route: bool) -> CorsPolicy {
    let origins = (0..random.usize(1..3)).map(|_| match pick(random, &ORIGINS) {
        (pattern, true) => OriginMatch::Regex(pattern.to_owned()),
        (origin, false) => OriginMatch::Exact(origin.to_owned()),
    });
    CorsPolicy {
        allow_origins: origins.collect(),
        disabled: of_route && random.u8(..6) == 0,
        allow_methods: pick(random, &["", "GET,PUT", "*"]).to_owned(),
        allow_headers: pick(random, &["", "x-a,x-b", "*"]).to_owned(),
        expose_headers: pick(random, &["", "x-upstream"]).to_owned(),
        max_age: pick(random, &["", "600"]).to_owned(),
        allow_credentials: random.u8(..3) == 0,
    }
}

fn retries(random: &mut Rng) -> Retries {
    Retries {
        on: (0..random.usize(..3)).map(|_| pick(random, RetryCondition::ALL)).collect(),
        times: random.u32(1..4),
        per_try_timeout: (random.u8(..3) == 0).then_some(GoDuration(LONG)),
        back_off: (random.bool()).then_some(BackOff { base: GoDuration(Duration::from_millis(1)), max: None }),
        status_codes: if random.bool() { vec![404, 409] } else { Vec::new() },
        rate_limited: None,
    }
}

/// Faults for all requests or for none: what happens to some is a matter of distributions.
fn faults(random: &mut Rng) -> Faults {
    let abort = random.bool().then(|| Abort {
        per_million: pick(random, &[0, 1_000_000, 1_000_000]),
        status: pick(random, &[200, 404, 418, 503, 599]),
    });
    let time = GoDuration(Duration::from_millis(3));
    Faults { abort, delay: random.bool().then(|| Delay { per_million: pick(random, &[0, 1_000_000]), time }) }
}
