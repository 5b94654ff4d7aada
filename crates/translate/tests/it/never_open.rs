//! Never open: whatever asks for authentication answers 403, before every policy.

use serin_api::ResourceKind;
use serin_api::StatusState::{Accepted, Rejected, Warning};

use crate::fixture::ask::get;
use crate::fixture::{World, app, replacing, says, settings, table, upstream};

const AUTH: &str = "options: {extauth: {configRef: {name: a, namespace: b}}}, ";
const OPEN: &str = "options: {extauth: {disable: true}}, ";

fn route(prefix: &str, options: &str, body: &str) -> String {
    format!("{{matchers: [{{prefix: {prefix}}}], {options}{}}}", says(body))
}

/// A VirtualService `app` whose host has these fields besides its routes.
fn host(fields: &str, routes: &str) -> String {
    app(routes).replace("    routes:", &format!("    {fields}\n    routes:"))
}

#[test]
fn a_route_that_asks_is_closed_and_its_neighbours_are_not() {
    let mut world = World::new();
    world.apply(&app(&format!("[{}, {}]", route("/admin", AUTH, "admin"), route("/", "", "open")))).serve();
    assert_eq!(world.answer(&get("/admin")), "403");
    assert_eq!(world.answer(&get("/")), "200 open");
    let (state, reason) = world.vs_status();
    assert_eq!(state, Accepted);
    assert_eq!(
        reason,
        "advice:\n  spec.virtualHost.routes[0].options.extauth: not implemented yet: what asks for it answers 403"
    );
}

#[test]
fn a_host_that_asks_is_closed_but_for_routes_that_say_no() {
    let mut world = World::new();
    let routes = format!("[{}, {}]", route("/health", OPEN, "health"), route("/app", "", "app"));
    world.apply(&host("options: {extauth: {configRef: {name: a, namespace: b}}}", &routes)).serve();
    assert_eq!(world.answer(&get("/health")), "200 health");
    assert_eq!(world.answer(&get("/app")), "403");
    assert_eq!(world.answer(&get("/nobody")), "403");
}

#[test]
fn shared_options_and_parents_close_too() {
    let option = "apiVersion: gateway.solo.io/v1\nkind: RouteOption\nmetadata: {name: secured, namespace: team}\nspec: {options: {jwtStaged: {beforeExtAuth: {}}}}\n";
    let refs = "optionsConfigRefs: {delegateOptions: [{name: secured, namespace: team}]}, ";
    let mut world = World::new();
    let routes = format!(
        "[{}, {}, {}]",
        route("/a/own", OPEN, "own"),
        route("/a/shared", refs, "shared"),
        route("/a", "", "plain")
    );
    world.apply(option).apply(&table("t", "", "", &routes));
    let delegate = |options: &str| {
        app(&format!(
            "[{{matchers: [{{prefix: /a}}], {options}delegateAction: {{ref: {{name: t, namespace: team}}}}}}]"
        ))
    };
    world.apply(&delegate("")).serve();
    assert_eq!(world.answer(&get("/a/shared")), "403");
    assert_eq!(world.answer(&get("/a")), "200 plain");
    world.apply(&delegate(AUTH)).serve();
    assert_eq!(world.answer(&get("/a")), "403");
    assert_eq!(world.answer(&get("/a/own")), "200 own", "what the route itself says stands");
    let (state, reason) = world.status(ResourceKind::RouteOption, "team", "secured");
    assert_eq!(state, Accepted);
    assert!(reason.contains("spec.options.jwtStaged: not implemented yet"), "{reason}");
    assert!(
        world.vs_status().1.contains("on RouteOption team.secured: spec.options.jwtStaged"),
        "{}",
        world.vs_status().1
    );
}

#[test]
fn options_for_hosts_close_the_host() {
    let mut world = World::new();
    world.apply("apiVersion: gateway.solo.io/v1\nkind: VirtualHostOption\nmetadata: {name: secured, namespace: team}\nspec: {options: {extauth: {}}}\n");
    let refs = "optionsConfigRefs: {delegateOptions: [{name: secured, namespace: team}]}";
    world.apply(&host(refs, &format!("[{}]", route("/", "", "open")))).serve();
    assert_eq!(world.answer(&get("/")), "403");
}

#[test]
fn missing_options_are_a_warning_and_options_that_cannot_be_read_close() {
    let refs = "optionsConfigRefs: {delegateOptions: [{name: shared, namespace: team}]}, ";
    let mut world = World::new();
    world.apply(&app(&format!("[{}, {}]", route("/a", refs, "a"), route("/", "", "open")))).serve();
    let (state, reason) = world.vs_status();
    assert_eq!(state, Warning);
    assert!(reason.contains("delegateOptions[0]: RouteOption team.shared not found"), "{reason}");
    assert!(!world.translate().is_invalid());
    assert_eq!(world.answer(&get("/a")), "200 a");

    world.apply(&replacing());
    world.apply("apiVersion: gateway.solo.io/v1\nkind: RouteOption\nmetadata: {name: shared, namespace: team}\nspec: nonsense\n").serve();
    assert_eq!(world.answer(&get("/a")), "403");
    assert_eq!(world.answer(&get("/")), "200 open");
    assert_eq!(world.vs_status().0, Rejected);
}

#[test]
fn a_destination_that_asks_is_closed_alone() {
    let mut world = World::new();
    world
        .service("echo", "echo", &["v1"])
        .apply(&upstream("echo", "{kube: {serviceName: echo, serviceNamespace: echo, servicePort: 80}}"));
    let one = |options: &str| format!("{{destination: {{upstream: {{name: echo}}}}, {options}weight: 1}}");
    world
        .apply(&app(&format!(
            "[{{matchers: [{{prefix: /}}], routeAction: {{multi: {{destinations: [{}, {}]}}}}}}]",
            one(AUTH),
            one("")
        )))
        .serve();
    assert_eq!(world.answer(&get("/")), "1x 403 | 1x echo_gloo-system: v1");
}

#[test]
fn settings_that_require_rbac_close_everything() {
    let mut world = World::new();
    world.apply(&app(&format!("[{}]", route("/", "", "open")))).apply(&settings("{rbac: {requireRbac: true}}")).serve();
    assert_eq!(world.answer(&get("/")), "403");
}

#[test]
fn closed_comes_before_replaced_and_a_broken_matcher_closes_more_and_not_less() {
    let closed = |matchers: &str| {
        format!("{{matchers: [{matchers}], {AUTH}routeAction: {{single: {{upstream: {{name: gone}}}}}}}}")
    };
    for (matcher, shut, open) in [
        ("{prefix: /admin}", "/admin/x", "/other"),
        ("{regex: '/admin/('}", "/admin/x", "/other"),
        ("{prefix: /admin, headers: [{name: x, value: '(', regex: true}]}", "/admin", "/other"),
        ("{prefix: /admin//x}", "/admin//x", "/admin"),
    ] {
        let mut world = World::new();
        world.apply(&replacing()).apply(&app(&format!("[{}, {}]", closed(matcher), route("/", "", "open")))).serve();
        assert_eq!(world.answer(&get(shut)), "403", "{matcher}");
        assert_eq!(world.answer(&get(open)), "200 open", "{matcher}");
    }
    let mut world = World::new();
    world.apply(&replacing()).apply(&app(&format!("[{}, {}]", closed("{regex: '('}"), route("/", "", "open")))).serve();
    assert_eq!(world.answer(&get("/anything")), "403");
}

#[test]
fn a_closed_route_that_delegates_into_a_cycle_stays_closed() {
    let mut world = World::new();
    world.apply(&replacing());
    world.apply(&table(
        "a",
        "",
        "",
        &format!("[{{matchers: [{{prefix: /x}}], {AUTH}delegateAction: {{ref: {{name: a, namespace: team}}}}}}]"),
    ));
    world.apply(&app("[{matchers: [{prefix: /}], delegateAction: {ref: {name: a, namespace: team}}}]")).serve();
    assert_eq!(world.answer(&get("/x")), "403");
}

/// A world that serves `first` and is then frozen by a missing Upstream in another table while `second` is applied.
fn frozen(first: &str, second: &str) -> World {
    let mut world = World::new();
    world.apply(first).serve();
    world.apply(&crate::fixture::virtual_service(
        "broken",
        "broken.example",
        "[{matchers: [{prefix: /}], routeAction: {single: {upstream: {name: gone}}}}]",
    ));
    world.apply(second).serve();
    assert!(world.translate().is_invalid());
    world
}

#[test]
fn what_is_newly_closed_outranks_the_last_good_configuration() {
    let open = format!("[{}, {}]", route("/admin", "", "admin"), route("/", "", "open"));
    for (second, path, answer) in [
        // A route that asks now, and its neighbour whose change waits.
        (format!("[{}, {}]", route("/admin", AUTH, "admin"), route("/", "", "changed")), "/admin", "403"),
        (format!("[{}, {}]", route("/admin", AUTH, "admin"), route("/", "", "changed")), "/", "200 open"),
        // A new closed route in front of what is served.
        (format!("[{}, {}]", route("/new", AUTH, "new"), route("/", "", "open")), "/new", "403"),
        (format!("[{}, {}]", route("/new", AUTH, "new"), route("/", "", "open")), "/", "200 open"),
        // What is open before the closed route stays so.
        (format!("[{}, {}]", route("/admin", "", "admin"), route("/", AUTH, "x")), "/admin", "200 admin"),
        (format!("[{}, {}]", route("/admin", "", "admin"), route("/", AUTH, "x")), "/other", "403"),
        // A new open route is not served yet, and opens nothing.
        (format!("[{}, {}]", route("/public", "", "public"), route("/", AUTH, "x")), "/public", "403"),
    ] {
        let world = frozen(&app(&open), &app(&second));
        assert_eq!(world.answer(&get(path)), answer, "{path} with {second}");
    }
}

#[test]
fn a_newly_closed_host_outranks_the_last_good_configuration() {
    let routes = format!("[{}, {}]", route("/a", "", "a"), route("/b", "", "b"));
    let fewer = format!("[{}]", route("/a", "", "a"));
    let world = frozen(&app(&routes), &host("options: {extauth: {}}", &fewer));
    for path in ["/a", "/b", "/c"] {
        assert_eq!(world.answer(&get(path)), "403", "{path}");
    }
    // A host that is new, and closed, is not served by a wider one.
    let new = crate::fixture::virtual_service("new", "new.example", &format!("[{}]", route("/x", AUTH, "x")));
    let world = frozen(&app(&routes), &new);
    assert_eq!(world.answer(&get("/x").host("new.example")), "403");
    assert_eq!(world.answer(&get("/a").host("new.example")), "200 a");
    assert_eq!(world.answer(&get("/a").host("other")), "200 a");
}

#[test]
fn what_now_asks_for_tls_is_no_longer_served_in_plain_text_though_frozen() {
    let open = app(&format!("[{}]", route("/", "", "open")));
    let tls = open.replace("spec:\n", "spec:\n  sslConfig: {secretRef: {name: a, namespace: b}}\n");
    let world = frozen(&open, &tls);
    assert_eq!(world.answer(&get("/")), "404");
}
