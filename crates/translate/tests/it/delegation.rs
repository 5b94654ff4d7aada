//! Delegation: which tables, in which order, what is inherited, and what stays outside.

use serin_api::ResourceKind;
use serin_api::StatusState::{Accepted, Rejected, Warning};

use crate::fixture::ask::get;
use crate::fixture::{ALL_TABLES, World, answers, app, delegate, replacing, says, table, table_in};

#[test]
fn a_table_is_named_by_ref_by_the_old_pair_and_by_selector() {
    for action in [
        "ref: {name: t, namespace: team}",
        "name: t, namespace: team",
        "selector: {namespaces: [team]}",
        "selector: {namespaces: ['*']}",
        "selector: {labels: {a: b}, namespaces: ['*']}",
        "selector: {namespaces: [other, '*'], expressions: [{key: a, operator: Equals, values: [b]}]}",
        "selector: {namespaces: [team], expressions: [{key: a, operator: In, values: [x, b]}, {key: c, operator: '!'}]}",
        "selector: {namespaces: [team], expressions: [{key: a, operator: '=', values: [b]}]}",
        "selector: {namespaces: [team], expressions: [{key: a, operator: notin, values: [x]}]}",
        "selector: {namespaces: [team], expressions: [{key: num, operator: gt, values: ['6']}]}",
    ] {
        let mut world = World::new();
        world.apply(&table("t", "a: b, num: '7'", "", &format!("[{}]", answers("{prefix: /a}", "t"))));
        world.apply(&app(&format!("[{}]", delegate("/a", action)))).serve();
        assert_eq!(world.answer(&get("/a")), "200 t", "{action}");
        assert_eq!(world.vs_status(), (Accepted, String::new()), "{action}");
    }
}

#[test]
fn what_names_no_table_is_left_out_with_a_warning() {
    for (action, sentence) in [
        ("ref: {name: gone, namespace: team}", "route table team.gone missing"),
        ("ref: {name: t}", "route table .t missing"),
        ("name: gone, namespace: team", "route table team.gone missing"),
        ("selector: {namespaces: [elsewhere]}", "no route table matches the given selector"),
        ("selector: {}", "no route table matches the given selector"),
        ("selector: {labels: {a: c}, namespaces: ['*']}", "no route table matches the given selector"),
        (
            "selector: {labels: {a: b}, expressions: [{key: a, operator: Exists}], namespaces: ['*']}",
            "cannot use both labels and expressions within the same selector",
        ),
        (
            "selector: {expressions: [{key: a, operator: In}], namespaces: ['*']}",
            "the route table selector expression is invalid: label \"a\": operator In needs at least one value",
        ),
        ("", "cannot determine delegation target"),
    ] {
        let mut world = World::new();
        world.apply(&table("t", "a: b", "", &format!("[{}]", answers("{prefix: /a}", "t"))));
        world.apply(&app(&format!("[{}, {}]", delegate("/a", action), answers("{prefix: /}", "next")))).serve();
        let (state, reason) = world.vs_status();
        assert_eq!(state, Warning, "{action}: {reason}");
        assert!(reason.starts_with("warning:\n  spec.virtualHost.routes[0].delegateAction"), "{action}: {reason}");
        assert!(reason.contains(sentence), "{action}: {reason}");
        assert_eq!(world.answer(&get("/a")), "200 next", "{action}");
        assert!(!world.translate().is_invalid(), "{action}");
    }
}

#[test]
fn a_selector_without_namespaces_looks_in_its_owners_own() {
    let mut world = World::new();
    world.apply(&table_in("gloo-system", "mine", "", "", &format!("[{}]", answers("{prefix: /a}", "mine"))));
    world.apply(&table("other", "", "", &format!("[{}]", answers("{prefix: /a}", "other"))));
    world.apply(&app(&format!("[{}]", delegate("/a", "selector: {labels: {}}")))).serve();
    assert_eq!(world.order(), ["mine"]);
}

#[test]
fn the_delegating_route_takes_one_prefix() {
    for (matchers, sentence) in [
        ("[{prefix: /a}, {prefix: /b}]", "routes with delegate actions must omit or specify a single matcher"),
        ("[{exact: /a}]", "routes with delegate actions must use a prefix matcher"),
        ("[{regex: /a}]", "routes with delegate actions must use a prefix matcher"),
        ("[{prefix: ''}]", "routes with delegate actions must use a prefix matcher"),
    ] {
        let mut world = World::new();
        world.apply(&replacing()).apply(&table("t", "", "", &format!("[{}]", answers("{prefix: /a}", "t"))));
        world.apply(&app(&format!("[{{matchers: {matchers}, delegateAction: {{{ALL_TABLES}}}}}]"))).serve();
        let (state, reason) = world.vs_status();
        assert_eq!(state, Rejected, "{matchers}");
        assert_eq!(reason, format!("1 error occurred:\n\t* spec.virtualHost.routes[0]: invalid route: {sentence}"));
        assert_eq!(world.answer(&get("/a")), "404 replaced", "{matchers}");
    }
}

#[test]
fn a_delegate_matcher_without_a_path_counts_as_plain_slash() {
    for matchers in ["[]", "[{}]", "[{headers: [{name: x}]}]"] {
        let mut world = World::new();
        world.apply(&table("t", "", "", &format!("[{}]", answers("{prefix: /a}", "t"))));
        world.apply(&app(&format!("[{{matchers: {matchers}, delegateAction: {{{ALL_TABLES}}}}}]"))).serve();
        assert_eq!(world.order(), ["t"], "{matchers}");
        assert_eq!(world.vs_status().0, Accepted, "{matchers}");
    }
}

#[test]
fn tables_come_by_weight_and_one_table_keeps_its_own_order() {
    let mut world = World::new();
    let own = format!("[{}, {}]", answers("{prefix: /a}", "short"), answers("{prefix: /a/b}", "long"));
    world.apply(&table("z-first", "", "weight: -1", &own));
    world.apply(&table("b-default", "", "", &format!("[{}]", answers("{prefix: /b}", "default"))));
    world.apply(&table("a-last", "", "weight: 5", &format!("[{}]", answers("{prefix: /z}", "last"))));
    world.apply(&app(&format!("[{}]", delegate("/", ALL_TABLES)))).serve();
    assert_eq!(world.order(), ["short", "long", "default", "last"]);
}

#[test]
fn tables_of_one_weight_are_merged_and_sorted_by_specificity() {
    let mut world = World::new();
    let one = [
        answers("{prefix: /}", "prefix /"),
        answers("{prefix: /a}", "prefix /a"),
        answers("{regex: /b.*}", "regex /b"),
        answers("{exact: /a}", "exact /a"),
        answers("{prefix: /, methods: [GET]}", "1 method"),
    ];
    let two = [
        answers("{prefix: /a/b}", "prefix /a/b"),
        answers("{exact: /b}", "exact /b"),
        answers("{regex: /c.*}", "regex /c"),
        answers("{prefix: /a}", "prefix /a again"),
        answers("{prefix: /, methods: [GET, PUT]}", "2 methods"),
        format!("{{matchers: [{{prefix: /}}, {{exact: /c}}], {}}}", says("several")),
        format!("{{{}}}", says("none")),
    ];
    world.apply(&table("one", "", "", &format!("[{}]", one.join(", "))));
    world.apply(&table("two", "", "", &format!("[{}]", two.join(", "))));
    world.apply(&app(&format!("[{}]", delegate("/", ALL_TABLES)))).serve();
    assert_eq!(
        world.order(),
        [
            "2 methods",
            "1 method",
            "several",
            "exact /b",
            "exact /a",
            "regex /c",
            "regex /b",
            "prefix /a/b",
            "prefix /a",
            "prefix /a again",
            "prefix /",
            "none",
        ]
    );
}

#[test]
fn a_child_outside_its_parent_is_left_out_and_its_siblings_live() {
    for (parent, child, sentence) in [
        ("prefix: /a", "{prefix: /b}", "must begin with the prefix of their parent route's matcher"),
        ("prefix: /a", "{exact: /b}", "required prefix: /a, prefix: /b"),
        ("prefix: /a", "{regex: '/.*'}", "required prefix: /a, prefix: /.*"),
        ("prefix: /a", "{}", "required prefix: /a, prefix: :"),
        ("prefix: /a", "{prefix: /a, caseSensitive: false}", "required caseSensitive: true, caseSensitive: false"),
        ("prefix: /a, headers: [{name: x, value: v}]", "{prefix: /a}", "must have all headers"),
        (
            "prefix: /a, headers: [{name: x, value: v}]",
            "{prefix: /a, headers: [{name: x, value: z}]}",
            "required header: x=v",
        ),
        (
            "prefix: /a, headers: [{name: x}]",
            "{prefix: /a, headers: [{name: x, invertMatch: true}]}",
            "required header: x=",
        ),
        ("prefix: /a, queryParameters: [{name: q}]", "{prefix: /a}", "must have all query params"),
        (
            "prefix: /a, queryParameters: [{name: q}]",
            "{prefix: /a, queryParameters: [{name: q, value: v}]}",
            "query param",
        ),
        ("prefix: /a, methods: [GET, PUT]", "{prefix: /a, methods: [GET]}", "required method: PUT"),
        ("prefix: /a, methods: [GET]", "{prefix: /a}", "must have all methods"),
    ] {
        let mut world = World::new();
        let fine = format!("{{{parent}}}");
        let routes = format!("[{}, {}]", answers(child, "out"), answers(&fine, "in"));
        world.apply(&table("t", "", "", &routes));
        world.apply(&app(&format!("[{{matchers: [{{{parent}}}], delegateAction: {{{ALL_TABLES}}}}}]"))).serve();
        assert_eq!(world.order(), ["in"], "{parent} over {child}");
        for (state, reason) in [world.vs_status(), world.table_status("t")] {
            assert_eq!(state, Warning, "{parent} over {child}");
            assert!(reason.contains(sentence), "{parent} over {child}: {reason}");
        }
        assert!(world.vs_status().1.starts_with("warning:\n  on sub route table team.t: "));
        assert!(!world.translate().is_invalid());
    }
}

#[test]
fn a_child_inside_its_parent_is_served() {
    for (parent, child) in [
        ("prefix: /a", "{prefix: /a}"),
        ("prefix: /a", "{prefix: /ab}"),
        ("prefix: /a", "{exact: /a/b}"),
        ("prefix: /a", "{regex: '/a/[0-9]+'}"),
        ("prefix: /a", "{prefix: /a, caseSensitive: true}"),
        ("prefix: /a, caseSensitive: true", "{prefix: /a}"),
        ("prefix: /a, headers: [{name: x, value: v}]", "{prefix: /a, headers: [{name: z}, {name: x, value: v}]}"),
        ("prefix: /a, methods: [GET]", "{prefix: /a, methods: [PUT, GET]}"),
        ("prefix: /a, queryParameters: [{name: q}]", "{prefix: /a, queryParameters: [{name: r}, {name: q}]}"),
    ] {
        let mut world = World::new();
        world.apply(&table("t", "", "", &format!("[{}]", answers(child, "in"))));
        world.apply(&app(&format!("[{{matchers: [{{{parent}}}], delegateAction: {{{ALL_TABLES}}}}}]"))).serve();
        assert_eq!(world.order(), ["in"], "{parent} over {child}");
        assert_eq!(world.vs_status(), (Accepted, String::new()), "{parent} over {child}");
    }
}

#[test]
fn a_child_without_a_matcher_is_left_out_under_a_longer_prefix() {
    let mut world = World::new();
    world.apply(&table("t", "", "", &format!("[{{{}}}]", says("t"))));
    world.apply(&app(&format!("[{}]", delegate("/a", ALL_TABLES)))).serve();
    assert_eq!(world.order(), Vec::<String>::new());
    world.apply(&app(&format!("[{}]", delegate("/", ALL_TABLES)))).serve();
    assert_eq!(world.order(), ["t"]);
}

#[test]
fn conditions_are_inherited_when_asked_for() {
    let parent =
        "matchers: [{prefix: /a, headers: [{name: x, value: v}], methods: [GET], queryParameters: [{name: q}]}]";
    for (on_parent, on_child, inherits) in [
        ("", "inheritableMatchers: true, ", true),
        ("inheritableMatchers: true, ", "", true),
        ("inheritableMatchers: true, ", "inheritableMatchers: false, ", false),
        ("", "", false),
    ] {
        let mut world = World::new();
        world.apply(&table(
            "t",
            "",
            "",
            &format!("[{{{on_child}matchers: [{{prefix: /a/b, headers: [{{name: z}}]}}], {}}}]", says("t")),
        ));
        world.apply(&app(&format!("[{{{on_parent}{parent}, delegateAction: {{{ALL_TABLES}}}}}]"))).serve();
        assert_eq!(world.order().len(), usize::from(inherits), "{on_parent} {on_child}");
        if inherits {
            let route = &world.serving().listeners[0].virtual_hosts[0].routes[0];
            let matcher = &route.matchers[0];
            let headers: Vec<&str> = matcher.headers.iter().map(|header| header.name.as_str()).collect();
            assert_eq!((headers, matcher.methods.len(), matcher.query_parameters.len()), (vec!["x", "z"], 1, 1));
        }
    }
}

#[test]
fn the_path_is_inherited_when_asked_for_down_the_whole_branch() {
    let mut world = World::new();
    let leaf = format!(
        "[{{matchers: [{{prefix: '/nonsense//'}}], {}}}, {{{}}}, {{inheritablePathMatchers: false, matchers: [{{prefix: /a/own}}], {}}}]",
        says("takes the path"),
        says("no matcher"),
        says("own")
    );
    world.apply(&table("leaf", "", "", &leaf));
    world.apply(&table(
        "middle",
        "",
        "",
        "[{matchers: [{headers: [{name: x}]}], delegateAction: {ref: {name: leaf, namespace: team}}}]",
    ));
    world.apply(&app(
        "[{inheritablePathMatchers: true, inheritableMatchers: true, matchers: [{prefix: /a, caseSensitive: false}], \
         delegateAction: {ref: {name: middle, namespace: team}}}]",
    ));
    world.serve();
    assert_eq!(world.order(), ["takes the path", "no matcher"]);
    for route in &world.serving().listeners[0].virtual_hosts[0].routes {
        let matcher = &route.matchers[0];
        assert_eq!((matcher.prefix.as_deref(), matcher.case_sensitive), (Some("/a"), Some(false)));
        assert_eq!(matcher.headers.len(), 1);
        assert_eq!(route.via.len(), 1);
    }
    // `own` says nothing of case, its parent does.
    let (state, reason) = world.vs_status();
    assert_eq!(state, Warning);
    assert!(reason.contains("required caseSensitive: false, caseSensitive: true"), "{reason}");
}

#[test]
fn a_table_that_nobody_delegates_to_is_told_of_its_faults() {
    let mut world = World::new();
    world.apply(&table(
        "t",
        "",
        "",
        "[{matchers: [{prefix: /}], routeAction: {single: {upstream: {name: gone, namespace: x}}}}]",
    ));
    assert_eq!(
        world.table_status("t"),
        (
            Warning,
            "warning:\n  Route Warning: InvalidDestinationWarning. Reason: *v1.Upstream {gone x} not found".to_owned()
        )
    );
    assert!(!world.translate().is_invalid());
}

#[test]
fn watch_namespaces_narrow_what_is_read() {
    let mut world = World::new();
    world.apply(&table("t", "", "", &format!("[{}]", answers("{prefix: /}", "t"))));
    world.apply(&table_in("other", "o", "", "", &format!("[{}]", answers("{prefix: /}", "o"))));
    world.apply(&crate::fixture::settings("{watchNamespaces: [team]}"));
    world.apply(&app(&format!("[{}]", delegate("/", ALL_TABLES)))).serve();
    assert_eq!(world.order(), ["t"]);
    let unread = serin_api::ResourceId::new(ResourceKind::RouteTable, "other", "o");
    assert!(world.translate().reports.get(&unread).is_none());
}

#[test]
fn a_table_that_cannot_be_read_is_replaced_where_it_would_be() {
    let mut world = World::new();
    world.apply(&replacing());
    world.apply(&table("fine", "a: b", "", &format!("[{}]", answers("{prefix: /x/fine}", "fine"))));
    world.apply(&table("broken", "a: b", "", "nonsense"));
    world
        .apply(&app(&format!(
            "[{}, {}]",
            delegate("/x", "selector: {labels: {a: b}, namespaces: ['*']}"),
            answers("{prefix: /}", "next")
        )))
        .serve();
    assert_eq!(world.order(), ["fine", "404", "next"]);
    let (state, reason) = world.table_status("broken");
    assert_eq!(state, Rejected);
    assert!(reason.contains("cannot be read: spec.routes: "), "{reason}");
    let (state, reason) = world.vs_status();
    assert_eq!(state, Rejected);
    assert!(reason.contains("route table team.broken cannot be read"), "{reason}");
}
