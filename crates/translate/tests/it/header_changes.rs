//! `headerManipulation` of hosts and of weighted destinations: where it goes, and what happens when it is at fault.

use serin_api::ResourceKind;
use serin_api::StatusState::{Accepted, Rejected};
use serin_api::proxy::{Action, Forward, HeaderChanges, WeightedTarget};

use crate::fixture::ask::get;
use crate::fixture::{World, app, replacing, upstream};

fn world() -> World {
    let mut world = World::new();
    world.apply(&upstream("echo", "{static: {hosts: [{addr: 127.0.0.1, port: 80}]}}"));
    world
}

fn manipulation(name: &str) -> String {
    format!("{{headerManipulation: {{responseHeadersToAdd: [{{header: {{key: {name}, value: v}}}}]}}}}")
}

fn added(changes: Option<&HeaderChanges>) -> Vec<&str> {
    changes.into_iter().flat_map(|changes| &changes.response.add).map(|added| added.name.as_str()).collect()
}

fn virtual_service(options: &str, refs: &str, action: &str) -> String {
    format!(
        "{{apiVersion: gateway.solo.io/v1, kind: VirtualService, metadata: {{name: app, namespace: team, generation: 1}}, \
         spec: {{virtualHost: {{domains: [example.com], options: {options}, {refs} \
         routes: [{{matchers: [{{prefix: /}}], {action}}}]}}}}}}"
    )
}

fn targets(world: &World) -> Vec<WeightedTarget> {
    match get("/").route(world.serving()).map(|route| &route.action) {
        Some(Action::Forward(Forward::Weighted(targets))) => targets.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hosts_options_come_from_itself_then_from_shared_ones() {
    let single = "routeAction: {single: {upstream: {name: echo, namespace: gloo-system}}}";
    let shared = format!(
        "{{apiVersion: gateway.solo.io/v1, kind: VirtualHostOption, metadata: {{name: shared, namespace: team, \
         generation: 1}}, spec: {{options: {}}}}}",
        manipulation("x-shared")
    );
    let refs = "optionsConfigRefs: {delegateOptions: [{name: shared, namespace: team}]},";
    let mut world = world();
    world.apply(&shared).apply(&virtual_service("{}", refs, single)).serve();
    let on_host = |world: &World| {
        let policy = world.serving().listeners[0].virtual_hosts[0].policy.clone();
        added(policy.as_ref().and_then(|policy| policy.headers.as_ref())).join(" ")
    };
    assert_eq!(on_host(&world), "x-shared");
    world.apply(&virtual_service(&manipulation("x-own"), refs, single)).serve();
    assert_eq!(on_host(&world), "x-own");
}

#[test]
fn a_fault_in_a_hosts_options_replaces_its_routes() {
    let single = "routeAction: {single: {upstream: {name: echo, namespace: gloo-system}}}";
    let mut world = world();
    world.apply(&replacing());
    world.apply(&virtual_service(&manipulation("':status'"), "", single)).serve();
    let (state, reason) = world.status(ResourceKind::VirtualService, "team", "app");
    assert_eq!(state, Rejected, "{reason}");
    let path = "spec.virtualHost.options.headerManipulation.responseHeadersToAdd[0].header.key: :status is no header";
    assert!(reason.contains(path), "{reason}");
    assert!(world.answer(&get("/")).starts_with("404"));
}

#[test]
fn a_weighted_destination_changes_headers_and_a_fault_replaces_it_alone() {
    let multi = |name: &str| {
        let destination = "destination: {upstream: {name: echo, namespace: gloo-system}}, weight: 1";
        let options = manipulation(name);
        format!("routeAction: {{multi: {{destinations: [{{{destination}, options: {options}}}, {{{destination}}}]}}}}")
    };
    let mut world = world();
    world.apply(&replacing());
    world.apply(&app(&format!("[{{matchers: [{{prefix: /}}], {}}}]", multi("x-one")))).serve();
    assert_eq!(world.vs_status(), (Accepted, String::new()));
    let served = targets(&world);
    assert_eq!(added(served[0].headers.as_deref()), ["x-one"]);
    assert_eq!(added(served[1].headers.as_deref()), [""; 0]);

    world.apply(&app(&format!("[{{matchers: [{{prefix: /}}], {}}}]", multi("Host")))).serve();
    let (state, reason) = world.vs_status();
    assert_eq!(state, Rejected, "{reason}");
    let path = "routeAction.multi.destinations[0].options.headerManipulation.responseHeadersToAdd[0].header.key";
    assert!(reason.contains(path) && reason.contains("use hostRewrite"), "{reason}");
    assert!(world.answer(&get("/")).starts_with("1x 404"), "{}", world.answer(&get("/")));
    assert!(world.answer(&get("/")).contains("1x echo_gloo-system"), "{}", world.answer(&get("/")));
}
