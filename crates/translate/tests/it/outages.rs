//! Outages that this model has had elsewhere (kgateway issues 5154, 5332, 5902, 6008, 7976, 8412, 3797). In each, one
//! team's mistake must neither stop another team's changes nor take another team's routes down, and a restart while the
//! mistake stands must not either.

use serin_api::ResourceKind;
use serin_api::StatusState::Accepted;

use crate::fixture::ask::get;
use crate::fixture::{World, app, replacing, says, table_in, upstream, virtual_service};

fn team(name: &str, prefix: &str, body: &str) -> String {
    table_in(name, "routes", "team: 'yes'", "", &format!("[{{matchers: [{{prefix: {prefix}}}], {}}}]", says(body)))
}

/// Two teams under one domain, with routes that are replaced when they are invalid.
fn two_teams() -> World {
    let mut world = World::new();
    world.apply(&replacing()).apply(&team("good", "/good", "one")).apply(&team("bad", "/bad", "bad"));
    world.apply(&app("[{matchers: [{prefix: /good}], delegateAction: {selector: {namespaces: [good]}}}, \
         {matchers: [{prefix: /bad}], delegateAction: {selector: {namespaces: [bad]}}}]"));
    world.serve();
    world
}

/// The other team's routes are up, its next change takes effect, and both hold after a restart; nobody blames it.
fn survives(world: &mut World) {
    assert_eq!(world.answer(&get("/good")), "200 one");
    world.apply(&team("good", "/good", "two")).serve();
    assert_eq!(world.answer(&get("/good")), "200 two");
    world.served = None;
    world.serve();
    assert_eq!(world.answer(&get("/good")), "200 two");
    assert_eq!(world.status(ResourceKind::RouteTable, "good", "routes"), (Accepted, String::new()));
}

#[test]
fn one_teams_table_with_a_foreign_prefix() {
    let mut world = two_teams();
    world.apply(&team("bad", "/good", "stolen")).serve();
    survives(&mut world);
    // Under the default policy too: it is left out, and nobody waits.
    let mut world = two_teams();
    world.apply(&crate::fixture::settings("{}")).apply(&team("bad", "/good", "stolen")).serve();
    survives(&mut world);
}

#[test]
fn a_virtual_service_with_a_duplicate_domain() {
    let mut world = two_teams();
    world.apply(&virtual_service("a-copy", "'*'", &format!("[{{{}}}]", says("stolen")))).serve();
    survives(&mut world);
}

#[test]
fn a_missing_tls_secret() {
    let mut world = two_teams();
    let tls = virtual_service("tls", "tls.example", &format!("[{{{}}}]", says("tls")))
        .replace("spec:\n", "spec:\n  sslConfig: {secretRef: {name: gone, namespace: gone}}\n");
    world.apply(&tls).serve();
    survives(&mut world);
    let mut world = two_teams();
    world.apply(&crate::fixture::settings("{}")).apply(&tls).serve();
    survives(&mut world);
}

#[test]
fn an_upstream_whose_service_does_not_exist() {
    let to_lost =
        "[{matchers: [{prefix: /bad}], routeAction: {single: {upstream: {name: lost, namespace: gloo-system}}}}]";
    for policy in [replacing(), crate::fixture::settings("{}")] {
        let mut world = two_teams();
        world
            .apply(&policy)
            .apply(&upstream("lost", "{kube: {serviceName: gone, serviceNamespace: gone, servicePort: 80}}"));
        world.apply(&table_in("bad", "routes", "", "", to_lost)).serve();
        assert_eq!(world.answer(&get("/bad")), "503");
        survives(&mut world);
    }
}

#[test]
fn a_missing_upstream() {
    let mut world = two_teams();
    world
        .apply(&table_in(
            "bad",
            "routes",
            "",
            "",
            "[{matchers: [{prefix: /bad}], routeAction: {single: {upstream: {name: gone}}}}]",
        ))
        .serve();
    assert_eq!(world.answer(&get("/bad")), "404 replaced");
    survives(&mut world);
}

/// What a data plane would refuse must not get past translation: expressions that do not compile or are too big, ports
/// and weights out of range, headers that are none.
#[test]
fn what_a_data_plane_would_refuse_is_found_before() {
    for route in [
        "{matchers: [{regex: '/bad('}], routeAction: {clusterHeader: x}}",
        "{matchers: [{regex: '/bad(?:a{1000}){1000}'}], routeAction: {clusterHeader: x}}",
        "{matchers: [{prefix: /bad, headers: [{name: 'a b'}]}], routeAction: {clusterHeader: x}}",
        "{matchers: [{prefix: /bad, headers: [{name: a, value: '[', regex: true}]}], routeAction: {clusterHeader: x}}",
        "{matchers: [{prefix: /bad}], redirectAction: {portRedirect: 99999}}",
        "{matchers: [{prefix: /bad}], redirectAction: {regexRewrite: {pattern: {regex: '('}, substitution: x}}}",
        "{matchers: [{prefix: /bad}], directResponseAction: {status: 1}}",
        "{matchers: [{prefix: /bad}], routeAction: {multi: {destinations: []}}}",
        "{matchers: [{prefix: /bad}], routeAction: {clusterHeader: 'no header'}}",
        "{matchers: [{prefix: /bad}], delegateAction: {selector: {namespaces: [bad]}}}",
    ] {
        let mut world = two_teams();
        world.apply(&table_in("bad", "routes", "", "", &format!("[{route}]"))).serve();
        assert!(world.translate().is_invalid(), "{route}");
        survives(&mut world);
    }
}

#[test]
fn a_table_that_cannot_be_read() {
    let mut world = two_teams();
    world.apply(&table_in("bad", "routes", "", "", "{this: is no list}")).serve();
    assert_eq!(world.answer(&get("/bad")), "404 replaced");
    survives(&mut world);
}
