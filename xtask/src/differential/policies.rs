//! Options of routes and hosts, drawn from a seed. Whoever adds an option to the flattened model adds it here.

use std::sync::Arc;

use fastrand::Rng;
use serin_api::proxy::{HostPolicy, HostRewrite, PathRewrite, RoutePolicy, Substitution};

use super::configurations::pick;

/// A route's options; usually there are none.
pub(crate) fn of_route(random: &mut Rng) -> Option<Arc<RoutePolicy>> {
    if random.u8(..3) > 0 {
        return None;
    }
    let mut policy = RoutePolicy::default();
    policy.path_rewrite = match random.u8(..3) {
        0 => Some(PathRewrite::Prefix(pick(random, &["/", "/new", "/new/"]).to_owned())),
        1 => Some(PathRewrite::Regex(substitution(random))),
        _ => None,
    };
    policy.host_rewrite = match random.u8(..6) {
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
    Some(Arc::new(policy))
}

/// A virtual host's options.
pub(crate) fn of_host(_random: &mut Rng) -> Option<Arc<HostPolicy>> {
    None
}

fn substitution(random: &mut Rng) -> Substitution {
    let (pattern, substitution) =
        pick(random, &[("/a", "/b"), ("^/(.*)$", r"/x/\1"), (r"v(\d+)", r"version-\1-"), ("[ab]", "")]);
    Substitution { pattern: pattern.to_owned(), substitution: substitution.to_owned() }
}
