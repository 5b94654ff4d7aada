//! Gateways and domains: what listens, which VirtualServices it serves, and who has a domain.

use serin_api::ResourceKind;
use serin_api::StatusState::{Accepted, Rejected};

use crate::fixture::ask::get;
use crate::fixture::{World, says, settings, virtual_service};

fn gateway(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: gateway.solo.io/v1\nkind: Gateway\nmetadata: {{name: {name}, namespace: gloo-system}}\nspec: {spec}\n"
    )
}

fn plain(name: &str, domains: &str) -> String {
    virtual_service(name, domains, &format!("[{{matchers: [{{prefix: /}}], {}}}]", says(name)))
}

fn labelled(name: &str, labels: &str) -> String {
    plain(name, &format!("{name}.example"))
        .replace(&format!("{{name: {name}, "), &format!("{{name: {name}, labels: {{{labels}}}, "))
}

fn gateway_status(world: &World, name: &str) -> (serin_api::StatusState, String) {
    world.status(ResourceKind::Gateway, "gloo-system", name)
}

#[test]
fn the_two_gateways_from_the_start() {
    let mut world = World::new();
    world.serve();
    let listeners: Vec<_> =
        world.serving().listeners.iter().map(|listener| (listener.name.as_str(), listener.bind_port)).collect();
    assert_eq!(listeners, [("gloo-system.gateway-proxy", 8080), ("gloo-system.gateway-proxy-ssl", 8443)]);
    assert_eq!(world.answer(&get("/")), "404");
    assert!(world.translate().reports.iter().all(|(_, report)| report.findings().is_empty()));
}

#[test]
fn a_gateway_picks_by_expressions_else_labels_else_refs_else_all() {
    for (http, served) in [
        ("{}", &["a", "b", "c"][..]),
        ("{virtualServiceSelector: {team: one}}", &["a"]),
        ("{virtualServices: [{name: b, namespace: gloo-system}]}", &["b"]),
        ("{virtualServices: [{name: b, namespace: gloo-system}], virtualServiceSelector: {team: one}}", &["a"]),
        ("{virtualServiceExpressions: {expressions: [{key: team, operator: Exists}]}}", &["a", "b"]),
        ("{virtualServiceExpressions: {expressions: [{key: team, operator: NotIn, values: [one]}]}}", &["b", "c"]),
        ("{virtualServiceExpressions: {expressions: []}, virtualServiceSelector: {team: one}}", &["a", "b", "c"]),
        ("{virtualServiceNamespaces: [elsewhere]}", &[]),
        ("{virtualServiceNamespaces: [elsewhere, '*']}", &["a", "b", "c"]),
        ("{virtualServiceSelector: {team: one}, virtualServiceNamespaces: [elsewhere]}", &[]),
        ("{virtualServices: [{name: b, namespace: gloo-system}], virtualServiceNamespaces: [elsewhere]}", &["b"]),
    ] {
        let mut world = World::new();
        world.apply(&labelled("a", "team: one")).apply(&labelled("b", "team: two")).apply(&labelled("c", ""));
        world
            .apply(&gateway("gateway-proxy", &format!("{{bindAddress: '::', bindPort: 8080, httpGateway: {http}}}")))
            .serve();
        for name in ["a", "b", "c"] {
            let host = format!("{name}.example");
            let answer = if served.contains(&name) { format!("200 {name}") } else { "404".to_owned() };
            assert_eq!(world.answer(&get("/").host(&host)), answer, "{http}: {name}");
            let (state, reason) = world.status(ResourceKind::VirtualService, "gloo-system", name);
            assert_eq!(
                (state, reason.contains("no Gateway chooses")),
                (Accepted, !served.contains(&name)),
                "{http}: {reason}"
            );
        }
    }
}

#[test]
fn malformed_gateways_are_rejected_and_nothing_listens_for_them() {
    for (spec, sentence) in [
        ("{bindAddress: '::', bindPort: 8081}", "spec: invalid gateway: gateway must contain gatewayType"),
        ("{bindAddress: '::', bindPort: 0, httpGateway: {}}", "spec.bindPort: 0 is no port"),
        ("{bindAddress: '::', bindPort: 70000, httpGateway: {}}", "spec.bindPort: 70000 is no port"),
        ("{bindAddress: here, bindPort: 8081, httpGateway: {}}", "spec.bindAddress: \"here\" is no IP address"),
        ("{bindAddress: '::', bindPort: 8081, httpGateway: {}, tcpGateway: {}}", "a Gateway has one type"),
        ("{bindAddress: '::', bindPort: 8080, httpGateway: {}}", "bind-address :::8080 is not unique in a proxy"),
        ("{bindAddress: 127.0.0.1, bindPort: 8080, httpGateway: {}}", "bind-address 127.0.0.1:8080 is not unique"),
    ] {
        let mut world = World::new();
        world.apply(&plain("app", "'*'")).apply(&gateway("other", spec)).serve();
        let (state, reason) = gateway_status(&world, "other");
        assert_eq!(state, Rejected, "{spec}");
        assert!(reason.contains(sentence), "{spec}: {reason}");
        assert!(world.translate().is_invalid());
        // The one that was there first goes on.
        assert_eq!(world.serving().listeners.len(), 2, "{spec}");
        assert_eq!(world.answer(&get("/")), "200 app", "{spec}");
    }
}

#[test]
fn two_gateways_on_one_port_are_both_told() {
    let mut world = World::new();
    world.apply(&gateway("a-newcomer", "{bindAddress: 0.0.0.0, bindPort: 8080, httpGateway: {}}"));
    for name in ["a-newcomer", "gateway-proxy"] {
        let (state, reason) = gateway_status(&world, name);
        assert_eq!(state, Rejected);
        assert!(reason.contains("gateways: gloo-system.gateway-proxy,gloo-system.a-newcomer"), "{reason}");
    }
    world.apply(&gateway("a-newcomer", "{bindAddress: 0.0.0.0, bindPort: 8080, httpGateway: {}, proxyNames: [other]}"));
    assert_eq!(gateway_status(&world, "gateway-proxy").0, Accepted);
    assert_eq!(world.translate().proxies.len(), 2);
}

#[test]
fn faulty_choices_are_errors_on_the_gateway() {
    for (http, sentence) in [
        (
            "{virtualServices: [{name: gone, namespace: x}]}",
            "virtualServices[0]: invalid virtual service ref x.gone: not found",
        ),
        (
            "{virtualServiceExpressions: {expressions: [{key: a, operator: In}]}}",
            "the virtual service selector expression is invalid",
        ),
    ] {
        let mut world = World::new();
        world
            .apply(&gateway("gateway-proxy", &format!("{{bindAddress: '::', bindPort: 8080, httpGateway: {http}}}")))
            .serve();
        let (state, reason) = gateway_status(&world, "gateway-proxy");
        assert_eq!(state, Rejected);
        assert!(reason.contains(sentence), "{reason}");
        assert!(world.translate().is_invalid());
        assert_eq!(world.serving().listeners.len(), 2);
    }
}

#[test]
fn tcp_and_hybrid_gateways_are_advice() {
    for kind in ["tcpGateway", "hybridGateway"] {
        let mut world = World::new();
        world.apply(&gateway("other", &format!("{{bindAddress: '::', bindPort: 9000, {kind}: {{}}}}"))).serve();
        let (state, reason) = gateway_status(&world, "other");
        assert_eq!(state, Accepted);
        assert!(reason.contains(&format!("spec.{kind}: not implemented yet")), "{reason}");
        assert_eq!(world.serving().listeners.len(), 2);
        assert!(!world.translate().is_invalid());
    }
}

#[test]
fn gateways_are_read_where_the_settings_say() {
    let elsewhere =
        gateway("other", "{bindAddress: '::', bindPort: 9000, httpGateway: {}}").replace("gloo-system", "team");
    let mut world = World::new();
    world.apply(&elsewhere).serve();
    assert_eq!(world.serving().listeners.len(), 2);
    let (state, reason) = world.status(ResourceKind::Gateway, "team", "other");
    assert_eq!(state, Accepted);
    assert!(reason.contains("readGatewaysFromAllNamespaces"), "{reason}");
    world.apply(&settings("{gateway: {readGatewaysFromAllNamespaces: true}}")).serve();
    assert_eq!(world.serving().listeners.len(), 3);
}

#[test]
fn domains_are_served_by_precedence() {
    let mut world = World::new();
    world.apply(&plain("exact", "a.example.com")).apply(&plain("suffix", "'*.example.com'"));
    world.apply(&plain("prefix", "'a.*'")).apply(&plain("any", "'*'")).serve();
    for (host, name) in
        [("a.example.com", "exact"), ("b.example.com", "suffix"), ("a.other", "prefix"), ("other", "any")]
    {
        assert_eq!(world.answer(&get("/").host(host)), format!("200 {name}"));
    }
}

#[test]
fn no_domains_mean_every_host() {
    let mut world = World::new();
    world.apply(&plain("app", "")).serve();
    assert_eq!(world.answer(&get("/").host("anything")), "200 app");
    assert_eq!(world.vs_status(), (Accepted, String::new()));
}

#[test]
fn a_domain_in_two_virtual_services_is_an_error_on_both_and_on_the_gateway() {
    for (first, second, domain) in [("a.com", "A.com, b.com", "a.com"), ("'*'", "", "*"), ("''", "''", "")] {
        let mut world = World::new();
        world.apply(&plain("zz-first", first)).apply(&plain("app", second)).serve();
        if domain.is_empty() {
            // Two empty domains: each is an error by itself, and none is a conflict.
            assert!(world.vs_status().1.contains("has an empty domain"));
            continue;
        }
        let (state, reason) = world.vs_status();
        assert_eq!(state, Rejected);
        assert!(reason.contains(&format!("the [{domain}] domain is present in other virtual services")), "{reason}");
        assert!(reason.contains("[gloo-system.zz-first]"), "{reason}");
        let (state, reason) = world.status(ResourceKind::VirtualService, "gloo-system", "zz-first");
        assert_eq!(state, Rejected);
        assert!(reason.contains("[gloo-system.app]"), "{reason}");
        let (state, reason) = gateway_status(&world, "gateway-proxy");
        assert_eq!(state, Rejected);
        assert!(
            reason.contains(&format!("more than one of the virtual services associated with this gateway: [{domain}]")),
            "{reason}"
        );
        // The older one has it; what the newer one has besides is served.
        assert_eq!(world.answer(&get("/").host("a.com")), "200 zz-first");
        if second.contains("b.com") {
            assert_eq!(world.answer(&get("/").host("b.com")), "200 app");
        }
    }
}

#[test]
fn faulty_domains_are_errors_and_the_others_are_served() {
    for (domains, path, sentence) in [
        ("a.com, ''", "domains[1]", "has an empty domain"),
        ("a.com, a.com", "domains[1]", "domain a.com is shared by the following virtual hosts"),
        ("a.com, A.COM", "domains[1]", "domain a.com is shared by the following virtual hosts"),
    ] {
        let mut world = World::new();
        world.apply(&plain("app", domains)).serve();
        let (state, reason) = world.vs_status();
        assert_eq!(state, Rejected, "{domains}");
        assert!(reason.contains(sentence) && reason.contains(path), "{domains}: {reason}");
        assert_eq!(world.answer(&get("/").host("a.com")), "200 app");
        assert_eq!(world.answer(&get("/").host("other")), "404");
    }
}

#[test]
fn an_empty_domain_alone_does_not_mean_every_host() {
    let mut world = World::new();
    world.apply(&plain("app", "''")).serve();
    assert_eq!(world.answer(&get("/")), "404");
}

#[test]
fn a_port_is_cut_off_when_the_connection_manager_says_so() {
    let mut world = World::new();
    world.apply(&gateway(
        "gateway-proxy",
        "{bindAddress: '::', bindPort: 8080, httpGateway: {options: {httpConnectionManagerSettings: {stripAnyHostPort: true, tracing: {}}}}}",
    ));
    world.serve();
    assert!(world.serving().listeners[0].strip_any_host_port);
    assert_eq!(
        gateway_status(&world, "gateway-proxy").1,
        "advice:\n  spec.httpGateway.options.httpConnectionManagerSettings.tracing: not implemented yet: it has no effect"
    );
}
