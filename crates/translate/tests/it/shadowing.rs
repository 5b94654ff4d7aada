//! The option `shadowing`: its Upstream becomes a cluster, and a missing one is a fault that costs the copies alone.

use serin_api::ResourceKind;
use serin_api::StatusState::{Accepted, Rejected, Warning};
use serin_api::proxy::{Action, Shadow};

use crate::fixture::ask::get;
use crate::fixture::{World, app, replacing, table, upstream};

const FORWARDS: &str = "routeAction: {single: {upstream: {name: echo, namespace: gloo-system}}}";

fn world() -> World {
    let mut world = World::new();
    world.apply(&replacing()).apply(&upstream("echo", "{static: {hosts: [{addr: 127.0.0.1, port: 80}]}}"));
    world
}

fn next() -> String {
    upstream("next", "{static: {hosts: [{addr: 127.0.0.1, port: 81}]}}")
}

fn shadowing(name: &str) -> String {
    format!("{{timeout: 5s, shadowing: {{upstream: {{name: {name}, namespace: gloo-system}}, percentage: 50}}}}")
}

fn copies(world: &World, path: &str) -> Option<Shadow> {
    get(path).route(world.serving()).and_then(|route| route.policy.as_ref()?.shadow.clone())
}

fn clusters(world: &World) -> Vec<&str> {
    world.serving().clusters.keys().map(|name| name.as_str()).collect()
}

#[test]
fn the_upstream_of_copies_is_served() {
    let mut world = world();
    world.apply(&next());
    world.apply(&app(&format!("[{{matchers: [{{prefix: /}}], options: {}, {FORWARDS}}}]", shadowing("next")))).serve();
    assert_eq!(world.vs_status(), (Accepted, String::new()));
    let shadow = copies(&world, "/").unwrap();
    assert_eq!((shadow.cluster.as_str(), shadow.per_million), ("next_gloo-system", 500_000));
    assert_eq!(clusters(&world), ["echo_gloo-system", "next_gloo-system"]);
}

#[test]
fn a_missing_upstream_is_told_of_and_the_route_served_without_copies() {
    let mut world = world();
    let routes = format!("[{{matchers: [{{prefix: /}}], options: {}, {FORWARDS}}}]", shadowing("typo"));
    world.apply(&app(&routes)).serve();
    let (state, reason) = world.vs_status();
    assert_eq!(state, Warning);
    let sentence = "Route Warning: InvalidDestinationWarning. Reason: *v1.Upstream {typo gloo-system} not found";
    assert!(reason.contains(sentence), "{reason}");
    let route = get("/").route(world.serving()).unwrap();
    let policy = route.policy.as_ref().unwrap();
    assert_eq!((policy.shadow.clone(), policy.timeout.unwrap().to_string()), (None, "5s".to_owned()));
    assert_eq!(clusters(&world), ["echo_gloo-system"]);
    assert!(matches!(route.action, Action::Forward(_)), "{route:?}");
}

#[test]
fn copies_come_from_shared_options_and_from_the_parent() {
    let mut world = world();
    world.apply(&next());
    let option = |name: &str, upstream: &str| {
        format!(
            "{{apiVersion: gateway.solo.io/v1, kind: RouteOption, metadata: {{name: {name}, namespace: team, \
             generation: 1}}, spec: {{options: {}}}}}",
            shadowing(upstream)
        )
    };
    world.apply(&option("good", "next")).apply(&option("bad", "typo"));
    let with = |path: &str, name: &str| {
        format!(
            "{{matchers: [{{prefix: {path}}}], {FORWARDS}, \
             optionsConfigRefs: {{delegateOptions: [{{name: {name}, namespace: team}}]}}}}"
        )
    };
    world.apply(&table("t", "", "", &format!("[{{matchers: [{{prefix: /a/b}}], {FORWARDS}}}]")));
    let parent = format!(
        "{{matchers: [{{prefix: /a}}], options: {}, delegateAction: {{ref: {{name: t, namespace: team}}}}}}",
        shadowing("next")
    );
    world.apply(&app(&format!("[{parent}, {}, {}]", with("/good", "good"), with("/bad", "bad")))).serve();
    assert!(copies(&world, "/a/b").is_some());
    assert!(copies(&world, "/good").is_some());
    assert_eq!(copies(&world, "/bad"), None);
    let (state, reason) = world.status(ResourceKind::RouteOption, "team", "bad");
    assert_eq!(state, Warning, "{reason}");
    assert!(reason.contains("{typo gloo-system} not found"), "{reason}");
}

#[test]
fn what_is_wrong_with_copies_is_named() {
    for (written, expected) in [
        (
            "{percentage: 5}",
            "name the Upstream that gets the copies. Field: spec.virtualHost.routes[0].options.shadowing.upstream",
        ),
        ("{upstream: {name: echo}, percentage: 5}", "shadowing.upstream.namespace"),
        ("{upstream: {name: echo, namespace: gloo-system}, percentage: 101}", "shadowing.percentage"),
        ("{upstream: echo}", "options.shadowing.upstream"),
        ("{upstream: {name: echo, namespace: gloo-system}, hostRewriteLiteral: 'a b'}", "shadowing.hostRewriteLiteral"),
    ] {
        let mut world = world();
        let routes = format!("[{{matchers: [{{prefix: /}}], options: {{shadowing: {written}}}, {FORWARDS}}}]");
        world.apply(&app(&routes)).serve();
        let (state, reason) = world.vs_status();
        assert_eq!(state, Rejected, "{written}: {reason}");
        assert!(reason.contains(expected), "{written}: {reason}");
        assert!(world.answer(&get("/")).starts_with("404"), "{written}");
    }
}
