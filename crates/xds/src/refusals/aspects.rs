//! The fields of a route, each in a route with little else in it, under the name that the API gives it.

use serde_json::{Map, Value};
use serin_api::gateway::Matcher;
use serin_api::proxy::{Action, HostRewrite, PathRewrite, Route, RoutePolicy};

/// Each field that the route has, by its name, and a route with that field alone.
pub(super) fn of(route: &Route) -> Vec<(String, Route)> {
    let plain = Route { policy: None, stickiness: None, ..route.clone() };
    let anything = vec![Matcher { prefix: Some("/".to_owned()), ..Matcher::default() }];
    let nothing = Action::DirectResponse { status: 200, body: String::new() };
    let mut made = Vec::new();
    for (index, matcher) in route.matchers.iter().enumerate() {
        let alone = Route { matchers: vec![matcher.clone()], action: nothing.clone(), ..plain.clone() };
        made.push((format!("matchers[{index}]"), alone));
    }
    let plain = Route { matchers: anything, ..plain };
    made.push((action(&route.action).to_owned(), plain.clone()));
    for (field, policy) in route.policy.as_deref().map(options).unwrap_or_default() {
        made.push((field, Route { policy: Some(policy.into()), ..plain.clone() }));
    }
    if route.stickiness.is_some() {
        let alone = Route { stickiness: route.stickiness.clone(), ..plain };
        made.push(("routeAction.multi.stickiness".to_owned(), alone));
    }
    made
}

fn action(action: &Action) -> &'static str {
    match action {
        Action::Forward(_) => "routeAction",
        Action::Redirect(_) => "redirectAction",
        Action::DirectResponse { .. } => "directResponseAction",
    }
}

/// Each option, and a policy of that option alone. The policy is taken apart as it is written, so that an option that is
/// new is among them.
fn options(policy: &RoutePolicy) -> Vec<(String, RoutePolicy)> {
    let Ok(Value::Object(written)) = serde_json::to_value(policy) else { return Vec::new() };
    let alone = |(key, value): (String, Value)| {
        let made = serde_json::from_value(Value::Object(Map::from_iter([(key.clone(), value)]))).ok()?;
        Some((format!("options.{}", name(&key, policy)), made))
    };
    written.into_iter().filter_map(alone).collect()
}

/// What the API calls an option of the model. Most have one name in both.
fn name(key: &str, policy: &RoutePolicy) -> String {
    let name = match key {
        "pathRewrite" => match policy.path_rewrite {
            Some(PathRewrite::Regex(_)) => "regexRewrite",
            _ => "prefixRewrite",
        },
        "hostRewrite" => match policy.host_rewrite {
            Some(HostRewrite::Endpoint) => "autoHostRewrite",
            Some(HostRewrite::Header(_)) => "hostRewriteHeader",
            Some(HostRewrite::Path(_)) => "hostRewritePathRegex",
            _ => "hostRewrite",
        },
        "headers" => "headerManipulation",
        "websocket" | "connect" => "upgrades",
        other => other,
    };
    name.to_owned()
}
