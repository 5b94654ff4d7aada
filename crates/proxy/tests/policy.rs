//! What a route's options do to its requests.

mod stage;

use std::sync::Arc;
use std::time::Duration;

use serin_api::GoDuration;
use serin_api::proxy::{PathRewrite, Route, RoutePolicy};
use stage::upstream::Upstream;
use stage::*;

fn with_policy(route: Route, policy: RoutePolicy) -> Route {
    Route { policy: Some(Arc::new(policy)), ..route }
}

#[test]
fn the_upstream_gets_the_path_that_the_route_says() {
    let upstream = Upstream::start("one");
    let rewrite = |to: &str| RoutePolicy { path_rewrite: Some(PathRewrite::Prefix(to.into())), ..Default::default() };
    let routes = vec![with_policy(route("/old", to("up")), rewrite("/new")), route("/", to("up"))];
    let (_plane, address) = serve(routes, upstream.address);
    assert!(get(address, "/old/a?b=c").contains("GET /new/a?b=c HTTP/1.1\n"));
    assert!(get(address, "/other").contains("GET /other HTTP/1.1\n"));
}

#[test]
fn a_route_has_a_time_limit_of_its_own() {
    let upstream = Upstream::start("one");
    let timeout =
        |millis| RoutePolicy { timeout: Some(GoDuration(Duration::from_millis(millis))), ..Default::default() };
    let routes =
        vec![with_policy(route("/hang", to("up")), timeout(200)), with_policy(route("/", to("up")), timeout(0))];
    let (_plane, address) = serve(routes, upstream.address);
    let answer = get(address, "/hang");
    assert_eq!((status(&answer), body(&answer)), (504, "upstream request timeout"));
    assert_eq!(status(&get(address, "/")), 200, "none is no limit");
}
