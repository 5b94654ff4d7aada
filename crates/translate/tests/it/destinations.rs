//! Destinations: Upstreams, groups, Services and subsets, and where their endpoints are.

use serin_api::ResourceKind;
use serin_api::StatusState::{Accepted, Rejected, Warning};
use serin_api::proxy::{CircuitBreakers, LoadBalancing, SubsetFallback};

use crate::fixture::ask::get;
use crate::fixture::{World, app, replacing, settings, table, upstream};

const KUBE: &str = "{kube: {serviceName: echo, serviceNamespace: echo, servicePort: 80, selector: {app: echo}, \
                    subsetSpec: {selectors: [{keys: [version]}, {keys: [version, stage]}]}}}";

fn to(action: &str) -> String {
    app(&format!("[{{matchers: [{{prefix: /}}], routeAction: {{{action}}}}}]"))
}

fn world() -> World {
    let mut world = World::new();
    world.service("echo", "echo", &["v1", "v2"]).apply(&upstream("echo", KUBE));
    world
}

fn not_found(name: &str) -> String {
    format!("warning:\n  Route Warning: InvalidDestinationWarning. Reason: *v1.{name} not found")
}

#[test]
fn destinations_resolve_to_the_pods() {
    for (action, answer) in [
        ("single: {upstream: {name: echo, namespace: gloo-system}}", "echo_gloo-system: v1,v2"),
        ("single: {upstream: {name: echo}}", "echo_gloo-system: v1,v2"),
        ("single: {upstream: {name: echo}, subset: {values: {version: v2}}}", "echo_gloo-system: v2"),
        ("single: {upstream: {name: echo}, subset: {values: {}}}", "echo_gloo-system: v1,v2"),
        ("single: {upstream: {name: echo}, subset: {values: {version: v9}}}", "echo_gloo-system: v1,v2"),
        ("single: {kube: {ref: {name: echo, namespace: echo}, port: 80}}", "kube-svc:echo-echo-80_echo: v1,v2"),
        ("single: {upstream: {name: echo-echo-80, namespace: gloo-system}}", "echo-echo-80_gloo-system: v1,v2"),
        (
            "multi: {destinations: [{destination: {upstream: {name: echo}}, weight: 3}, {destination: {upstream: {name: echo}}}]}",
            "3x echo_gloo-system: v1,v2",
        ),
        ("upstreamGroup: {name: group, namespace: gloo-system}", "2x echo_gloo-system: v1 | 1x echo_gloo-system: v2"),
        ("clusterHeader: x-cluster", "cluster of x-cluster"),
    ] {
        let mut world = world();
        world.apply(GROUP).apply(&to(action)).serve();
        assert_eq!(world.vs_status(), (Accepted, String::new()), "{action}");
        assert_eq!(world.answer(&get("/")), answer, "{action}");
    }
}

const GROUP: &str = "
apiVersion: gloo.solo.io/v1
kind: UpstreamGroup
metadata: {name: group, namespace: gloo-system}
spec:
  destinations:
  - {destination: {upstream: {name: echo}, subset: {values: {version: v1}}}, weight: 2}
  - {destination: {upstream: {name: echo}, subset: {values: {version: v2}}}, weight: 1}
";

#[test]
fn a_cluster_header_may_name_any_upstream() {
    let mut world = world();
    world
        .apply(&upstream("other", "{static: {hosts: [{addr: example.com, port: 80}]}}"))
        .apply(&to("clusterHeader: x"))
        .serve();
    let names: Vec<&str> = world.serving().clusters.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["echo_gloo-system", "other_gloo-system"]);
}

#[test]
fn what_does_not_exist_is_an_invalid_destination() {
    for (action, name) in [
        ("single: {upstream: {name: gone, namespace: x}}", "Upstream {gone x}"),
        ("single: {upstream: {name: gone}}", "Upstream {gone gloo-system}"),
        ("single: {kube: {ref: {name: gone, namespace: x}, port: 80}}", "Upstream {kube-svc:x-gone-80 x}"),
        ("single: {kube: {ref: {name: echo, namespace: echo}, port: 81}}", "Upstream {kube-svc:echo-echo-81 echo}"),
        ("single: {kube: {ref: {name: echo}, port: 80}}", "Upstream {kube-svc:-echo-80 }"),
        ("upstreamGroup: {name: gone, namespace: x}", "UpstreamGroup {gone x}"),
        ("upstreamGroup: {name: gone}", "UpstreamGroup {gone }"),
        ("multi: {destinations: [{destination: {upstream: {name: gone}}, weight: 1}]}", "Upstream {gone gloo-system}"),
    ] {
        let mut world = world();
        world.apply(&replacing()).apply(&to(action)).serve();
        assert_eq!(world.vs_status(), (Warning, not_found(name)), "{action}");
        assert!(world.translate().is_invalid(), "{action}");
        assert!(world.answer(&get("/")).ends_with("404 replaced"), "{action}");
    }
}

#[test]
fn an_upstream_without_a_namespace_is_in_the_namespace_of_who_names_it() {
    let mut world = world();
    world.apply(&table("t", "", "", "[{matchers: [{prefix: /}], routeAction: {single: {upstream: {name: echo}}}}]"));
    assert_eq!(world.table_status("t").1, not_found("Upstream {echo team}"));
}

#[test]
fn only_the_bad_destination_among_several_is_replaced() {
    let action = "multi: {destinations: [{destination: {upstream: {name: gone}}, weight: 1}, \
                  {destination: {upstream: {name: echo}}, weight: 3}]}";
    let mut world = world();
    world.apply(&replacing()).apply(&to(action)).serve();
    assert_eq!(world.answer(&get("/")), "1x 404 replaced | 3x echo_gloo-system: v1,v2");
}

#[test]
fn a_groups_faults_are_on_the_group_and_on_who_routes_to_it() {
    let mut world = world();
    world
        .apply(&replacing())
        .apply(&GROUP.replace("{upstream: {name: echo}, subset: {values: {version: v2}}}", "{upstream: {name: gone}}"));
    world.apply(&to("upstreamGroup: {name: group, namespace: gloo-system}")).serve();
    let (state, reason) = world.status(ResourceKind::UpstreamGroup, "gloo-system", "group");
    assert_eq!(state, Rejected);
    assert_eq!(
        reason,
        "1 error occurred:\n\t* spec.destinations[1].destination.upstream: *v1.Upstream {gone gloo-system} not found"
    );
    assert_eq!(world.vs_status(), (Warning, not_found("Upstream {gone gloo-system}")));
    assert_eq!(world.answer(&get("/")), "2x echo_gloo-system: v1 | 1x 404 replaced");
}

#[test]
fn weights_that_cannot_be_shared_out_are_errors() {
    for (weights, sentence) in [
        ([0, 0], "Weighted Destinations require a total weight that is greater than or equal to 1"),
        ([u32::MAX, 1], "add up to more than 4294967295"),
    ] {
        let destination = |weight: u32| format!("{{destination: {{upstream: {{name: echo}}}}, weight: {weight}}}");
        let mut world = world();
        world.apply(&replacing());
        world
            .apply(&to(&format!("multi: {{destinations: [{}, {}]}}", destination(weights[0]), destination(weights[1]))))
            .serve();
        let (state, reason) = world.vs_status();
        assert_eq!(state, Rejected);
        assert!(reason.contains(sentence), "{reason}");
        assert_eq!(world.answer(&get("/")), "404 replaced");
    }
}

#[test]
fn a_subset_that_the_upstream_does_not_have_is_an_error() {
    for values in ["{stage: a}", "{version: a, stage: b, team: c}", "{team: a}"] {
        let mut world = world();
        world
            .apply(&replacing())
            .apply(&to(&format!("single: {{upstream: {{name: echo}}, subset: {{values: {values}}}}}")))
            .serve();
        let (state, reason) = world.vs_status();
        assert_eq!(state, Rejected, "{values}");
        assert!(
            reason.contains("route has a subset config, but none of the subsets in the upstream match it"),
            "{values}: {reason}"
        );
        assert!(reason.contains("Upstream gloo-system/echo has [version], [stage version]"), "{values}: {reason}");
        assert_eq!(world.answer(&get("/")), "404 replaced");
    }
}

#[test]
fn a_subset_of_an_upstream_without_subsets_is_a_warning_and_nobody_waits() {
    let mut world = world();
    world.apply(&upstream("plain", "{kube: {serviceName: echo, serviceNamespace: echo, servicePort: 80}}"));
    world.apply(&to("single: {upstream: {name: plain}, subset: {values: {version: v1}}}")).serve();
    assert_eq!(
        world.vs_status(),
        (
            Warning,
            "warning:\n  Route Warning: InvalidDestinationWarning. Reason: route has a subset config, but the upstream does not"
                .to_owned()
        )
    );
    assert!(!world.translate().is_invalid());
    assert_eq!(world.answer(&get("/")), "plain_gloo-system: v1,v2");
}

#[test]
fn fallback_policies() {
    for (policy, fallback, answer) in [
        ("", SubsetFallback::AnyEndpoint, "echo_gloo-system: v1,v2"),
        ("fallbackPolicy: ANY_ENDPOINT, ", SubsetFallback::AnyEndpoint, "echo_gloo-system: v1,v2"),
        ("fallbackPolicy: NO_FALLBACK, ", SubsetFallback::None, "503"),
        (
            "fallbackPolicy: DEFAULT_SUBSET, defaultSubset: {values: {version: v1}}, ",
            SubsetFallback::DefaultSubset([("version".to_owned(), "v1".to_owned())].into()),
            "echo_gloo-system: v1",
        ),
    ] {
        let mut world = world();
        world.apply(&upstream(
            "echo",
            &format!("{{kube: {{serviceName: echo, serviceNamespace: echo, servicePort: 80, subsetSpec: {{{policy}selectors: [{{keys: [version]}}]}}}}}}"),
        ));
        world.apply(&to("single: {upstream: {name: echo}, subset: {values: {version: v9}}}")).serve();
        let cluster = &world.serving().clusters["echo_gloo-system"];
        assert_eq!(cluster.subsets.as_ref().unwrap().fallback, fallback);
        assert_eq!(world.answer(&get("/")), answer, "{policy}");
    }
}

fn ring(minimum: u64, maximum: u64) -> LoadBalancing {
    LoadBalancing::RingHash { minimum, maximum, by_name: false }
}

#[test]
fn load_balancing_is_carried_over() {
    for (config, expected) in [
        ("{}", Some(LoadBalancing::RoundRobin)),
        ("{roundRobin: {}}", Some(LoadBalancing::RoundRobin)),
        ("{leastRequest: {}}", Some(LoadBalancing::LeastRequest { choices: 2 })),
        ("{leastRequest: {choiceCount: 5}}", Some(LoadBalancing::LeastRequest { choices: 5 })),
        ("{random: {}}", Some(LoadBalancing::Random)),
        ("{random: {}, roundRobin: {}}", None),
        ("{ringHash: {}}", Some(ring(1024, 8_388_608))),
        ("{ringHash: {ringHashConfig: {minimumRingSize: 0, maximumRingSize: 4096}}}", Some(ring(1024, 4096))),
        ("{ringHash: {ringHashConfig: {minimumRingSize: 64, maximumRingSize: 64}}}", Some(ring(64, 64))),
        ("{maglev: {}}", Some(LoadBalancing::Maglev { by_name: false })),
        ("{maglev: {}, useHostnameForHashing: true}", Some(LoadBalancing::Maglev { by_name: false })),
        ("{maglev: {}, ringHash: {}}", None),
        ("{ringHash: {ringHashConfig: {maximumRingSize: 1000}}}", None),
        ("{ringHash: {ringHashConfig: {minimumRingSize: 8388609}}}", None),
        ("{ringHash: {ringHashConfig: {maximumRingSize: 8388609}}}", None),
    ] {
        let mut world = world();
        world.apply(&upstream(
            "echo",
            &format!(
                "{{loadBalancerConfig: {config}, kube: {{serviceName: echo, serviceNamespace: echo, servicePort: 80}}}}"
            ),
        ));
        world.apply(&to("single: {upstream: {name: echo}}")).serve();
        let chosen = world.serving().clusters["echo_gloo-system"].load_balancing;
        assert_eq!(chosen, expected.unwrap_or_default(), "{config}");
        let (state, _) = world.status(ResourceKind::Upstream, "gloo-system", "echo");
        assert_eq!(state, if expected.is_some() { Accepted } else { Rejected }, "{config}");
    }
}

#[test]
fn only_fixed_hosts_are_placed_by_name_and_sizes_at_fault_are_named() {
    let mut world = world();
    world.apply(&upstream(
        "echo",
        "{static: {hosts: [{addr: a.example, port: 80}]}, loadBalancerConfig: {ringHash: {}, useHostnameForHashing: true}}",
    ));
    world.apply(&to("single: {upstream: {name: echo}}")).serve();
    let chosen = world.serving().clusters["echo_gloo-system"].load_balancing;
    assert_eq!(chosen, LoadBalancing::RingHash { minimum: 1024, maximum: 8_388_608, by_name: true });
    let config = "{ringHash: {ringHashConfig: {maximumRingSize: 1000}}}";
    world.apply(&upstream(
        "echo",
        &format!("{{static: {{hosts: [{{addr: a, port: 80}}]}}, loadBalancerConfig: {config}}}"),
    ));
    world.serve();
    let (_, reason) = world.status(ResourceKind::Upstream, "gloo-system", "echo");
    let expected = "spec.loadBalancerConfig.ringHash.ringHashConfig.maximumRingSize: \
                    1000 is less than minimumRingSize (1024, its default)";
    assert!(reason.contains(expected), "{reason}");
}

#[test]
fn circuit_breakers_are_the_upstreams_own_or_those_for_all() {
    let echo = |breakers: &str| {
        upstream("echo", &format!("{{{breakers} static: {{hosts: [{{addr: a.example, port: 80}}]}}}}"))
    };
    let mut world = world();
    world.apply(&echo("")).apply(&to("single: {upstream: {name: echo}}")).serve();
    let breakers = |world: &World| world.serving().clusters["echo_gloo-system"].circuit_breakers;
    assert!(breakers(&world).is_unset());
    world.apply(&settings("{gloo: {circuitBreakers: {maxConnections: 5, maxRetries: 7}}}")).serve();
    let for_all = CircuitBreakers { connections: Some(5), retries: Some(7), ..CircuitBreakers::default() };
    assert_eq!(breakers(&world), for_all);
    world.apply(&echo("circuitBreakers: {maxRequests: 0, maxPendingRequests: 2},")).serve();
    let own = CircuitBreakers { requests: Some(0), pending: Some(2), ..CircuitBreakers::default() };
    assert_eq!(breakers(&world), own, "an Upstream's own replace them whole");
    // Services that are routed to directly have those for all.
    world.apply(&to("single: {kube: {ref: {name: echo, namespace: echo}, port: 80}}")).serve();
    assert_eq!(world.serving().clusters["kube-svc:echo-echo-80_echo"].circuit_breakers, for_all);
    world.apply(&echo("circuitBreakers: {maxRequests: -1},")).serve();
    assert_eq!(world.status(ResourceKind::Upstream, "gloo-system", "echo").0, Rejected);
}

#[test]
fn the_panic_threshold_is_a_percentage() {
    for (written, expected) in
        [("0", Some(0.0)), ("33.5", Some(33.5)), ("100", Some(100.0)), ("101", None), ("-1", None)]
    {
        let config = format!("loadBalancerConfig: {{healthyPanicThreshold: {written}}}");
        let mut world = world();
        world.apply(&upstream("echo", &format!("{{{config}, static: {{hosts: [{{addr: a.example, port: 80}}]}}}}")));
        world.apply(&to("single: {upstream: {name: echo}}")).serve();
        assert_eq!(world.serving().clusters["echo_gloo-system"].panic_percent, expected, "{written}");
        let (state, reason) = world.status(ResourceKind::Upstream, "gloo-system", "echo");
        assert_eq!(state, if expected.is_some() { Accepted } else { Rejected }, "{written}");
        assert_eq!(reason.contains("spec.loadBalancerConfig.healthyPanicThreshold: "), expected.is_none(), "{reason}");
    }
}

#[test]
fn a_missing_service_is_a_warning_on_the_upstream_and_on_whoever_routes_to_it() {
    for (port, field, sentence) in [
        (80, "spec.kube.serviceName", "Service other.gone not found"),
        (81, "spec.kube.servicePort", "Service echo.echo has no port 81"),
    ] {
        let service = if port == 80 {
            "serviceName: gone, serviceNamespace: other"
        } else {
            "serviceName: echo, serviceNamespace: echo"
        };
        let mut world = world();
        world.apply(&upstream("lost", &format!("{{kube: {{{service}, servicePort: {port}}}}}")));
        world.apply(&table(
            "t",
            "",
            "",
            "[{matchers: [{prefix: /}], routeAction: {single: {upstream: {name: lost, namespace: gloo-system}}}}]",
        ));
        world.apply(&app("[{matchers: [{prefix: /}], delegateAction: {ref: {name: t, namespace: team}}}]")).serve();
        let (state, reason) = world.status(ResourceKind::Upstream, "gloo-system", "lost");
        assert_eq!(state, Warning);
        assert!(reason.starts_with(&format!("warning:\n  {field}: {sentence}")), "{reason}");
        for (state, reason) in [world.vs_status(), world.table_status("t")] {
            assert_eq!(state, Warning);
            assert!(reason.contains(sentence), "{reason}");
        }
        assert!(!world.translate().is_invalid());
        assert_eq!(world.answer(&get("/")), "503");
        // Nobody has to touch the routes when the Service comes.
        world.service("other", "gone", &["v1"]).serve();
        assert_eq!(world.answer(&get("/")), if port == 80 { "lost_gloo-system: v1" } else { "503" });
    }
}

#[test]
fn a_kube_upstream_takes_only_the_pods_it_selects() {
    let mut world = world();
    world.apply(&upstream(
        "echo",
        "{kube: {serviceName: echo, serviceNamespace: echo, servicePort: 80, selector: {version: v2}}}",
    ));
    world.apply(&to("single: {upstream: {name: echo}}")).serve();
    assert_eq!(world.answer(&get("/")), "echo_gloo-system: v2");
}

#[test]
fn a_static_upstream_has_its_hosts() {
    let mut world = world();
    world.apply(&upstream(
        "fixed",
        "{static: {hosts: [{addr: a.example, port: 8080}, {addr: 127.0.0.9, port: 81, loadBalancingWeight: 3}]}}",
    ));
    world.apply(&to("single: {upstream: {name: fixed}}")).serve();
    assert_eq!(world.vs_status(), (Accepted, String::new()));
    assert_eq!(world.answer(&get("/")), "fixed_gloo-system: a.example:8080,127.0.0.9:81");
    let weights: Vec<u32> = serin_translate::endpoints(&world.snapshot, world.serving())["fixed_gloo-system"]
        .iter()
        .map(|endpoint| endpoint.weight)
        .collect();
    assert_eq!(weights, [1, 3]);
}

#[test]
fn malformed_upstreams_are_rejected_and_their_routes_replaced() {
    for (spec, sentence) in [
        ("{}", "spec: an Upstream needs a type"),
        ("{static: {hosts: []}}", "spec.static.hosts: must name at least one host"),
        ("{static: {hosts: [{addr: '', port: 80}]}}", "spec.static.hosts[0].addr: addr cannot be empty"),
        ("{static: {hosts: [{addr: a, port: 0}]}}", "spec.static.hosts[0].port: 0 is no port"),
        ("{static: {hosts: [{addr: a, port: 70000}]}}", "spec.static.hosts[0].port: 70000 is no port"),
        ("{static: {hosts: [{addr: a, port: 80}]}, kube: {serviceName: a}}", "an Upstream has one type"),
        ("{static: nonsense}", "cannot be read: spec.static"),
        (
            "{static: {hosts: [{addr: a, port: 80, loadBalancingWeight: 4294967295}, {addr: b, port: 80}]}}",
            "spec.static.hosts: the weights add up to 4294967296",
        ),
    ] {
        let mut world = world();
        world.apply(&replacing()).apply(&upstream("bad", spec)).apply(&to("single: {upstream: {name: bad}}")).serve();
        let (state, reason) = world.status(ResourceKind::Upstream, "gloo-system", "bad");
        assert_eq!(state, Rejected, "{spec}");
        assert!(reason.contains(sentence), "{spec}: {reason}");
        assert_eq!(world.vs_status().0, Rejected, "{spec}");
        assert_eq!(world.answer(&get("/")), "404 replaced", "{spec}");
    }
}

#[test]
fn a_type_of_upstream_that_is_not_implemented_is_advice() {
    let mut world = world();
    world.apply(&upstream("cloud", "{aws: {region: us-east-1, secretRef: {name: a, namespace: b}}}"));
    world.apply(&to("single: {upstream: {name: cloud}}")).serve();
    for (state, reason) in [world.status(ResourceKind::Upstream, "gloo-system", "cloud"), world.vs_status()] {
        assert_eq!(state, Accepted);
        assert!(
            reason.contains("spec.aws: this type of Upstream is not implemented yet; its routes answer 503"),
            "{reason}"
        );
    }
    assert_eq!(world.answer(&get("/")), "503");
}

#[test]
fn discovered_upstreams_exist_unless_they_are_switched_off() {
    let action = "single: {upstream: {name: echo-echo-80, namespace: gloo-system}}";
    for (spec, exists) in [
        ("{}", true),
        ("{discovery: {fdsMode: WHITELIST}}", true),
        ("{discovery: {fdsMode: DISABLED}}", false),
        ("{discovery: {udsOptions: {enabled: false}}}", false),
        ("{discoveryNamespace: elsewhere}", false),
    ] {
        let mut world = world();
        world.apply(&settings(spec)).apply(&to(action));
        assert_eq!(world.vs_status().0, if exists { Accepted } else { Warning }, "{spec}");
    }
    let mut world = world();
    world.apply(&settings("{discoveryNamespace: elsewhere}")).apply(&to(&action.replace("gloo-system", "elsewhere")));
    assert_eq!(world.vs_status(), (Accepted, String::new()));
}
