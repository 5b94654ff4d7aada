//! A real kubectl against a real cluster: each verb that needs no node.

#[macro_use]
mod fixture;

use fixture::objects::{WIDGETS, config_map, widget, widgets};
use fixture::text;

#[test]
fn create() {
    let f = fixture!();
    assert_eq!(f.feed(&config_map("created", "a", "b"), &["create", "-f", "-"]), "configmap/created created\n");
    let again = f.feed_output(&config_map("created", "a", "b"), &["create", "-f", "-"]);
    assert!(text(&again.stderr).contains("configmaps \"created\" already exists"), "{again:?}");
    f.ok(&["create", "namespace", "created"]);
    f.ok(&["create", "configmap", "typed", "--from-literal=k=v", "-n", "created"]);
    assert_eq!(f.ok(&["get", "cm", "typed", "-n", "created", "-o", "jsonpath={.data.k}"]), "v");
    f.ok(&["create", "secret", "generic", "typed", "--from-literal=k=v"]);
    assert_eq!(f.ok(&["get", "secret", "typed", "-o", "jsonpath={.data.k}"]), "dg==");
    f.ok(&["create", "deployment", "typed", "--image=nobody/knows:1", "--replicas=0"]);
    assert_eq!(f.ok(&["get", "deploy", "typed", "-o", "jsonpath={.spec.replicas}"]), "0");
    f.ok(&["create", "service", "clusterip", "typed", "--tcp=80:8080"]);
    assert!(f.ok(&["get", "svc", "typed", "-o", "jsonpath={.spec.clusterIP}"]).starts_with("10.96."));
    f.ok(&["create", "serviceaccount", "typed"]);
    f.ok(&["create", "role", "typed", "--verb=get", "--resource=pods"]);
    f.ok(&["create", "rolebinding", "typed", "--role=typed", "--serviceaccount=default:typed"]);
    assert!(f.fails(&["create", "configmap", "Not_A_Name"]).contains("RFC 1123"));
    let lost = f.fails(&["create", "configmap", "x", "-n", "no-such-place"]);
    assert!(lost.contains("namespaces \"no-such-place\" not found"), "{lost}");
}

#[test]
fn apply_client_side() {
    let f = fixture!();
    let apply = |value: &str| f.feed(&config_map("applied", "a", value), &["apply", "-f", "-"]);
    assert_eq!(apply("one"), "configmap/applied created\n");
    assert_eq!(apply("one"), "configmap/applied unchanged\n");
    assert_eq!(apply("two"), "configmap/applied configured\n");
    f.feed(&config_map("applied", "b", "three"), &["apply", "-f", "-"]);
    assert_eq!(f.ok(&["get", "cm", "applied", "-o", "jsonpath={.data}"]), r#"{"b":"three"}"#);
    widgets(f);
    f.feed(&widget("applied", "red"), &["apply", "-f", "-"]);
    assert_eq!(f.feed(&widget("applied", "green"), &["apply", "-f", "-"]), "widget.example.com/applied configured\n");
    assert_eq!(f.ok(&["get", "wd", "applied", "-o", "jsonpath={.spec.color}{.spec.size}"]), "green3");
    assert_eq!(f.ok(&["get", "wd", "applied", "-o", "jsonpath={.metadata.generation}"]), "2");
}

#[test]
fn apply_server_side() {
    let f = fixture!();
    let apply = |value: &str, more: &[&str]| {
        f.feed_output(&config_map("owned", "a", value), &[&["apply", "--server-side", "-f", "-"], more].concat())
    };
    assert_eq!(text(&apply("one", &["--field-manager=first"]).stdout), "configmap/owned serverside-applied\n");
    let refused = apply("two", &["--field-manager=second"]);
    assert!(text(&refused.stderr).contains("conflict with \"first\": .data.a"), "{refused:?}");
    assert!(apply("two", &["--field-manager=second", "--force-conflicts"]).status.success());
    let managers =
        f.ok(&["get", "cm", "owned", "--show-managed-fields", "-o", "jsonpath={.metadata.managedFields[*].manager}"]);
    assert!(managers.contains("first") && managers.contains("second"), "{managers}");
}

#[test]
fn describe() {
    let f = fixture!();
    f.feed(&config_map("described", "a", "b"), &["apply", "-f", "-"]);
    let text = f.ok(&["describe", "cm", "described"]);
    assert!(text.contains("Name:         described") && text.contains("a:\n----\nb\n"), "{text}");
    widgets(f);
    f.feed(&widget("described", "red"), &["apply", "-f", "-"]);
    assert!(f.ok(&["describe", "widget", "described"]).contains("Color:  red"));
    assert!(f.ok(&["describe", "ns", "default"]).contains("Active"));
    assert!(f.ok(&["describe", "crd", "widgets.example.com"]).contains("Established"));
}

#[test]
fn edit() {
    let f = fixture!();
    f.feed(&config_map("edited", "a", "before"), &["apply", "-f", "-"]);
    let edit = f.command(&["edit", "cm", "edited"]).env("KUBE_EDITOR", "sed -i s/before/after/").output().unwrap();
    assert!(edit.status.success(), "{edit:?}");
    assert_eq!(f.ok(&["get", "cm", "edited", "-o", "jsonpath={.data.a}"]), "after");
}

#[test]
fn patch() {
    let f = fixture!();
    f.feed(&config_map("patched", "a", "b"), &["apply", "-f", "-"]);
    let patch = |kind: &str, patch: &str| f.run(&["patch", "cm", "patched", "--type", kind, "-p", patch]);
    let data = || f.ok(&["get", "cm", "patched", "-o", "jsonpath={.data}"]);
    assert!(patch("merge", r#"{"data": {"a": null, "c": "d"}}"#).status.success());
    assert_eq!(data(), r#"{"c":"d"}"#);
    assert!(patch("strategic", r#"{"data": {"e": "f"}}"#).status.success());
    assert_eq!(data(), r#"{"c":"d","e":"f"}"#);
    assert!(patch("json", r#"[{"op": "replace", "path": "/data/c", "value": "g"}]"#).status.success());
    assert_eq!(data(), r#"{"c":"g","e":"f"}"#);
    assert!(!patch("json", r#"[{"op": "test", "path": "/data/c", "value": "x"}]"#).status.success());
    widgets(f);
    f.feed(&widget("patched", "red"), &["apply", "-f", "-"]);
    f.ok(&[
        "patch",
        "wd",
        "patched",
        "--subresource=status",
        "--type=merge",
        "-p",
        r#"{"status": {"state": "good"}, "spec": {"color": "green"}}"#,
    ]);
    assert_eq!(f.ok(&["get", "wd", "patched", "-o", "jsonpath={.status.state}{.spec.color}"]), "goodred");
}

#[test]
fn label_and_annotate() {
    let f = fixture!();
    f.feed(&config_map("labelled", "a", "b"), &["apply", "-f", "-"]);
    f.ok(&["label", "cm", "labelled", "tier=front"]);
    assert_eq!(f.ok(&["get", "cm", "-l", "tier=front", "-o", "name"]), "configmap/labelled\n");
    assert!(f.fails(&["label", "cm", "labelled", "tier=back"]).contains("already has a value"));
    f.ok(&["label", "cm", "labelled", "tier-"]);
    assert_eq!(f.ok(&["get", "cm", "-l", "tier=front", "-o", "name"]), "");
    f.ok(&["annotate", "cm", "labelled", "note=x"]);
    assert_eq!(f.ok(&["get", "cm", "labelled", "-o", "jsonpath={.metadata.annotations.note}"]), "x");
}

#[test]
fn delete() {
    let f = fixture!();
    for name in ["deleted-1", "deleted-2", "deleted-3"] {
        let map = config_map(name, "a", "b").replace(&format!("test: {name}"), "test: deleted");
        f.feed(&map, &["apply", "-f", "-"]);
    }
    assert!(f.ok(&["delete", "cm", "deleted-1"]).starts_with("configmap \"deleted-1\" deleted"));
    f.ok(&["delete", "cm", "-l", "test=deleted"]);
    assert_eq!(f.ok(&["get", "cm", "-l", "test=deleted", "-o", "name"]), "");
    assert!(f.ok(&["delete", "cm", "deleted-1", "--ignore-not-found"]).is_empty());
    f.ok(&["create", "ns", "deleted"]);
    f.feed(&config_map("inside", "a", "b"), &["apply", "-n", "deleted", "-f", "-"]);
    f.ok(&["delete", "ns", "deleted"]);
    assert!(f.fails(&["get", "ns", "deleted"]).contains("not found"));
    assert!(f.fails(&["get", "cm", "inside", "-n", "deleted"]).contains("not found"));
}

#[test]
fn delete_waits_for_finalizers() {
    let f = fixture!();
    f.feed(&config_map("finalized", "a", "b"), &["apply", "-f", "-"]);
    f.ok(&["patch", "cm", "finalized", "-p", r#"{"metadata": {"finalizers": ["example.com/hold"]}}"#]);
    f.ok(&["delete", "cm", "finalized", "--wait=false"]);
    assert!(!f.ok(&["get", "cm", "finalized", "-o", "jsonpath={.metadata.deletionTimestamp}"]).is_empty());
    f.ok(&["patch", "cm", "finalized", "-p", r#"{"metadata": {"finalizers": null}}"#]);
    assert!(f.fails(&["get", "cm", "finalized"]).contains("not found"));
}

#[test]
fn delete_takes_dependents_along() {
    let f = fixture!();
    let owner = |name: &str| {
        f.feed(&config_map(name, "a", "b"), &["apply", "-f", "-"]);
        f.ok(&["get", "cm", name, "-o", "jsonpath={.metadata.uid}"])
    };
    let dependent = |name: &str, owner: &str, uid: &str| {
        let reference = format!(
            "ownerReferences: [{{apiVersion: v1, kind: ConfigMap, name: {owner}, uid: {uid}, blockOwnerDeletion: true}}], labels"
        );
        f.feed(&config_map(name, "a", "b").replace("labels", &reference), &["apply", "-f", "-"]);
    };
    for (policy, stays) in [("background", false), ("foreground", false), ("orphan", true)] {
        let (name, child) = (format!("owner-{policy}"), format!("child-{policy}"));
        let uid = owner(&name);
        dependent(&child, &name, &uid);
        f.ok(&["delete", "cm", &name, &format!("--cascade={policy}")]);
        if stays {
            f.until(&["get", "cm", &child, "-o", "jsonpath=[{.metadata.ownerReferences}]"], |out| out == "[]");
        } else {
            f.until(&["get", "cm", &child], |out| out.contains("not found"));
        }
        assert!(f.fails(&["get", "cm", &name]).contains("not found"));
    }
}

#[test]
fn wait() {
    let f = fixture!();
    widgets(f);
    f.feed(&widget("awaited", "red"), &["apply", "-f", "-"]);
    let waiting = f.spawn(&["wait", "wd/awaited", "--for=jsonpath={.status.state}=done", "--timeout=20s"]);
    f.ok(&["patch", "wd", "awaited", "--subresource=status", "--type=merge", "-p", r#"{"status": {"state": "done"}}"#]);
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let deleting = f.spawn(&["wait", "wd/awaited", "--for=delete", "--timeout=20s"]);
    f.ok(&["delete", "wd", "awaited"]);
    assert!(deleting.wait_with_output().unwrap().status.success());
}

#[test]
fn explain() {
    let f = fixture!();
    widgets(f);
    let text = f.ok(&["explain", "widget.spec.color"]);
    assert!(text.contains("The colour to paint it in."), "{text}");
    assert!(f.ok(&["explain", "deployment.spec.replicas"]).contains("FIELD: replicas <integer>"));
    assert!(f.ok(&["explain", "widget", "--recursive"]).contains("color"));
}

#[test]
fn diff() {
    let f = fixture!();
    f.feed(&config_map("compared", "a", "one"), &["apply", "-f", "-"]);
    assert_eq!(f.feed(&config_map("compared", "a", "one"), &["diff", "-f", "-"]), "");
    let output = f.feed_output(&config_map("compared", "a", "two"), &["diff", "-f", "-"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let difference = text(&output.stdout);
    assert!(difference.contains("-  a: one") && difference.contains("+  a: two"), "{difference}");
    assert_eq!(f.ok(&["get", "cm", "compared", "-o", "jsonpath={.data.a}"]), "one");
}

#[test]
fn replace() {
    let f = fixture!();
    f.feed(&config_map("replaced", "a", "one"), &["create", "-f", "-"]);
    f.feed(&config_map("replaced", "b", "two"), &["replace", "-f", "-"]);
    assert_eq!(f.ok(&["get", "cm", "replaced", "-o", "jsonpath={.data}"]), r#"{"b":"two"}"#);
}

#[test]
fn scale_a_custom_kind() {
    let f = fixture!();
    widgets(f);
    f.feed(&widget("scaled", "red"), &["apply", "-f", "-"]);
    assert_eq!(f.ok(&["scale", "wd/scaled", "--replicas=4"]), "widget.example.com/scaled scaled\n");
    assert_eq!(f.ok(&["get", "wd", "scaled", "-o", "jsonpath={.spec.replicas}"]), "4");
}

#[test]
fn unknown_fields_are_named() {
    let f = fixture!();
    widgets(f);
    let typo = widget("typo", "red").replace("spec: {", "spec: {colour: blue, ");
    let strict = f.feed_output(&typo, &["apply", "-f", "-"]);
    assert!(text(&strict.stderr).contains("unknown field \"spec.colour\""), "{strict:?}");
    let warned = f.feed_output(&typo, &["apply", "--validate=warn", "-f", "-"]);
    assert!(
        warned.status.success() && text(&warned.stderr).contains("Warning: unknown field \"spec.colour\""),
        "{warned:?}"
    );
    assert_eq!(f.ok(&["get", "wd", "typo", "-o", "jsonpath={.spec.colour}"]), "");
    let wrong = f.feed_output(&widget("typo", "blue"), &["apply", "-f", "-"]);
    assert!(
        text(&wrong.stderr).contains("spec.color: Unsupported value: \"blue\": supported values: \"red\", \"green\""),
        "{wrong:?}"
    );
}

#[test]
fn dry_run() {
    let f = fixture!();
    let made = f.feed(&config_map("dry", "a", "b"), &["apply", "--dry-run=server", "-f", "-"]);
    assert_eq!(made, "configmap/dry created (server dry run)\n");
    assert!(f.fails(&["get", "cm", "dry"]).contains("not found"));
    f.feed(&config_map("dry", "a", "b"), &["apply", "-f", "-"]);
    f.ok(&["delete", "cm", "dry", "--dry-run=server"]);
    f.ok(&["label", "cm", "dry", "x=y", "--dry-run=server"]);
    assert_eq!(f.ok(&["get", "cm", "dry", "-o", "jsonpath={.metadata.labels.x}"]), "");
}

#[test]
fn discovery_and_identity() {
    let f = fixture!();
    widgets(f);
    let resources = f.ok(&["api-resources"]);
    for line in ["deployments", "customresourcedefinitions", "widgets", "endpointslices"] {
        assert!(resources.contains(line), "{line} is missing in {resources}");
    }
    assert!(f.ok(&["api-versions"]).contains("example.com/v1"));
    assert!(f.ok(&["version"]).contains("Server Version"));
    assert_eq!(f.ok(&["auth", "can-i", "create", "pods"]), "yes\n");
    assert!(f.ok(&["auth", "whoami"]).contains("serin-admin"));
    assert_eq!(f.ok(&["get", "--raw", "/readyz"]), "ok");
}

#[test]
fn a_kind_goes_with_its_objects() {
    let f = fixture!();
    let definition = WIDGETS.replace("widget", "gadget").replace("Widget", "Gadget").replace("[wd]", "[gd]");
    f.feed(&definition, &["apply", "-f", "-"]);
    let gadget = widget("gone", "red").replace("Widget", "Gadget");
    f.feed(&gadget, &["apply", "-f", "-"]);
    f.ok(&["delete", "crd", "gadgets.example.com"]);
    // kubectl may still have the kind in its cache, and then asks for its objects all the same.
    let gone = f.fails(&["get", "gadgets"]);
    assert!(
        gone.contains("could not find the requested resource") || gone.contains("doesn't have a resource type"),
        "{gone}"
    );
    f.feed(&definition, &["apply", "-f", "-"]);
    f.until(&["get", "gadgets"], |out| out.contains("No resources found"));
}

#[test]
fn events_have_two_faces() {
    let f = fixture!();
    let event = r#"{"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "seen"}, "type": "Normal",
        "reason": "Seen", "note": "it was there", "action": "Look", "reportingController": "example.com/eye",
        "reportingInstance": "left", "eventTime": "2026-01-02T03:04:05.678901Z", "regarding": {"kind": "Pod", "name": "x", "namespace": "default"}}"#;
    f.feed(event, &["create", "-f", "-"]);
    assert_eq!(
        f.ok(&["get", "events.v1.", "seen", "-o", "jsonpath={.message}/{.involvedObject.name}"]),
        "it was there/x"
    );
    assert_eq!(
        f.ok(&["get", "events.v1.events.k8s.io", "seen", "-o", "jsonpath={.note}/{.regarding.name}"]),
        "it was there/x"
    );
    assert!(f.ok(&["get", "events", "--field-selector", "involvedObject.name=x"]).contains("it was there"));
}
