//! EndpointSlices: at most 100 pods each, all with the same ports. A pod stays in the slice that it is in.

use super::super::ownership::{Labels, controlled_by};
use super::members::{Group, Member};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;

/// The label that names a slice's Service.
pub(super) const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGER: &str = "endpointslice-controller.k8s.io";
const HEADLESS: &str = "service.kubernetes.io/headless";
/// Most endpoints in a slice, as Kubernetes has it.
const MAX_ENDPOINTS: usize = 100;

/// What is to be done with a Service's slices.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) create: Vec<EndpointSlice>,
    pub(super) update: Vec<EndpointSlice>,
    pub(super) delete: Vec<EndpointSlice>,
}

pub(super) fn is_ours(slice: &EndpointSlice) -> bool {
    slice.labels().get(MANAGED_BY).is_some_and(|manager| manager == MANAGER)
}

pub(super) fn plan(service: &Service, groups: &[Group], existing: &[EndpointSlice]) -> Plan {
    let mut free: Vec<&EndpointSlice> =
        existing.iter().filter(|slice| slice.metadata.deletion_timestamp.is_none()).collect();
    let mut filled: Vec<(Option<&EndpointSlice>, Vec<EndpointPort>, Vec<Endpoint>)> = Vec::new();
    for group in groups {
        let ports = ports(group);
        let mut left: Vec<Endpoint> = group.members.iter().map(endpoint).collect();
        let from = filled.len();
        // First every pod that is in a slice with these ports already.
        free.retain(|slice| {
            if slice.ports.as_deref().unwrap_or_default() != ports {
                return true;
            }
            let (stay, go) = left.drain(..).partition(|endpoint| {
                slice
                    .endpoints
                    .iter()
                    .any(|held| target(held) == target(endpoint) && held.addresses == endpoint.addresses)
            });
            left = go;
            filled.push((Some(slice), ports.clone(), stay));
            false
        });
        // Then the others, where there is room.
        for (_, _, endpoints) in &mut filled[from..] {
            let room = MAX_ENDPOINTS.saturating_sub(endpoints.len()).min(left.len());
            endpoints.extend(left.drain(..room));
        }
        while !left.is_empty() {
            let rest = left.split_off(left.len().min(MAX_ENDPOINTS));
            filled.push((None, ports.clone(), std::mem::replace(&mut left, rest)));
        }
    }
    filled.retain(|(slice, _, endpoints)| {
        if endpoints.is_empty()
            && let Some(slice) = slice
        {
            free.push(slice);
        }
        !endpoints.is_empty()
    });
    if filled.is_empty() {
        // A Service without pods has one slice that says so.
        filled.push((None, Vec::new(), Vec::new()));
    }
    let mut plan = Plan::default();
    for (slice, ports, endpoints) in filled {
        // A slice that nobody needs any more is used before a new one is made.
        let Some(before) = slice.or_else(|| free.pop()) else {
            plan.create.push(new_slice(service, ports, endpoints));
            continue;
        };
        let mut after = before.clone();
        after.ports = Some(ports);
        after.endpoints = in_former_order(endpoints, &before.endpoints);
        after.metadata.labels = Some(labels(service));
        if after != *before {
            plan.update.push(after);
        }
    }
    plan.delete = free.into_iter().cloned().collect();
    plan
}

/// Endpoints that were there before keep their places, so that nothing changes but what changed.
fn in_former_order(mut endpoints: Vec<Endpoint>, former: &[Endpoint]) -> Vec<Endpoint> {
    endpoints
        .sort_by_key(|endpoint| former.iter().position(|held| target(held) == target(endpoint)).unwrap_or(usize::MAX));
    endpoints
}

fn target(endpoint: &Endpoint) -> Option<&str> {
    endpoint.target_ref.as_ref()?.uid.as_deref()
}

fn new_slice(service: &Service, ports: Vec<EndpointPort>, endpoints: Vec<Endpoint>) -> EndpointSlice {
    EndpointSlice {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", service.name_any())),
            namespace: service.namespace(),
            labels: Some(labels(service)),
            owner_references: Some(vec![controlled_by("v1", "Service", &service.metadata)]),
            ..Default::default()
        },
        address_type: "IPv4".to_owned(),
        endpoints,
        ports: Some(ports),
    }
}

/// The Service's labels and those that slices have of their own.
fn labels(service: &Service) -> Labels {
    let mut labels = service.labels().clone();
    labels.insert(SERVICE_NAME.to_owned(), service.name_any());
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    if is_headless(service) {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels
}

pub(super) fn is_headless(service: &Service) -> bool {
    service.spec.as_ref().is_some_and(|spec| spec.cluster_ip.as_deref() == Some("None"))
}

fn ports(group: &Group) -> Vec<EndpointPort> {
    let port = |port: &super::members::Port| EndpointPort {
        name: Some(port.name.clone()),
        port: Some(port.port),
        protocol: Some(port.protocol.clone()),
        app_protocol: port.app_protocol.clone(),
    };
    group.ports.iter().map(port).collect()
}

fn endpoint(member: &Member) -> Endpoint {
    Endpoint {
        addresses: vec![member.ip.clone()],
        conditions: Some(EndpointConditions {
            ready: Some(member.ready()),
            serving: Some(member.always || member.serving),
            terminating: Some(member.terminating),
        }),
        hostname: member.hostname.clone(),
        node_name: member.node.clone(),
        target_ref: Some(member.target.clone()),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::members::members;
    use super::super::members::tests::{pod, service};
    use super::*;
    use serde_json::json;

    fn stored(mut plan: Plan, existing: &[EndpointSlice]) -> Vec<EndpointSlice> {
        let mut slices: Vec<EndpointSlice> = existing.to_vec();
        slices.retain(|slice| !plan.delete.contains(slice));
        for slice in &mut slices {
            if let Some(update) = plan.update.iter().find(|update| update.metadata.name == slice.metadata.name) {
                *slice = update.clone();
            }
        }
        for (n, slice) in plan.create.iter_mut().enumerate() {
            slice.metadata.name = Some(format!("echo-{}-{n}", existing.len()));
        }
        slices.extend(plan.create);
        slices
    }

    #[test]
    fn a_service_without_pods_has_one_empty_slice() {
        let service = service(json!({"ports": [{"port": 80}]}));
        let slices = stored(plan(&service, &[], &[]), &[]);
        assert_eq!(slices.len(), 1);
        assert!(slices[0].endpoints.is_empty());
        assert_eq!(slices[0].labels()[SERVICE_NAME], "echo");
        let again = plan(&service, &[], &slices);
        assert!(again.create.is_empty() && again.update.is_empty() && again.delete.is_empty());
    }

    #[test]
    fn the_empty_slice_is_used_for_the_first_pod_and_changes_are_small() {
        let service = service(json!({"ports": [{"port": 80, "targetPort": "http"}]}));
        let empty = stored(plan(&service, &[], &[]), &[]);
        let pods: Vec<_> = (1..=3).map(|n| pod(n, true, 8080)).collect();
        let first = plan(&service, &members(&service, pods.iter()), &empty);
        assert_eq!((first.create.len(), first.update.len(), first.delete.len()), (0, 1, 0));
        let slices = stored(first, &empty);
        let same = plan(&service, &members(&service, pods.iter()), &slices);
        assert!(same.create.is_empty() && same.update.is_empty() && same.delete.is_empty());
        let fewer = plan(&service, &members(&service, pods[1..].iter()), &slices);
        assert_eq!(fewer.update[0].endpoints.len(), 2);
    }

    #[test]
    fn slices_hold_a_hundred_and_pods_keep_their_slice() {
        let service = service(json!({"ports": [{"port": 80, "targetPort": "http"}]}));
        let pods: Vec<_> = (1..=250).map(|n| pod(n, true, 8080)).collect();
        let slices = stored(plan(&service, &members(&service, pods.iter()), &[]), &[]);
        let mut sizes: Vec<_> = slices.iter().map(|slice| slice.endpoints.len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [50, 100, 100]);
        let again = plan(&service, &members(&service, pods.iter()), &slices);
        assert!(again.create.is_empty() && again.update.is_empty() && again.delete.is_empty());
        let none = plan(&service, &[], &slices);
        assert_eq!((none.create.len(), none.update.len(), none.delete.len()), (0, 1, 2));
    }
}
