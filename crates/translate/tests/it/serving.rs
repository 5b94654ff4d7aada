//! The policy for invalid configuration: what is kept, what is replaced, and what goes in any case.

use std::sync::Arc;

use serin_api::ResourceKind;
use serin_translate::Standing;

use crate::fixture::ask::get;
use crate::fixture::{World, app, replacing, says, settings, table, table_in, upstream, virtual_service};

const BROKEN: &str = "[{matchers: [{prefix: /}], routeAction: {single: {upstream: {name: gone}}}}]";

fn route(prefix: &str, body: &str) -> String {
    format!("{{matchers: [{{prefix: {prefix}}}], {}}}", says(body))
}

fn delegate(prefix: &str, name: &str) -> String {
    format!("{{matchers: [{{prefix: {prefix}}}], delegateAction: {{ref: {{name: {name}, namespace: team}}}}}}")
}

fn standing(world: &World) -> Standing {
    world.served.as_ref().expect("serve() was called").proxies["gateway-proxy"].standing
}

fn break_it(world: &mut World) -> &mut World {
    world.apply(&virtual_service("broken", "broken.example", BROKEN))
}

#[test]
fn without_a_last_good_configuration_invalid_routes_are_replaced() {
    let mut world = World::new();
    break_it(&mut world).apply(&app(&format!("[{}]", route("/", "one")))).serve();
    assert_eq!(standing(&world), Standing::Provisional);
    assert!(world.answer(&get("/").host("broken.example")).starts_with("404 Gloo Gateway has invalid configuration."));
    assert_eq!(world.answer(&get("/")), "200 one");
    // There is still nothing good to keep: changes take effect.
    world.apply(&app(&format!("[{}]", route("/", "two")))).serve();
    assert_eq!(world.answer(&get("/")), "200 two");
    // The fault is mended, and from then on there is.
    world.delete(ResourceKind::VirtualService, "gloo-system", "broken").serve();
    assert_eq!(standing(&world), Standing::Current);
    break_it(&mut world).apply(&app(&format!("[{}]", route("/", "three")))).serve();
    assert_eq!(standing(&world), Standing::Frozen);
    assert_eq!(world.answer(&get("/")), "200 two");
}

#[test]
fn mending_the_fault_lets_everything_take_effect() {
    let mut world = World::new();
    world.apply(&app(&format!("[{}]", route("/", "one")))).serve();
    break_it(&mut world).apply(&app(&format!("[{}]", route("/", "two")))).serve();
    assert_eq!(world.answer(&get("/")), "200 one");
    world.apply(&upstream("gone", "{static: {hosts: [{addr: a, port: 80}]}}")).serve();
    assert_eq!(standing(&world), Standing::Current);
    assert_eq!(world.answer(&get("/")), "200 two");
    assert_eq!(world.answer(&get("/").host("broken.example")), "gone_gloo-system: a:80");
}

#[test]
fn going_back_to_the_default_keeps_what_is_served() {
    let mut world = World::new();
    world.apply(&replacing()).apply(&app(&format!("[{}]", route("/", "one")))).serve();
    break_it(&mut world).serve();
    assert_eq!(standing(&world), Standing::Replaced);
    world.apply(&settings("{}")).apply(&app(&format!("[{}]", route("/", "two")))).serve();
    assert_eq!(standing(&world), Standing::Frozen);
    assert_eq!(world.answer(&get("/")), "200 one");
    assert_eq!(world.answer(&get("/").host("broken.example")), "404 replaced");
}

#[test]
fn another_proxy_does_not_wait() {
    let mut world = World::new();
    world.apply("apiVersion: gateway.solo.io/v1\nkind: Gateway\nmetadata: {name: inner, namespace: gloo-system}\nspec: {bindAddress: '::', bindPort: 9000, httpGateway: {virtualServices: [{name: app, namespace: gloo-system}]}, proxyNames: [inner]}\n");
    world.apply(&app(&format!("[{}]", route("/", "one")))).serve();
    break_it(&mut world).apply(&app(&format!("[{}]", route("/", "two")))).serve();
    let served = world.served.as_ref().unwrap();
    assert_eq!(served.proxies["gateway-proxy"].standing, Standing::Frozen);
    assert_eq!(served.proxies["inner"].standing, Standing::Current);
    assert_eq!(get("/").answer(&served.proxies["inner"].spec, &world.snapshot), "200 two");
    assert_eq!(world.answer(&get("/")), "200 one");
}

#[test]
fn what_is_deleted_is_not_served_though_frozen_and_does_not_come_back() {
    let mut world = World::new();
    world.apply(&table("outer", "", "", &format!("[{}, {}]", delegate("/a/in", "inner"), route("/a", "outer"))));
    world.apply(&table("inner", "", "", &format!("[{}]", route("/a/in", "inner"))));
    world.apply(&table("b", "", "", &format!("[{}]", route("/b", "b"))));
    world.apply(&app(&format!("[{}, {}]", delegate("/a", "outer"), delegate("/b", "b"))));
    world.apply(&virtual_service("other", "other.example", &format!("[{}]", route("/", "other")))).serve();
    break_it(&mut world).serve();
    assert_eq!(world.answer(&get("/a/in")), "200 inner");

    let b = world.snapshot.route_tables[&serin_api::Ref::new("team", "b")].clone();
    world.delete(ResourceKind::RouteTable, "team", "b").serve();
    assert_eq!(standing(&world), Standing::Frozen);
    assert_eq!(world.answer(&get("/b")), "404");
    // Coming back is a change, and changes wait.
    world.snapshot.route_tables.insert(b.id.reference(), b);
    world.serve();
    assert_eq!(world.answer(&get("/b")), "404");

    // The table between goes, and with it what only it led to.
    world.delete(ResourceKind::RouteTable, "team", "outer").serve();
    assert_eq!(world.answer(&get("/a")), "404");
    assert_eq!(world.answer(&get("/a/in")), "404");

    world.delete(ResourceKind::VirtualService, "gloo-system", "other").serve();
    assert_eq!(world.answer(&get("/").host("other.example")), "404");
    world.delete(ResourceKind::Gateway, "gloo-system", "gateway-proxy").serve();
    assert!(world.serving().listeners.iter().all(|listener| listener.ssl));
}

#[test]
fn deleted_upstreams_and_groups_are_replaced_though_frozen() {
    let mut world = World::new();
    world.service("echo", "echo", &["v1"]);
    world.apply(&upstream("echo", "{kube: {serviceName: echo, serviceNamespace: echo, servicePort: 80}}"));
    world.apply(&upstream("other", "{kube: {serviceName: echo, serviceNamespace: echo, servicePort: 80}}"));
    world.apply("apiVersion: gloo.solo.io/v1\nkind: UpstreamGroup\nmetadata: {name: group, namespace: gloo-system}\nspec: {destinations: [{destination: {upstream: {name: echo}}, weight: 1}]}\n");
    world.apply(&app(
        "[{matchers: [{prefix: /both}], routeAction: {multi: {destinations: [{destination: {upstream: {name: echo}}, weight: 1}, {destination: {upstream: {name: other}}, weight: 2}]}}}, \
         {matchers: [{prefix: /group}], routeAction: {upstreamGroup: {name: group, namespace: gloo-system}}}]",
    ));
    world.serve();
    world.delete(ResourceKind::Upstream, "gloo-system", "other").serve();
    assert_eq!(standing(&world), Standing::Frozen);
    let answer = world.answer(&get("/both"));
    assert!(answer.starts_with("1x echo_gloo-system: v1 | 2x 404 Gloo"), "{answer}");
    assert_eq!(world.answer(&get("/group")), "echo_gloo-system: v1");
    world.delete(ResourceKind::UpstreamGroup, "gloo-system", "group").serve();
    assert!(world.answer(&get("/group")).starts_with("404 Gloo"));
}

#[test]
fn endpoints_follow_the_cluster_though_frozen() {
    let mut world = World::new();
    world.service("echo", "echo", &["v1"]);
    world.apply(&upstream("echo", "{kube: {serviceName: echo, serviceNamespace: echo, servicePort: 80}}"));
    world.apply(&app("[{matchers: [{prefix: /}], routeAction: {single: {upstream: {name: echo}}}}]")).serve();
    break_it(&mut world).serve();
    // The Upstream now names another Service: that waits. Its old Service's pods are followed.
    world.apply(&upstream("echo", "{kube: {serviceName: elsewhere, serviceNamespace: echo, servicePort: 80}}"));
    world.service("echo", "echo", &["v7"]).serve();
    assert_eq!(world.answer(&get("/")), "echo_gloo-system: v7");
}

#[test]
fn what_did_not_change_is_the_same_in_memory() {
    let mut world = World::new();
    world.apply(&table_in("one", "t", "", "", &format!("[{}, {}]", route("/one", "one"), route("/one/b", "b"))));
    world.apply(&table_in("two", "t", "", "", &format!("[{}]", route("/two", "two"))));
    world.apply(&app("[{matchers: [{prefix: /one}], delegateAction: {ref: {name: t, namespace: one}}}, {matchers: [{prefix: /two}], delegateAction: {ref: {name: t, namespace: two}}}]"));
    world.apply(&virtual_service("other", "other.example", &format!("[{}]", route("/", "other")))).serve();
    let before = world.served.clone().unwrap().proxies["gateway-proxy"].spec.clone();
    world.serve();
    assert!(Arc::ptr_eq(&before, &world.served.as_ref().unwrap().proxies["gateway-proxy"].spec));
    world.apply(&table_in("two", "t", "", "", &format!("[{}]", route("/two", "changed")))).serve();
    let after = world.serving();
    let hosts = |spec: &serin_api::proxy::ProxySpec| spec.listeners[0].virtual_hosts.clone();
    let same: Vec<bool> =
        hosts(&before).iter().zip(&hosts(after)).map(|(before, after)| Arc::ptr_eq(before, after)).collect();
    assert_eq!(same, [false, true]);
    let routes = |spec: &serin_api::proxy::ProxySpec| spec.listeners[0].virtual_hosts[0].routes.clone();
    let same: Vec<bool> =
        routes(&before).iter().zip(&routes(after)).map(|(before, after)| Arc::ptr_eq(before, after)).collect();
    assert_eq!(same, [true, true, false]);
}

#[test]
fn every_known_resource_has_a_report_and_the_sources_their_generations() {
    let mut world = World::new();
    world.apply(&table("t", "", "", &format!("[{}]", route("/", "t"))));
    world.apply(&table("unused", "", "", &format!("[{}]", route("/", "t"))));
    world.apply(&upstream("unused", "{static: {hosts: [{addr: a, port: 80}]}}"));
    world.apply(&app(&format!("[{}]", delegate("/", "t")))).apply(&app(&format!("[{}]", delegate("/", "t")))).serve();
    let known: Vec<String> = world.translate().reports.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(
        known,
        [
            "Gateway gloo-system/gateway-proxy",
            "Gateway gloo-system/gateway-proxy-ssl",
            "VirtualService gloo-system/app",
            "RouteTable team/t",
            "RouteTable team/unused",
            "Upstream gloo-system/unused",
            "Settings gloo-system/default",
        ]
    );
    let sources: Vec<String> =
        world.serving().sources.iter().map(|(id, generation)| format!("{id} {generation}")).collect();
    assert_eq!(
        sources,
        [
            "Gateway gloo-system/gateway-proxy 1",
            "Gateway gloo-system/gateway-proxy-ssl 1",
            "VirtualService gloo-system/app 2",
            "RouteTable team/t 1",
            "Settings gloo-system/default 1"
        ]
    );
}

#[test]
fn settings_that_cannot_be_followed_are_rejected() {
    let mut world = World::new();
    world
        .apply(&settings("{gloo: {invalidConfigPolicy: {replaceInvalidRoutes: true, invalidRouteResponseCode: 42}}}"))
        .serve();
    let (state, reason) = world.status(ResourceKind::Settings, "gloo-system", "default");
    assert_eq!(state, serin_api::StatusState::Rejected);
    assert!(reason.contains("invalidRouteResponseCode: 42 is no status code from 200 to 599"), "{reason}");
    world.apply(&app(&format!("[{}]", route("/", "one")))).serve();
    world.apply(&settings("nonsense")).serve();
    assert_eq!(world.status(ResourceKind::Settings, "gloo-system", "default").0, serin_api::StatusState::Rejected);
    assert_eq!(standing(&world), Standing::Frozen);
}

#[test]
fn the_same_snapshot_comes_to_the_same_translation() {
    let mut world = World::new();
    for team in 0..20 {
        let routes = format!(
            "[{}, {}]",
            route(&format!("/t{team}"), "x"),
            "{matchers: [{prefix: /x}], routeAction: {single: {upstream: {name: gone}}}}"
        );
        world.apply(&table(&format!("t{team}"), "a: b", "", &routes));
    }
    world.apply(&app("[{matchers: [{prefix: /}], delegateAction: {selector: {labels: {a: b}, namespaces: ['*']}}}]"));
    let (one, two) = (world.translate(), world.translate());
    assert_eq!(one.proxies, two.proxies);
    assert_eq!(one.reports, two.reports);
}
