//! Options: from the route, from shared options and from the parent, into the served route; and faults among them.

use serin_api::ResourceKind;
use serin_api::StatusState::{Accepted, Rejected};
use serin_api::proxy::{
    Abort, Connect, HostRewrite, PathRewrite, RequestBuffer, RetryCondition, RoutePolicy, Substitution,
};

use crate::fixture::ask::get;
use crate::fixture::{World, app, replacing, says, table, upstream};

const FORWARDS: &str = "routeAction: {single: {upstream: {name: echo, namespace: gloo-system}}}";

fn world() -> World {
    let mut world = World::new();
    world.apply(&upstream("echo", "{static: {hosts: [{addr: 127.0.0.1, port: 80}]}}"));
    world
}

fn policy(world: &World, path: &str) -> Option<RoutePolicy> {
    get(path).route(world.serving()).and_then(|route| route.policy.as_deref().cloned())
}

fn shared(options: &str) -> String {
    format!(
        "{{apiVersion: gateway.solo.io/v1, kind: RouteOption, metadata: {{name: shared, namespace: team, generation: 1}}, \
         spec: {{options: {options}}}}}"
    )
}

#[test]
fn stickiness_is_salted_by_what_it_is_between_and_not_by_the_weights() {
    let route = |first: u32, second: u32, stickiness: &str| {
        let destination = |name, weight| {
            format!("{{destination: {{upstream: {{name: {name}, namespace: gloo-system}}}}, weight: {weight}}}")
        };
        app(&format!(
            "[{{matchers: [{{prefix: /}}], routeAction: {{multi: {{stickiness: {stickiness}, destinations: [{}, {}]}}}}}}]",
            destination("echo", first),
            destination("next", second)
        ))
    };
    let mut world = world();
    world.apply(&replacing());
    world.apply(&upstream("next", "{static: {hosts: [{addr: 127.0.0.1, port: 81}]}}"));
    let mut served = |first, second| {
        world.apply(&route(first, second, "{header: X-User}")).serve();
        assert_eq!(world.vs_status(), (Accepted, String::new()));
        get("/").route(world.serving()).and_then(|route| route.stickiness.clone()).unwrap()
    };
    assert_eq!(served(90, 10), served(10, 90));
    for (stickiness, field, sentence) in [
        ("{}", "stickiness", "set one of cookie and header"),
        ("{header: a, cookie: {name: b}}", "stickiness", "set one of cookie and header"),
        ("{header: 'a b'}", "stickiness.header", "is an invalid HTTP header name"),
        ("{cookie: {name: 'a;b'}}", "stickiness.cookie.name", "is not the name of a cookie"),
        ("{cookie: {name: a, path: 'x;y'}}", "stickiness.cookie.path", "is not a path"),
    ] {
        world.apply(&route(1, 1, stickiness)).serve();
        let (state, reason) = world.vs_status();
        assert_eq!(state, Rejected, "{stickiness}");
        assert!(reason.contains(&format!("multi.{field}")) && reason.contains(sentence), "{stickiness}: {reason}");
        assert!(world.answer(&get("/")).starts_with("404"), "{stickiness}");
    }
}

#[test]
fn options_come_from_the_route_then_from_shared_ones_then_from_the_parent() {
    let mut world = world();
    world.apply(&shared("{timeout: 2s, prefixRewrite: /shared}"));
    let child = format!(
        "[{{matchers: [{{prefix: /a/own}}], options: {{prefixRewrite: /own}}, {FORWARDS}, \
           optionsConfigRefs: {{delegateOptions: [{{name: shared, namespace: team}}]}}}}, \
          {{matchers: [{{prefix: /a}}], {FORWARDS}}}]"
    );
    world.apply(&table("t", "", "", &child));
    let parent = "{matchers: [{prefix: /a}], options: {timeout: 9s, prefixRewrite: /parent}, \
                   delegateAction: {ref: {name: t, namespace: team}}}";
    world.apply(&app(&format!("[{parent}, {{matchers: [{{prefix: /}}], {}}}]", says("x")))).serve();
    assert_eq!(world.vs_status(), (Accepted, String::new()));
    let own = policy(&world, "/a/own").unwrap();
    assert_eq!(own.path_rewrite, Some(PathRewrite::Prefix("/own".into())));
    assert_eq!(own.timeout.unwrap().to_string(), "2s");
    let inherited = policy(&world, "/a/b").unwrap();
    assert_eq!(inherited.path_rewrite, Some(PathRewrite::Prefix("/parent".into())));
    assert_eq!(inherited.timeout.unwrap().to_string(), "9s");
    assert_eq!(policy(&world, "/other"), None);
}

#[test]
fn an_option_at_fault_is_named_and_only_its_own_routes_are_replaced() {
    let mut world = world();
    world.apply(&replacing());
    let routes = format!(
        "[{{matchers: [{{prefix: /bad}}], options: {{timeout: soon}}, {FORWARDS}}}, \
          {{matchers: [{{prefix: /said}}], options: {{timeout: soon}}, {}}}, {{matchers: [{{prefix: /}}], {}}}]",
        says("said"),
        says("fine")
    );
    world.apply(&app(&routes)).serve();
    let (state, reason) = world.vs_status();
    assert_eq!(state, Rejected);
    assert!(reason.contains("\"soon\" is not a length of time; write one like 5s"), "{reason}");
    assert!(reason.contains("spec.virtualHost.routes[0].options.timeout"), "{reason}");
    assert_eq!(world.answer(&get("/fine")), "200 fine");
    assert_eq!(world.answer(&get("/said")), "200 said", "a direct response is never replaced");
    assert!(world.answer(&get("/bad")).starts_with("404"), "{}", world.answer(&get("/bad")));
}

#[test]
fn a_fault_in_shared_options_is_told_to_them_and_to_whoever_takes_them_over() {
    let mut world = world();
    world.apply(&replacing());
    world.apply(&shared("{prefixRewrite: 5}"));
    let route = format!(
        "{{matchers: [{{prefix: /}}], {FORWARDS}, optionsConfigRefs: {{delegateOptions: [{{name: shared, namespace: team}}]}}}}"
    );
    world.apply(&app(&format!("[{route}]"))).serve();
    let (state, reason) = world.status(ResourceKind::RouteOption, "team", "shared");
    assert_eq!(state, Rejected, "{reason}");
    assert!(reason.contains("spec.options.prefixRewrite: this is the integer `5`, expected a string"), "{reason}");
    assert!(world.vs_status().1.contains("spec.options.prefixRewrite"), "{}", world.vs_status().1);
    assert!(world.answer(&get("/")).starts_with("404"));
}

#[test]
fn rewrites_of_the_host_are_one_field_and_hide_the_parents() {
    let mut world = world();
    let child = format!("[{{matchers: [{{prefix: /a}}], options: {{autoHostRewrite: true}}, {FORWARDS}}}]");
    world.apply(&table("t", "", "", &child));
    let parent = "{matchers: [{prefix: /a}], delegateAction: {ref: {name: t, namespace: team}}, options: {hostRewrite: x, \
                   appendXForwardedHost: true, regexRewrite: {pattern: {regex: '^/a'}, substitution: /b}}}";
    world.apply(&app(&format!("[{parent}, {{matchers: [{{prefix: /}}], {}}}]", says("x")))).serve();
    assert_eq!(world.vs_status(), (Accepted, String::new()));
    let merged = policy(&world, "/a").unwrap();
    let regex = Substitution { pattern: "^/a".into(), substitution: "/b".into() };
    assert_eq!(merged.path_rewrite, Some(PathRewrite::Regex(regex)));
    assert_eq!((merged.host_rewrite, merged.append_x_forwarded_host), (Some(HostRewrite::Endpoint), true));
}

#[test]
fn retries_are_served_and_their_faults_are_named() {
    let mut world = world();
    world.apply(&replacing());
    let route = |path: &str, retries: &str| {
        format!("{{matchers: [{{prefix: {path}}}], options: {{retries: {retries}}}, {FORWARDS}}}")
    };
    let good = "{retryOn: '5xx,connect-failure', numRetries: 2, perTryTimeout: 1s}";
    let routes = [route("/good", good), route("/bad", "{retryOn: sometimes}"), route("/worse", "{numRetries: many}")];
    world.apply(&app(&format!("[{}]", routes.join(", ")))).serve();
    let retries = policy(&world, "/good").unwrap().retries.unwrap();
    assert_eq!(retries.on, [RetryCondition::ServerError, RetryCondition::ConnectFailure].into());
    assert_eq!((retries.times, retries.per_try_timeout.unwrap().to_string()), (2, "1s".to_owned()));
    let (state, reason) = world.vs_status();
    assert_eq!(state, Rejected);
    assert!(reason.contains("\"sometimes\" is no condition"), "{reason}");
    assert!(reason.contains("spec.virtualHost.routes[1].options.retries.retryOn"), "{reason}");
    assert!(reason.contains("spec.virtualHost.routes[2].options.retries.numRetries"), "{reason}");
    assert!(world.answer(&get("/bad")).starts_with("404"));
    assert!(world.answer(&get("/worse")).starts_with("404"));
}

#[test]
fn faults_standstill_and_upgrades_are_served_and_their_faults_are_named() {
    let mut world = world();
    world.apply(&replacing());
    let route =
        |path: &str, options: &str| format!("{{matchers: [{{prefix: {path}}}], options: {{{options}}}, {FORWARDS}}}");
    let good = "faults: {abort: {percentage: 12.5, httpStatus: 503}}, idleTimeout: 7s, \
                bufferPerRoute: {buffer: {maxRequestBytes: 9}}, upgrades: [{websocket: {enabled: false}}, {connectTerminate: {}}]";
    let routes = [
        route("/good", good),
        route("/bad", "faults: {delay: {percentage: 101, fixedDelay: 1s}}"),
        route("/worse", "idleTimeout: never"),
        route("/worst", "bufferPerRoute: {buffer: {maxRequestBytes: 0}}"),
        route("/twice", "upgrades: [{connect: {}}, {connectTerminate: {}}]"),
    ];
    world.apply(&app(&format!("[{}]", routes.join(", ")))).serve();
    let served = policy(&world, "/good").unwrap();
    assert_eq!(served.faults.unwrap().abort, Some(Abort { per_million: 125_000, status: 503 }));
    assert_eq!((served.idle_timeout.unwrap().to_string(), served.websocket), ("7s".to_owned(), Some(false)));
    let (state, reason) = world.vs_status();
    assert_eq!(state, Rejected);
    assert!(reason.contains("spec.virtualHost.routes[1].options.faults.delay.percentage"), "{reason}");
    assert!(reason.contains("spec.virtualHost.routes[2].options.idleTimeout"), "{reason}");
    assert_eq!(served.buffer, Some(RequestBuffer::UpTo(9)));
    assert_eq!(served.connect, Some(Connect::Terminate));
    assert!(reason.contains("spec.virtualHost.routes[4].options.upgrades[1]"), "{reason}");
    assert!(reason.contains("routes[3].options.bufferPerRoute.buffer.maxRequestBytes"), "{reason}");
    assert!(world.answer(&get("/bad")).starts_with("404"));
}
