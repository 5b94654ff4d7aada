//! Manifests as teams write them for a rollout, read as kubectl reads them: they decode whole, and nothing in them is
//! unimplemented.

#![allow(clippy::unwrap_used)]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serin_api::gateway::{RouteTableSpec, VirtualServiceSpec};
use serin_api::gloo::{SettingsSpec, UpstreamGroupSpec, UpstreamSpec};
use serin_api::{ResourceKind, decode, unimplemented};

const MANIFESTS: &str = include_str!("rollout.yaml");

fn manifest(name: &str) -> Value {
    let documents = serin_yaml::parse(MANIFESTS).unwrap();
    documents.into_iter().map(|document| document.value).find(|object| object["metadata"]["name"] == name).unwrap()
}

/// Decodes an object, and holds what was read against what was written.
fn read<T: DeserializeOwned + Serialize>(kind: ResourceKind, name: &str) -> T {
    let object = manifest(name);
    assert_eq!(object["kind"], kind.as_str());
    assert_eq!(unimplemented(kind, &object), Vec::<String>::new());
    let spec: T = decode(&object).unwrap();
    assert_eq!(serde_json::to_value(&spec).unwrap(), object["spec"], "{name}");
    spec
}

#[test]
fn a_host_delegates_by_prefix_and_by_label() {
    let spec: VirtualServiceSpec = read(ResourceKind::VirtualService, "shop");
    assert_eq!(spec.virtual_host.domains, ["shop.example.com", "*.shop.example.com"]);
    let selector = spec.virtual_host.routes[0].delegate_action.as_ref().unwrap().selector.as_ref().unwrap();
    assert_eq!(selector.namespaces, ["cart"]);
    assert_eq!(selector.labels["team"], "cart");
}

#[test]
fn a_table_serves_a_header_and_then_a_weight() {
    let spec: RouteTableSpec = read(ResourceKind::RouteTable, "cart-routes");
    assert_eq!(spec.weight, Some(-5));
    let header = &spec.routes[0].matchers[0].headers[0];
    assert_eq!((header.name.as_str(), header.value.as_str()), ("x-preview", "on"));
    let multi = spec.routes[1].route_action.as_ref().unwrap().multi.as_ref().unwrap();
    let weights: Vec<_> = multi.destinations.iter().map(|destination| destination.weight).collect();
    assert_eq!(weights, [Some(0), Some(100)]);
    assert_eq!(multi.destinations[1].destination.subset.as_ref().unwrap().values["release"], "2");
}

#[test]
fn destinations_decode() {
    let spec: UpstreamSpec = read(ResourceKind::Upstream, "cart");
    assert_eq!(spec.kube.unwrap().subset_spec.unwrap().selectors[0].keys, ["release"]);
    let spec: UpstreamGroupSpec = read(ResourceKind::UpstreamGroup, "cart-split");
    assert_eq!(spec.destinations.len(), 2);
}

#[test]
fn settings_decode() {
    let spec: SettingsSpec = read(ResourceKind::Settings, "default");
    assert!(spec.gloo.unwrap().invalid_config_policy.unwrap().replace_invalid_routes);
}

#[test]
fn what_exists_from_the_start_is_implemented() {
    for object in &serin_api::bootstrap_objects()[1..] {
        let kind = if object["kind"] == "Gateway" { ResourceKind::Gateway } else { ResourceKind::Settings };
        assert_eq!(unimplemented(kind, object), Vec::<String>::new());
    }
}

#[test]
fn enums_are_read_by_name_and_by_number() {
    let table = |code: Value, operator: Value| {
        json!({"spec": {"routes": [{
            "redirectAction": {"responseCode": code},
            "delegateAction": {"selector": {"expressions": [{"key": "a", "operator": operator}]}},
        }]}})
    };
    let read = |code, operator| decode::<RouteTableSpec>(&table(code, operator));
    assert_eq!(read(json!(1), json!(3)), read(json!("FOUND"), json!("In")));
    assert_eq!(read(json!("FOUND"), json!("in")), read(json!("FOUND"), json!("In")));
    let error = read(json!(9), json!("In")).unwrap_err();
    assert_eq!(error.path, "spec.routes[0].redirectAction.responseCode");
    assert_eq!(
        error.message,
        "unknown value 9: expected one of MOVED_PERMANENTLY, FOUND, SEE_OTHER, TEMPORARY_REDIRECT, PERMANENT_REDIRECT"
    );
    let error = read(json!("FOUND"), json!("Like")).unwrap_err();
    assert_eq!(error.path, "spec.routes[0].delegateAction.selector.expressions[0].operator");
    assert!(error.message.starts_with("unknown value \"Like\": expected one of Equals, "), "{error}");
}
