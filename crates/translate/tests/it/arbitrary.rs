//! Manifests with random damage: translation never panics, and what it hands to a data plane always holds together.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use serin_api::proxy::{Action, Forward, PathRedirect, ProxySpec, Target};
use serin_translate::{choose, endpoints, translate};

use crate::fixture::World;

/// What manifests look like before anything happens to them.
fn seeds() -> Vec<Value> {
    let routes = json!([
        {"matchers": [{"prefix": "/a", "headers": [{"name": "x", "value": "1", "regex": true}], "methods": ["GET"]}],
         "routeAction": {"single": {"upstream": {"name": "u", "namespace": "gloo-system"}, "subset": {"values": {"version": "v1"}}}}},
        {"matchers": [{"regex": "/a/(b|c)+"}, {"exact": "/a/d"}], "inheritableMatchers": true,
         "routeAction": {"multi": {"destinations": [
            {"destination": {"kube": {"ref": {"name": "s", "namespace": "one"}, "port": 80}}, "weight": 1},
            {"destination": {"upstream": {"name": "u"}}, "weight": 2, "options": {"extauth": {}}}]}}},
        {"matchers": [{"prefix": "/a"}], "routeAction": {"upstreamGroup": {"name": "g", "namespace": "one"}}},
        {"matchers": [{"prefix": "/a"}], "redirectAction": {"regexRewrite": {"pattern": {"regex": "a+"}, "substitution": "b"}, "portRedirect": 80}},
        {"matchers": [{"prefix": "/a"}], "directResponseAction": {"status": 200, "body": "x"}, "options": {"extauth": {"disable": true}}},
        {"matchers": [{"prefix": "/a", "caseSensitive": false}], "routeAction": {"clusterHeader": "x-cluster"}},
        {"matchers": [{"prefix": "/a"}], "inheritablePathMatchers": true,
         "delegateAction": {"selector": {"namespaces": ["*"], "expressions": [{"key": "team", "operator": "In", "values": ["a"]}]}}},
        {"matchers": [{"prefix": "/a"}], "delegateAction": {"ref": {"name": "t", "namespace": "one"}},
         "optionsConfigRefs": {"delegateOptions": [{"name": "o", "namespace": "one"}]}},
    ]);
    let object = |kind: &str, namespace: &str, name: &str, spec: Value| json!({"kind": kind, "metadata": {"name": name, "namespace": namespace, "labels": {"team": "a"}}, "spec": spec});
    vec![
        object(
            "VirtualService",
            "one",
            "v",
            json!({"virtualHost": {"domains": ["*", "a.com"], "routes": routes, "options": {"jwt": {}}}}),
        ),
        object("VirtualService", "one", "w", json!({"virtualHost": {"domains": ["*.com"], "routes": routes}})),
        object("RouteTable", "one", "t", json!({"weight": 1, "routes": routes})),
        object("RouteTable", "two", "t", json!({"routes": routes})),
        object("RouteOption", "one", "o", json!({"options": {"rbac": {}, "timeout": "5s"}})),
        object(
            "Upstream",
            "gloo-system",
            "u",
            json!({"kube": {"serviceName": "s", "serviceNamespace": "one", "servicePort": 80,
            "subsetSpec": {"selectors": [{"keys": ["version"]}], "fallbackPolicy": "DEFAULT_SUBSET"}}, "loadBalancerConfig": {"random": {}}}),
        ),
        object("Upstream", "one", "u", json!({"static": {"hosts": [{"addr": "a", "port": 80}]}})),
        object(
            "UpstreamGroup",
            "one",
            "g",
            json!({"destinations": [{"destination": {"upstream": {"name": "u"}}, "weight": 1}]}),
        ),
        object(
            "Gateway",
            "gloo-system",
            "gateway-proxy",
            json!({"bindAddress": "::", "bindPort": 8080,
            "httpGateway": {"virtualServiceSelector": {"team": "a"}, "virtualServiceNamespaces": ["*"]}}),
        ),
        object(
            "Settings",
            "gloo-system",
            "default",
            json!({"watchNamespaces": ["one", "two"],
            "gloo": {"invalidConfigPolicy": {"replaceInvalidRoutes": true, "invalidRouteResponseCode": 404}}}),
        ),
    ]
}

/// What can take the place of any value.
fn damage() -> Vec<Value> {
    vec![
        Value::Null,
        json!(""),
        json!("/"),
        json!("*"),
        json!("("),
        json!("//"),
        json!("/a%zz"),
        json!("é"),
        json!("u"),
        json!("one"),
        json!(0),
        json!(-1),
        json!(80),
        json!(4_294_967_295_u32),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!([{}]),
        json!(["*"]),
        json!({"name": "t", "namespace": "one"}),
        json!({"extauth": {}}),
    ]
}

/// Every place in a value, as JSON pointers.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), out)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, value)| places(value, &format!("{at}/{place}"), out))
        }
        _ => {}
    }
}

fn hit(object: &mut Value, place: prop::sample::Index, with: prop::sample::Index) {
    let mut all = Vec::new();
    places(&object["spec"], "/spec", &mut all);
    if let Some(spot) = object.pointer_mut(&all[place.index(all.len())]) {
        *spot = with.get(&damage()).clone();
    }
}

fn holds_together(spec: &ProxySpec) {
    let compiles = |pattern: &str| {
        let limit = serin_translate::PATTERN_SIZE_LIMIT;
        assert!(regex::RegexBuilder::new(pattern).size_limit(limit).build().is_ok(), "{pattern}");
    };
    for listener in &spec.listeners {
        let mut domains = BTreeSet::new();
        for host in &listener.virtual_hosts {
            assert!(!host.domains.is_empty());
            host.domains.iter().for_each(|domain| assert!(!domain.is_empty() && domains.insert(domain), "{domain}"));
            for route in &host.routes {
                assert!(!route.matchers.is_empty());
                for matcher in &route.matchers {
                    let paths = [&matcher.prefix, &matcher.exact, &matcher.regex];
                    let connect = usize::from(matcher.connect_matcher.is_some());
                    assert_eq!(paths.into_iter().flatten().count() + connect, 1, "{matcher:?}");
                    matcher.regex.iter().for_each(|pattern| compiles(pattern));
                    matcher.headers.iter().filter(|header| header.regex).for_each(|header| compiles(&header.value));
                    matcher
                        .query_parameters
                        .iter()
                        .filter(|given| given.regex)
                        .for_each(|given| compiles(&given.value));
                }
                match &route.action {
                    Action::DirectResponse { status, .. } => assert!((200..600).contains(status)),
                    Action::Redirect(redirect) => {
                        if let PathRedirect::Regex { pattern, .. } = &redirect.path {
                            compiles(pattern);
                        }
                    }
                    Action::Forward(Forward::ClusterHeader(header)) => assert!(!header.is_empty()),
                    Action::Forward(Forward::Weighted(targets)) => {
                        let sum: u64 = targets.iter().map(|weighted| u64::from(weighted.weight)).sum();
                        assert!(sum > 0 && sum <= u64::from(u32::MAX));
                        for weighted in targets {
                            let Target::Cluster { cluster, subset } = &weighted.target else { continue };
                            let known = spec.clusters.get(cluster).expect("the cluster is in the proxy");
                            let mut selectors = known.subsets.iter().flat_map(|subsets| &subsets.selectors);
                            let offered = selectors.any(|keys| keys.iter().eq(subset.keys()));
                            assert!(subset.is_empty() || offered, "{cluster}: {subset:?}");
                        }
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_manifests_come_to_something_a_data_plane_can_serve(
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6),
    ) {
        let mut world = World::new();
        world.service("one", "s", &["v1", "v2"]);
        let mut objects = seeds();
        objects.iter().for_each(|object| world.put(object));
        let before = choose(None, &translate(&world.snapshot));
        for (object, place, with) in hits {
            let object = object.index(objects.len());
            hit(&mut objects[object], place, with);
        }
        objects.iter().for_each(|object| world.put(object));
        let translation = translate(&world.snapshot);
        for (_, report) in translation.reports.iter() {
            prop_assert_eq!(report.findings().is_empty(), report.reason().is_empty());
        }
        for served in [choose(None, &translation), choose(Some(&before), &translation)] {
            for proxy in served.proxies.values() {
                holds_together(&proxy.spec);
                let endpoints = endpoints(&world.snapshot, &proxy.spec);
                prop_assert!(endpoints.keys().eq(proxy.spec.clusters.keys()));
            }
        }
    }
}
