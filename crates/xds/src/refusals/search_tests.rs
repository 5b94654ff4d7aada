//! The search, with a judge in place of an Envoy.

use serde_json::json;
use serin_api::proxy::VirtualHost;
use serin_api::{ResourceId, ResourceKind};

use super::*;
use crate::ResourceType;

/// A host with a route for each of `paths`; a path with `bad` in it is refused.
fn host(name: &str, paths: &[&str]) -> Arc<VirtualHost> {
    let source = json!({"kind": "VirtualService", "namespace": "test", "name": name});
    let routes = paths.iter().map(|path| {
        json!({
            "name": path, "source": source, "matchers": [{"prefix": path}],
            "action": {"directResponse": {"status": 200, "body": ""}},
        })
    });
    let routes: Vec<_> = routes.collect();
    let host = json!({"name": name, "source": source, "domains": [format!("{name}.com")], "routes": routes});
    serde_json::from_value(host).unwrap()
}

fn spec(hosts: &[Arc<VirtualHost>]) -> ProxySpec {
    let mut listener: Listener = serde_json::from_value(json!({
        "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"}, "bindAddress": "::",
        "bindPort": 80, "ssl": false, "stripAnyHostPort": false, "virtualHosts": [],
    }))
    .unwrap();
    listener.virtual_hosts = hosts.to_vec();
    ProxySpec { listeners: vec![Arc::new(listener)], ..ProxySpec::default() }
}

/// What an Envoy says of these throw-away listeners.
fn judge(probes: &[Listener]) -> Vec<Refusal> {
    assert!(probes.len() <= GROUPS);
    let bad = |probe: &&Listener| serde_json::to_string(probe).unwrap().contains("\"/bad");
    let refused: Vec<_> = probes.iter().filter(bad).collect();
    let message: String = refused.iter().map(|probe| format!("{}: no luck\n", probe.name)).collect();
    let refusal = |probe: &&Listener| Refusal {
        kind: ResourceType::Listener,
        resource: probe.name.clone(),
        version: String::new(),
        source: ResourceId::new(ResourceKind::Gateway, "test", "gw"),
        message: format!("Error adding/updating listener(s) {message}"),
    };
    refused.iter().map(refusal).collect()
}

/// The names of the routes that are found, with their fields, and how many rounds it took.
fn find(spec: &ProxySpec, accepted: &ProxySpec) -> (Vec<(String, String)>, usize) {
    let mut search = Search::begin(spec, accepted, "test.gw").unwrap();
    for round in 1..100 {
        search.answer(&judge(&search.probes()));
        if let Some(found) = search.take_found() {
            let told = |found: Found| {
                assert_eq!(found.message, "no luck");
                (found.suspect.route.unwrap().name.clone(), found.field.unwrap_or_default())
            };
            let mut names: Vec<_> = found.into_iter().map(told).collect();
            names.sort();
            return (names, round);
        }
    }
    panic!("it does not end");
}

#[test]
fn the_bad_routes_are_found_among_many_in_a_few_rounds() {
    let paths: Vec<String> =
        (0..2000).map(|n| if n % 900 == 7 { format!("/bad{n}") } else { format!("/{n}") }).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (found, rounds) = find(&spec(&[host("a", &paths), host("b", &["/ok"])]), &ProxySpec::default());
    let expected = ["/bad1807", "/bad7", "/bad907"].map(|name| (name.to_owned(), "matchers[0]".to_owned()));
    assert_eq!(found, expected);
    assert!(rounds < 15, "{rounds}");
}

#[test]
fn what_was_accepted_before_is_no_suspect() {
    let old = spec(&[host("a", &["/bad-but-accepted"]), host("b", &["/1"])]);
    let new = spec(&[host("a", &["/bad-but-accepted", "/bad"]), host("b", &["/1"])]);
    assert_eq!(find(&new, &old).0, [("/bad".to_owned(), "matchers[0]".to_owned())]);
    assert!(Search::begin(&old, &old, "test.gw").is_none(), "nothing is new");
    assert!(Search::begin(&old, &old, "test.other").is_none(), "no such listener");
}
