//! Matchers and their validation, actions and theirs, and routes that are never reached.

use serin_api::StatusState::{self, Accepted, Rejected, Warning};

use crate::fixture::ask::get;
use crate::fixture::{World, app, replacing, says, settings};

fn status_of(route: &str) -> (StatusState, String) {
    let mut world = World::new();
    world.apply(&app(&format!("[{route}]")));
    world.vs_status()
}

#[test]
fn every_kind_of_matcher_is_accepted() {
    for matcher in [
        "{prefix: /a}",
        "{exact: /a}",
        "{regex: '/a(b|c)*'}",
        "{connectMatcher: {}}",
        "{prefix: /a, caseSensitive: false}",
        "{prefix: /a, headers: [{name: x}, {name: w, value: 'a+', regex: true}, {name: ':authority', value: b, invertMatch: true}]}",
        "{prefix: /a, queryParameters: [{name: x}, {name: w, value: z}, {name: z, value: '\\d', regex: true}]}",
        "{prefix: /a, methods: [GET, POST, PROPFIND]}",
        "{prefix: '/a%20b'}",
    ] {
        let route = format!("{{matchers: [{matcher}], {}}}", says("x"));
        assert_eq!(status_of(&route), (Accepted, String::new()), "{matcher}");
    }
}

#[test]
fn no_matchers_at_all_match_every_path() {
    let mut world = World::new();
    world.apply(&app(&format!("[{{{}}}]", says("x")))).serve();
    assert_eq!(world.answer(&get("/anything")), "200 x");
    assert_eq!(world.vs_status().0, Accepted);
}

#[test]
fn malformed_matchers_are_rejected_with_their_path() {
    for (matcher, field, sentence) in [
        ("{}", "matchers[0]", "no path specifier provided"),
        ("{headers: [{name: x}]}", "matchers[0]", "no path specifier provided"),
        ("{regex: '/a('}", "matchers[0].regex", "invalid regex: /a(: unclosed group"),
        ("{regex: '(?:a{1000}){1000}'}", "matchers[0].regex", "bytes once compiled"),
        ("{prefix: /a, exact: /b}", "matchers[0]", "keep only one of prefix, exact, regex"),
        (
            "{prefix: /, headers: [{name: x, value: '(', regex: true}]}",
            "headers[0].value",
            "invalid regex: (: unclosed",
        ),
        ("{prefix: /, headers: [{value: v}]}", "headers[0].name", "is an invalid HTTP header name"),
        ("{prefix: /, headers: [{name: 'a b'}]}", "headers[0].name", "is an invalid HTTP header name"),
        ("{prefix: /, queryParameters: [{value: v}]}", "queryParameters[0].name", "needs a name"),
        (
            "{prefix: /, queryParameters: [{name: x, value: '[', regex: true}]}",
            "queryParameters[0].value",
            "invalid regex",
        ),
        ("{prefix: /, methods: ['GE T']}", "methods[0]", "is no HTTP method"),
        ("{prefix: //a}", "matchers[0].prefix", "path [//a] cannot contain [//]"),
        ("{exact: /a/./b}", "matchers[0].exact", "cannot contain [/./]"),
        ("{prefix: /a/../b}", "matchers[0].prefix", "cannot contain [/../]"),
        ("{prefix: /a%2fb}", "matchers[0].prefix", "cannot contain [%2f]"),
        ("{prefix: /a%2Fb}", "matchers[0].prefix", "cannot contain [%2F]"),
        ("{prefix: '/a#b'}", "matchers[0].prefix", "cannot contain [#]"),
        ("{exact: /a/.}", "matchers[0].exact", "cannot end with [/.]"),
        ("{exact: /a/..}", "matchers[0].exact", "cannot end with [/..]"),
        ("{prefix: '/a b'}", "matchers[0].prefix", "contains ' '"),
        ("{prefix: '/a?b'}", "matchers[0].prefix", "contains '?'"),
        ("{prefix: /ä}", "matchers[0].prefix", "contains 'ä'"),
    ] {
        let (state, reason) = status_of(&format!("{{matchers: [{matcher}], routeAction: {{clusterHeader: x}}}}"));
        assert_eq!(state, Rejected, "{matcher}: {reason}");
        assert!(reason.starts_with("1 error occurred:\n\t* Route Error: InvalidMatcherError. "), "{matcher}: {reason}");
        assert!(
            reason.contains(
                &format!("spec.virtualHost.routes[0].{field}")
                    .replace("routes[0].headers", "routes[0].matchers[0].headers")
                    .replace("routes[0].query", "routes[0].matchers[0].query")
                    .replace("routes[0].methods", "routes[0].matchers[0].methods")
            ),
            "{matcher}: {reason}"
        );
        assert!(reason.contains(sentence), "{matcher}: {reason}");
    }
}

#[test]
fn malformed_actions_are_rejected_with_their_path() {
    for (action, field, sentence) in [
        ("name: x", "", "invalid route: route must specify an action"),
        ("directResponseAction: {status: 200}, redirectAction: {hostRedirect: a}", "", "a route has one action"),
        ("directResponseAction: {status: 99}", ".directResponseAction.status", "99 is no status code"),
        ("directResponseAction: {status: 600}", ".directResponseAction.status", "600 is no status code"),
        ("routeAction: {}", ".routeAction", "must specify one of single, multi"),
        ("routeAction: {clusterHeader: 'a:b'}", ".routeAction.clusterHeader", "a:b is an invalid HTTP header name"),
        (
            "routeAction: {multi: {destinations: []}}",
            ".routeAction.multi",
            "must specify at least one weighted destination",
        ),
        ("routeAction: {single: {}}", ".routeAction.single", "cannot determine the destination"),
        ("redirectAction: {pathRedirect: /a, prefixRewrite: /b}", ".redirectAction", "keep only one of pathRedirect"),
        ("redirectAction: {pathRedirect: /a//b}", ".redirectAction.pathRedirect", "the path is invalid: /a//b"),
        ("redirectAction: {prefixRewrite: '/a b'}", ".redirectAction.prefixRewrite", "the rewrite is invalid: /a b"),
        (
            "redirectAction: {regexRewrite: {pattern: {regex: '('}}}",
            ".redirectAction.regexRewrite.pattern",
            "invalid regex",
        ),
        ("redirectAction: {portRedirect: 70000}", ".redirectAction.portRedirect", "at most 65535"),
    ] {
        let (state, reason) = status_of(&format!("{{matchers: [{{prefix: /}}], {action}}}"));
        assert_eq!(state, Rejected, "{action}: {reason}");
        assert!(reason.contains(&format!("Field: spec.virtualHost.routes[0]{field}")), "{action}: {reason}");
        assert!(reason.contains(sentence), "{action}: {reason}");
    }
}

#[test]
fn an_invalid_route_answers_the_replacement_and_its_neighbours_go_on() {
    let mut world = World::new();
    let routes = format!(
        "[{{matchers: [{{prefix: /odd//path}}], routeAction: {{clusterHeader: x}}}}, \
         {{matchers: [{{regex: '/broken('}}, {{prefix: /whole}}], routeAction: {{clusterHeader: x}}}}, \
         {{matchers: [{{headers: [{{name: x, value: v}}]}}], routeAction: {{clusterHeader: x}}}}, \
         {{matchers: [{{}}], routeAction: {{clusterHeader: x}}}}, \
         {{matchers: [{{prefix: /none}}]}}, \
         {{matchers: [{{prefix: /}}], {}}}]",
        says("fine")
    );
    world.apply(&replacing()).apply(&app(&routes)).serve();
    for (path, headers, answer) in [
        ("/odd//path", &[][..], "404 replaced"),
        ("/whole", &[], "404 replaced"),
        ("/broken(", &[], "200 fine"),
        ("/any", &[("x", "v")], "404 replaced"),
        ("/any", &[], "200 fine"),
        ("/none", &[], "404 replaced"),
    ] {
        assert_eq!(world.answer(&get(path).headers(headers)), answer, "{path} {headers:?}");
    }
    assert_eq!(world.vs_status().0, Rejected);
}

#[test]
fn a_redirect_or_direct_response_is_never_replaced() {
    let mut world = World::new();
    let routes = format!(
        "[{{matchers: [{{prefix: /a//b}}], {}}}, {{matchers: [{{prefix: /c}}], redirectAction: {{pathRedirect: //d}}}}]",
        says("fine")
    );
    world.apply(&replacing()).apply(&app(&routes)).serve();
    assert_eq!(world.answer(&get("/a//b")), "200 fine");
    assert_eq!(world.answer(&get("/c")), "redirect 301");
    assert_eq!(world.vs_status().0, Rejected);
}

#[test]
fn an_unreachable_route_is_advice_or_a_warning() {
    let hidden = format!(
        "[{{matchers: [{{prefix: /a}}], {}}}, {{matchers: [{{prefix: /a/b, methods: [GET]}}], {}}}]",
        says("x"),
        says("later")
    );
    let twins =
        format!("[{{matchers: [{{exact: /a}}], {}}}, {{matchers: [{{exact: /a}}], {}}}]", says("x"), says("later"));
    let regex = format!(
        "[{{matchers: [{{regex: '/a.*'}}], {}}}, {{matchers: [{{exact: /ab}}], {}}}]",
        says("x"),
        says("later")
    );
    for (routes, sentence) in [
        (
            &hidden,
            "virtual host [gloo-system.app] has unordered prefix routes, earlier prefix [/a] of gloo-system.app[0] \
                   short-circuited later route [prefix:/a/b method:GET]",
        ),
        (&twins, "virtual host [gloo-system.app] has conflicting matcher: exact:/a of gloo-system.app[0]"),
        (
            &regex,
            "virtual host [gloo-system.app] has unordered regex routes, earlier regex [/a.*] of gloo-system.app[0] \
                  short-circuited later route [exact:/ab]",
        ),
    ] {
        let mut world = World::new();
        world.apply(&app(routes));
        let (state, reason) = world.vs_status();
        assert_eq!(state, Accepted);
        assert!(reason.starts_with(&format!("advice:\n  {sentence}")), "{reason}");
        assert!(!world.translate().is_invalid());
        world.apply(&settings("{gateway: {validation: {warnRouteShortCircuiting: true}}}"));
        let (state, reason) = world.vs_status();
        assert_eq!(state, Warning);
        assert!(reason.starts_with(&format!("warning:\n  {sentence}")), "{reason}");
        assert!(!world.translate().is_invalid());
    }
}

#[test]
fn a_route_that_can_be_reached_is_not_called_hidden() {
    for (earlier, later) in [
        ("{prefix: /a, methods: [GET]}", "{prefix: /a}"),
        ("{prefix: /a, headers: [{name: x, value: v}]}", "{prefix: /a}"),
        ("{prefix: /a, headers: [{name: x, value: v}]}", "{prefix: /a, headers: [{name: x}]}"),
        ("{prefix: /a, queryParameters: [{name: x, value: v}]}", "{prefix: /a, queryParameters: [{name: x}]}"),
        ("{prefix: /a/b}", "{prefix: /a}"),
        ("{prefix: /a}", "{prefix: /A, caseSensitive: false}"),
        ("{exact: /a}", "{prefix: /a}"),
        ("{regex: '/a'}", "{prefix: /a}"),
        ("{regex: '/ab?'}", "{exact: /abc}"),
    ] {
        let mut world = World::new();
        let routes = format!("[{{matchers: [{earlier}], {}}}, {{matchers: [{later}], {}}}]", says("x"), says("later"));
        world.apply(&app(&routes));
        assert_eq!(world.vs_status(), (Accepted, String::new()), "{earlier} before {later}");
    }
}

#[test]
fn options_are_reported_by_their_path_on_the_table_and_on_the_virtual_service() {
    let mut world = World::new();
    let route =
        format!("[{{matchers: [{{prefix: /}}], options: {{timeout: 5s, tracing: {{}}, waf: {{}}}}, {}}}]", says("x"));
    world.apply(&crate::fixture::table("t", "", "", &route));
    world.apply(&app("[{matchers: [{prefix: /}], delegateAction: {ref: {name: t, namespace: team}}}]"));
    let (state, reason) = world.table_status("t");
    assert_eq!(state, Accepted);
    assert_eq!(
        reason,
        "advice:\n  spec.routes[0].options.tracing: not implemented yet: it has no effect\n\
         spec.routes[0].options.waf: not implemented yet: it has no effect"
    );
    let (state, reason) = world.vs_status();
    assert_eq!(state, Accepted);
    assert!(reason.contains("on sub route table team.t: spec.routes[0].options.waf: not implemented yet"), "{reason}");
}
