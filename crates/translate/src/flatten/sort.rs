//! The order of routes from several tables of one weight: the specific before the general, so that none is hidden.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use serin_api::gateway::Matcher;
use serin_api::proxy::Route;

use crate::matcher::path_text;

/// Sorts routes as Gloo does: more methods first; then exact, then regex, then prefix paths; then the lexicographically
/// greater path first. Equal ones keep their order. A route with several matchers goes by the first in this order.
pub(super) fn most_specific_first(routes: &mut Vec<Arc<Route>>) {
    let mut keyed: Vec<(usize, usize)> =
        routes.iter().enumerate().map(|(place, route)| (place, smallest(&route.matchers))).collect();
    keyed.sort_by(|a, b| match (routes[a.0].matchers.get(a.1), routes[b.0].matchers.get(b.1)) {
        (Some(a), Some(b)) => compare(a, b),
        // No route is without matchers.
        _ => Ordering::Equal,
    });
    *routes = keyed.into_iter().map(|(place, _)| routes[place].clone()).collect();
}

fn smallest(matchers: &[Matcher]) -> usize {
    let mut smallest = 0;
    for place in 1..matchers.len() {
        if compare(&matchers[place], &matchers[smallest]) == Ordering::Less {
            smallest = place;
        }
    }
    smallest
}

fn compare(a: &Matcher, b: &Matcher) -> Ordering {
    let key = |matcher: &Matcher| (Reverse(matcher.methods.len()), kind(matcher));
    key(a).cmp(&key(b)).then_with(|| path_text(b).cmp(path_text(a)))
}

/// A path's type in order. One without a path, such as a CONNECT matcher, comes first.
fn kind(matcher: &Matcher) -> u8 {
    match (&matcher.exact, &matcher.regex, &matcher.prefix) {
        (Some(_), _, _) => 1,
        (_, Some(_), _) => 2,
        (_, _, Some(_)) => 3,
        _ => 0,
    }
}
