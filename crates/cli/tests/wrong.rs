//! Bad input, and bad configuration: what is said, how it ends, and that what was served goes on.
#![allow(clippy::unwrap_used)]

mod instance;

use instance::{Instance, table, text};

const APP: &str = "apiVersion: gateway.solo.io/v1\nkind: VirtualService\nmetadata: {name: app, namespace: gloo-system}\nspec:\n  \
                   virtualHost:\n    domains: ['*']\n    routes:\n    - matchers: [{prefix: /}]\n      delegateAction: {selector: \
                   {namespaces: [gloo-system]}}\n";
const TO_NOWHERE: &str = "apiVersion: gateway.solo.io/v1\nkind: RouteTable\nmetadata: {name: team-a, namespace: \
                          gloo-system}\nspec:\n  routes:\n  - matchers: [{prefix: /a}]\n    routeAction: {single: {upstream: \
                          {name: missing, namespace: gloo-system}}}\n";

#[test]
fn bad_input_is_explained_and_changes_nothing() {
    let instance = Instance::start();
    instance.apply(&table("team-a", "/a", "one"));
    instance.apply(APP);
    instance.until("/a", 200, "one");

    let broken = table("team-a", "/a", "two").replace("spec:", "spec: [");
    let unknown_field = table("team-a", "/a", "two").replace("status: 200", "status: 200, statsu: 1");
    let wrong_type = table("team-a", "/a", "two").replace("- matchers: [{prefix: /a}]", "- matchers: {prefix: /a}");
    let unknown_kind =
        "apiVersion: gateway.solo.io/v1\nkind: RouteTabel\nmetadata: {name: a, namespace: gloo-system}\n";
    for (manifest, expected) in [
        (broken.as_str(), &["line ", "column "][..]),
        (&unknown_field, &["spec.routes[0].directResponseAction.statsu"]),
        (&wrong_type, &["spec.routes[0].matchers"]),
        (unknown_kind, &["RouteTabel"]),
    ] {
        let file = instance.file("manifest.yaml", manifest);
        let said = instance.refused(&["kubectl", "apply", "-f", &file]);
        for part in expected {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
        assert_eq!(instance.ask("/a"), (200, "one".to_owned()));
    }
    assert!(instance.refused(&["kubectl", "apply", "-f", "/no/such/file.yaml"]).contains("/no/such/file.yaml"));
    assert!(instance.refused(&["kubectl", "get", "nonsense"]).contains("nonsense"));
    assert!(instance.refused(&["kubectl", "get", "routetable", "nope"]).contains("NotFound"));
}

#[test]
fn a_fault_is_reported_where_it_is_and_the_last_good_configuration_is_kept() {
    let instance = Instance::start();
    instance.apply(&table("team-a", "/a", "one"));
    instance.apply(&table("team-b", "/b", "one"));
    instance.apply(APP);
    instance.until("/a", 200, "one");
    instance.until("/b", 200, "one");
    assert!(instance.ok(&["check"]).ends_with("Checking proxies... OK\nNo problems detected.\n"));

    instance.apply(TO_NOWHERE);
    instance.apply(&table("team-b", "/b", "two"));
    // A check right after a change judges that change.
    let check = instance.serin(&["check"]).output().unwrap();
    let said = text(&check.stdout);
    assert_eq!(check.status.code(), Some(1), "{said}");
    for part in [
        "Checking upstreams... OK\n",
        "Checking route tables... Found route table with warnings: gloo-system team-a\n",
        "Checking virtual services... Found virtual service with warnings: gloo-system app\n",
        "InvalidDestinationWarning. Reason: *v1.Upstream {missing gloo-system} not found",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    assert!(said.ends_with("Problems detected!\n"), "{said}");
    let json: serde_json::Value =
        serde_json::from_slice(&instance.serin(&["check", "-o", "json"]).output().unwrap().stdout).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(instance.ask("/a"), (200, "one".to_owned()));
    assert_eq!(instance.ask("/b"), (200, "one".to_owned()));

    let state = "-o=jsonpath={.status.statuses.gloo-system.state}";
    let status = |name: &str| instance.ok(&["kubectl", "get", "rt", name, "-n", "gloo-system", state]);
    assert_eq!((status("team-a"), status("team-b")), ("Warning".to_owned(), "Accepted".to_owned()));

    instance.apply(&table("team-a", "/a", "two"));
    instance.until("/a", 200, "two");
    instance.until("/b", 200, "two");
    instance.ok(&["check"]);
    assert_eq!(status("team-a"), "Accepted");
}
