//! Backends of Services, from EndpointSlices and the labels of pods, kept up to date piece by piece.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serin_api::Ref;
use serin_translate::Backend;

use crate::watch::Object;

/// The label that ties an EndpointSlice to its Service (Kubernetes).
const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// What is read of an EndpointSlice.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SliceBody {
    address_type: String,
    endpoints: Option<Vec<SliceEndpoint>>,
    ports: Option<Vec<SlicePort>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SliceEndpoint {
    addresses: Vec<String>,
    conditions: Option<Conditions>,
    target_ref: Option<TargetRef>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Conditions {
    ready: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TargetRef {
    kind: String,
    name: String,
    namespace: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SlicePort {
    name: Option<String>,
    port: Option<u16>,
}

/// One ready address of a slice, and the pod behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    address: String,
    pod: Option<Ref>,
}

/// A slice as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slice {
    service: Ref,
    addresses: Vec<Address>,
    ports: BTreeMap<String, u16>,
}

/// Slices and pods, and which Services have to be worked out anew.
#[derive(Debug, Default)]
pub(crate) struct EndpointSlices {
    slices: BTreeMap<Ref, Slice>,
    by_service: BTreeMap<Ref, BTreeSet<Ref>>,
    by_pod: BTreeMap<Ref, BTreeSet<Ref>>,
    pods: BTreeMap<Ref, BTreeMap<String, String>>,
    stale: BTreeSet<Ref>,
}

impl EndpointSlices {
    /// Replaces every slice.
    pub(crate) fn list_slices(&mut self, objects: Vec<Object>) {
        for id in self.slices.keys().cloned().collect::<Vec<_>>() {
            self.remove_slice(&id);
        }
        for object in objects {
            self.apply_slice(object);
        }
    }

    /// Takes over one slice.
    pub(crate) fn apply_slice(&mut self, object: Object) {
        let slice = read_slice(&object);
        if self.slices.get(&object.id) == slice.as_ref() {
            return;
        }
        self.remove_slice(&object.id);
        let Some(slice) = slice else { return };
        self.stale.insert(slice.service.clone());
        self.by_service.entry(slice.service.clone()).or_default().insert(object.id.clone());
        for pod in slice.addresses.iter().filter_map(|address| address.pod.clone()) {
            self.by_pod.entry(pod).or_default().insert(object.id.clone());
        }
        self.slices.insert(object.id, slice);
    }

    /// Forgets one slice.
    pub(crate) fn remove_slice(&mut self, id: &Ref) {
        let Some(slice) = self.slices.remove(id) else { return };
        for pod in slice.addresses.iter().filter_map(|address| address.pod.as_ref()) {
            remove_member(&mut self.by_pod, pod, id);
        }
        remove_member(&mut self.by_service, &slice.service, id);
        self.stale.insert(slice.service);
    }

    /// Replaces the labels of every pod.
    pub(crate) fn list_pods(&mut self, objects: Vec<Object>) {
        let listed: BTreeSet<Ref> = objects.iter().map(|object| object.id.clone()).collect();
        let gone: Vec<Ref> = self.pods.keys().filter(|id| !listed.contains(*id)).cloned().collect();
        for id in gone {
            self.remove_pod(&id);
        }
        for object in objects {
            self.apply_pod(object);
        }
    }

    /// Takes over one pod's labels.
    pub(crate) fn apply_pod(&mut self, object: Object) {
        if self.pods.get(&object.id) != Some(&object.labels) {
            self.touch_pod(&object.id);
            self.pods.insert(object.id, object.labels);
        }
    }

    /// Forgets one pod.
    pub(crate) fn remove_pod(&mut self, id: &Ref) {
        if self.pods.remove(id).is_some() {
            self.touch_pod(id);
        }
    }

    fn touch_pod(&mut self, pod: &Ref) {
        for slice in self.by_pod.get(pod).into_iter().flatten() {
            if let Some(slice) = self.slices.get(slice) {
                self.stale.insert(slice.service.clone());
            }
        }
    }

    /// Brings `backends` up to date. Returns whether anything in it changed.
    pub(crate) fn refresh(&mut self, backends: &mut BTreeMap<Ref, Arc<Vec<Backend>>>) -> bool {
        let mut changed = false;
        for service in std::mem::take(&mut self.stale) {
            let now = self.backends_of(&service);
            let before = backends.get(&service).map(|list| list.as_slice()).unwrap_or_default();
            if before == now.as_slice() {
                continue;
            }
            changed = true;
            if now.is_empty() {
                backends.remove(&service);
            } else {
                backends.insert(service, Arc::new(now));
            }
        }
        changed
    }

    fn backends_of(&self, service: &Ref) -> Vec<Backend> {
        // One address may be in several slices, each with ports of its own.
        let mut found: BTreeMap<&str, Backend> = BTreeMap::new();
        let slices = self.by_service.get(service).into_iter().flatten().filter_map(|id| self.slices.get(id));
        for slice in slices {
            for address in &slice.addresses {
                let labels = match &address.pod {
                    // The pod's own watch is a moment behind, or it is gone already.
                    Some(pod) => match self.pods.get(pod) {
                        Some(labels) => labels.clone(),
                        None => continue,
                    },
                    None => BTreeMap::new(),
                };
                let backend = found.entry(&address.address).or_insert_with(|| Backend {
                    address: address.address.clone(),
                    ports: BTreeMap::new(),
                    labels,
                });
                backend.ports.extend(slice.ports.clone());
            }
        }
        found.into_values().collect()
    }
}

fn remove_member(index: &mut BTreeMap<Ref, BTreeSet<Ref>>, key: &Ref, member: &Ref) {
    if let Some(members) = index.get_mut(key) {
        members.remove(member);
        if members.is_empty() {
            index.remove(key);
        }
    }
}

/// Reads a slice; `None` when it belongs to no Service or holds no IP addresses.
fn read_slice(object: &Object) -> Option<Slice> {
    let service = Ref::new(&object.id.namespace, object.labels.get(SERVICE_NAME_LABEL)?);
    let body: SliceBody = match &object.body {
        Value::Null => SliceBody::default(),
        body => SliceBody::deserialize(body).ok()?,
    };
    if body.address_type == "FQDN" {
        return None;
    }
    let ports = body.ports.unwrap_or_default().into_iter();
    let ports = ports.filter_map(|port| Some((port.name.unwrap_or_default(), port.port?))).collect();
    let mut addresses = Vec::new();
    for endpoint in body.endpoints.unwrap_or_default() {
        // Unset means ready, as EndpointSlice's documentation asks consumers to read it.
        if endpoint.conditions.unwrap_or_default().ready == Some(false) {
            continue;
        }
        let pod = endpoint.target_ref.filter(|target| target.kind == "Pod");
        let pod = pod.map(|target| Ref::new(target.namespace, target.name).or_namespace(&object.id.namespace));
        // All addresses of one endpoint are the same pod; consumers use the first.
        if let Some(address) = endpoint.addresses.into_iter().next() {
            addresses.push(Address { address, pod });
        }
    }
    Some(Slice { service, addresses, ports })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn slice(name: &str, endpoints: Value) -> Object {
        Object {
            id: Ref::new("echo", name),
            uid: name.to_owned(),
            generation: 1,
            created: String::new(),
            labels: BTreeMap::from([(SERVICE_NAME_LABEL.to_owned(), "echo".to_owned())]),
            body: json!({"addressType": "IPv4", "endpoints": endpoints, "ports": [{"name": "http", "port": 8080}]}),
            credential: None,
        }
    }

    fn endpoint(address: &str, pod: &str, ready: Value) -> Value {
        json!({"addresses": [address], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": pod}})
    }

    fn pod(name: &str, version: &str) -> Object {
        let labels = BTreeMap::from([("version".to_owned(), version.to_owned())]);
        Object { id: Ref::new("echo", name), labels, body: Value::Null, ..slice(name, json!([])) }
    }

    fn shown(backends: &BTreeMap<Ref, Arc<Vec<Backend>>>) -> Vec<(String, Option<String>)> {
        let list = backends.get(&Ref::new("echo", "echo")).map(|list| list.as_slice()).unwrap_or_default();
        list.iter().map(|backend| (backend.address.clone(), backend.labels.get("version").cloned())).collect()
    }

    #[test]
    fn a_backend_is_a_ready_address_whose_pod_is_known() {
        let mut slices = EndpointSlices::default();
        let mut backends = BTreeMap::new();
        slices.apply_slice(slice(
            "a",
            json!([
                endpoint("127.1.0.1", "one", json!(true)),
                endpoint("127.1.0.2", "two", json!(false)),
                endpoint("127.1.0.3", "three", Value::Null)
            ]),
        ));
        assert!(!slices.refresh(&mut backends), "no pod is known yet");
        slices.apply_pod(pod("one", "v1"));
        slices.apply_pod(pod("three", "v2"));
        assert!(slices.refresh(&mut backends));
        let both = [("127.1.0.1".to_owned(), Some("v1".to_owned())), ("127.1.0.3".to_owned(), Some("v2".to_owned()))];
        assert_eq!(shown(&backends), both);
        assert_eq!(backends[&Ref::new("echo", "echo")][0].ports, BTreeMap::from([("http".to_owned(), 8080)]));

        slices.apply_pod(pod("one", "v1"));
        assert!(!slices.refresh(&mut backends), "nothing changed");
        slices.apply_pod(pod("one", "v3"));
        assert!(slices.refresh(&mut backends));
        assert_eq!(shown(&backends)[0].1.as_deref(), Some("v3"));
    }

    #[test]
    fn what_goes_away_leaves_no_backend_behind() {
        let mut slices = EndpointSlices::default();
        let mut backends = BTreeMap::new();
        slices.list_pods(vec![pod("one", "v1"), pod("two", "v1")]);
        slices.list_slices(vec![
            slice("a", json!([endpoint("127.1.0.1", "one", json!(true))])),
            slice("b", json!([endpoint("127.1.0.2", "two", json!(true))])),
        ]);
        assert!(slices.refresh(&mut backends));
        assert_eq!(shown(&backends).len(), 2);
        slices.remove_pod(&Ref::new("echo", "one"));
        assert!(slices.refresh(&mut backends));
        assert_eq!(shown(&backends).len(), 1);
        slices.list_slices(Vec::new());
        assert!(slices.refresh(&mut backends));
        assert!(backends.is_empty() && slices.by_pod.is_empty() && slices.by_service.is_empty());
    }
}
