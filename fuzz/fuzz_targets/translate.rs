//! Any set of routing resources translates, twice to the same.
#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serin_api::{Ref, ResourceId, ResourceKind, decode};
use serin_fuzz::routing;
use serin_translate::{Backend, Resource, Resources, Service, ServicePort, Snapshot, Unreadable, endpoints, translate};

#[derive(Debug)]
struct Input(Snapshot);

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let mut snapshot = Snapshot::default();
        let unreadable = &mut snapshot.unreadable;
        snapshot.virtual_services =
            resources(input, ResourceKind::VirtualService, routing::virtual_service, unreadable)?;
        snapshot.route_tables = resources(input, ResourceKind::RouteTable, routing::route_table, unreadable)?;
        snapshot.upstreams = resources(input, ResourceKind::Upstream, routing::upstream, unreadable)?;
        snapshot.upstream_groups = resources(input, ResourceKind::UpstreamGroup, routing::upstream_group, unreadable)?;
        let gateway = json!({"bindAddress": "::", "bindPort": 8080, "httpGateway": {}});
        let settings = json!({"gateway": {}, "gloo": {"invalidConfigPolicy": {"replaceInvalidRoutes": input.arbitrary::<bool>()?}}});
        for (kind, name, spec) in
            [(ResourceKind::Gateway, "gateway-proxy", gateway), (ResourceKind::Settings, "default", settings)]
        {
            let id = ResourceId { kind, namespace: "gloo-system".into(), name: name.into() };
            let object = json!({"spec": spec});
            match kind {
                ResourceKind::Gateway => add(&mut snapshot.gateways, unreadable, id, &object),
                _ => add(&mut snapshot.settings, unreadable, id, &object),
            }
        }
        let service = Ref::new("team", "one");
        let ports = vec![ServicePort { name: "http".into(), port: 80, http2: false }];
        snapshot.services.insert(service.clone(), Arc::new(Service { ports }));
        let backend = Backend {
            address: "127.0.0.2".into(),
            ports: BTreeMap::from([("http".into(), 8080)]),
            labels: BTreeMap::from([("version".into(), "v1".into())]),
        };
        snapshot.backends.insert(service, Arc::new(vec![backend]));
        Ok(Input(snapshot))
    }
}

fn resources<T: DeserializeOwned>(
    input: &mut Unstructured<'_>,
    kind: ResourceKind,
    spec: fn(&mut Unstructured<'_>) -> Result<Value>,
    unreadable: &mut BTreeMap<ResourceId, Unreadable>,
) -> Result<Resources<T>> {
    let mut resources = Resources::new();
    for name in ["one", "two", "three"] {
        let namespace = *input.choose(&["gloo-system", "team"])?;
        let id = ResourceId { kind, namespace: namespace.into(), name: name.into() };
        add(&mut resources, unreadable, id, &json!({"spec": spec(input)?}));
    }
    Ok(resources)
}

fn add<T: DeserializeOwned>(
    resources: &mut Resources<T>,
    unreadable: &mut BTreeMap<ResourceId, Unreadable>,
    id: ResourceId,
    object: &Value,
) {
    let labels = BTreeMap::from([("app".into(), id.name.clone())]);
    match decode(object) {
        Ok(spec) => {
            let resource = Resource {
                id: id.clone(),
                generation: 1,
                created: String::new(),
                labels,
                spec,
                unimplemented: Vec::new(),
            };
            resources.insert(Ref::new(id.namespace, id.name), Arc::new(resource));
        }
        Err(error) => {
            unreadable.insert(id, Unreadable { generation: 1, labels, reason: error.to_string() });
        }
    }
}

fuzz_target!(|input: Input| {
    let translation = translate(&input.0);
    let again = translate(&input.0);
    assert_eq!(again.proxies, translation.proxies);
    assert_eq!(again.invalid, translation.invalid);
    for proxy in translation.proxies.values() {
        endpoints(&input.0, proxy);
    }
});
