//! A real Envoy refuses one team's route: that team is told, and everybody else's routes are served.
#![allow(clippy::unwrap_used)]

mod stage;

use std::sync::Arc;

use serde_json::{Value, json};
use serin_api::ResourceKind;
use serin_api::proxy::{EndpointMap, ProxySpec};
use serin_xds::{Feed, ListenerAddresses, Replacement};
use stage::{Stage, eventually, get};

/// RE2 has no look-ahead.
const REFUSED: &str = "/(?=x)";

fn route(table: &str, matcher: Value, body: &str) -> Value {
    json!({
        "name": table, "source": {"kind": "RouteTable", "namespace": "test", "name": table}, "matchers": [matcher],
        "action": {"directResponse": {"status": 200, "body": body}},
    })
}

fn host(name: &str, routes: &[Value]) -> Value {
    let source = json!({"kind": "VirtualService", "namespace": "test", "name": name});
    json!({"name": name, "source": source, "domains": [format!("{name}.com")], "routes": routes})
}

fn spec(hosts: &[Value]) -> Arc<ProxySpec> {
    let listener = json!({
        "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"}, "bindAddress": "::",
        "bindPort": 8080, "ssl": false, "stripAnyHostPort": false, "virtualHosts": hosts,
    });
    serde_json::from_value(json!({"listeners": [listener], "clusters": {}, "sources": []})).unwrap()
}

fn publish(feed: &mut Feed, spec: Arc<ProxySpec>, replacement: Replacement) {
    let addresses =
        ListenerAddresses { bind: Some(std::net::Ipv4Addr::LOCALHOST.into()), port_map: [(8080, 0)].into() };
    feed.publish(spec, EndpointMap::new(), addresses, replacement);
}

/// Lets the feed work until `condition` holds.
fn until(feed: &mut Feed, what: &str, mut condition: impl FnMut(&Feed) -> bool) {
    eventually(what, || {
        feed.look();
        condition(feed)
    });
}

fn body(stage: &Stage, host: &str, path: &str) -> String {
    let answer = get(stage.address("test.gw"), host, path);
    answer.rsplit("\r\n").next().unwrap().to_owned()
}

fn withdraws(delta: bool) {
    let Some(stage) = Stage::set(delta) else { return };
    let mut feed = Feed::new(stage.server.clone());
    let good = |body: &str| spec(&[host("a", &[route("mine", json!({"prefix": "/mine"}), body)]), host("b", &[])]);
    publish(&mut feed, good("one"), None);
    until(&mut feed, "the first is served", |_| stage.server.nodes().iter().any(|node| node.snapshot > 0));
    until(&mut feed, "the first is served", |_| body(&stage, "a.com", "/mine") == "one");

    // Two teams change at once: one does it right, one does not, and a third team shares a host with that one.
    let changed = spec(&[
        host(
            "a",
            &[route("mine", json!({"regex": REFUSED}), "wrong"), route("shared", json!({"prefix": "/shared"}), "ok")],
        ),
        host("b", &[route("other", json!({"prefix": "/other"}), "new")]),
    ]);
    publish(&mut feed, changed.clone(), None);
    until(&mut feed, "the others are served", |_| body(&stage, "b.com", "/other") == "new");
    assert_eq!(body(&stage, "a.com", "/shared"), "ok");
    assert_eq!(body(&stage, "a.com", "/mine"), "one", "what was accepted goes on");
    let [complaint] = feed.complaints() else { panic!("{:?}", feed.complaints()) };
    assert_eq!((complaint.owner.kind, complaint.owner.name.as_str()), (ResourceKind::RouteTable, "mine"));
    for expected in ["route mine of virtual host a", "matchers[0]", "(?="] {
        assert!(complaint.reason.contains(expected), "{}", complaint.reason);
    }
    for unwanted in ["serin-probe", "route_config", "listener"] {
        assert!(!complaint.reason.contains(unwanted), "{}", complaint.reason);
    }
    until(&mut feed, "nothing is left of the search", |_| {
        !stage.envoy.listeners().keys().any(|name| name.contains("serin-probe"))
    });

    publish(&mut feed, good("mended"), None);
    until(&mut feed, "what was mended is served", |_| body(&stage, "a.com", "/mine") == "mended");
    until(&mut feed, "nothing is left to complain of", |feed| feed.complaints().is_empty());
}

#[test]
fn one_refused_route_holds_up_no_other() {
    withdraws(true);
}

#[test]
fn one_refused_route_holds_up_no_other_in_the_state_of_the_world() {
    withdraws(false);
}

#[test]
fn a_route_that_was_never_accepted_is_replaced_or_left_out() {
    let Some(stage) = Stage::set(true) else { return };
    let mut feed = Feed::new(stage.server.clone());
    let bad_header = json!({"name": "x", "regex": true, "value": "(?=x)"});
    let routes = [
        route("bad", json!({"prefix": "/bad", "headers": [bad_header]}), "wrong"),
        route("rest", json!({"prefix": "/"}), "rest"),
    ];
    // From the very first configuration on, and with a replacement whose matcher is refused as well.
    publish(&mut feed, spec(&[host("a", &routes)]), Some((418, "replaced".to_owned())));
    until(&mut feed, "the rest is served", |feed| {
        !feed.complaints().is_empty() && body(&stage, "a.com", "/x") == "rest"
    });
    assert_eq!(feed.complaints().len(), 1);
}
