//! Endpoints: the older form of the same, one object for each Service.

use super::members::{Group, Member};
use super::slices::is_headless;
use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const MANAGER: &str = "endpoint-controller";
const HEADLESS: &str = "service.kubernetes.io/headless";

pub(super) fn is_ours(endpoints: &Endpoints) -> bool {
    endpoints.labels().get(MANAGED_BY).is_some_and(|manager| manager == MANAGER)
}

/// The Endpoints of a Service. A pod that is being ended is in neither list, unless the Service does not mind.
pub(super) fn endpoints(service: &Service, groups: &[Group]) -> Endpoints {
    let mut labels = service.labels().clone();
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    if is_headless(service) {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    let subsets: Vec<EndpointSubset> = groups.iter().filter_map(subset).collect();
    Endpoints {
        metadata: ObjectMeta {
            name: service.metadata.name.clone(),
            namespace: service.namespace(),
            labels: Some(labels),
            ..Default::default()
        },
        subsets: Some(subsets).filter(|subsets| !subsets.is_empty()),
    }
}

fn subset(group: &Group) -> Option<EndpointSubset> {
    let present = || group.members.iter().filter(|member| member.always || !member.terminating);
    let list = |ready: bool| {
        let addresses: Vec<_> = present().filter(|member| member.ready() == ready).map(address).collect();
        Some(addresses).filter(|addresses| !addresses.is_empty())
    };
    present().next()?;
    let ports = group.ports.iter().map(|port| EndpointPort {
        name: Some(port.name.clone()).filter(|name| !name.is_empty()),
        port: port.port,
        protocol: Some(port.protocol.clone()),
        app_protocol: port.app_protocol.clone(),
    });
    Some(EndpointSubset {
        addresses: list(true),
        not_ready_addresses: list(false),
        ports: Some(ports.collect::<Vec<_>>()).filter(|ports| !ports.is_empty()),
    })
}

fn address(member: &Member) -> EndpointAddress {
    EndpointAddress {
        ip: member.ip.clone(),
        hostname: member.hostname.clone(),
        node_name: member.node.clone(),
        target_ref: Some(member.target.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::members::members;
    use super::super::members::tests::{pod, service};
    use super::*;
    use serde_json::json;

    #[test]
    fn ready_and_not_ready_stand_apart() {
        let service = service(json!({"ports": [{"name": "web", "port": 80, "targetPort": "http"}]}));
        let pods = [pod(1, true, 8080), pod(2, false, 8080)];
        let endpoints = endpoints(&service, &members(&service, pods.iter()));
        let subsets = endpoints.subsets.unwrap();
        assert_eq!(subsets.len(), 1);
        assert_eq!(subsets[0].addresses.as_ref().unwrap()[0].ip, "127.1.1.1");
        assert_eq!(subsets[0].not_ready_addresses.as_ref().unwrap()[0].ip, "127.1.1.2");
        assert_eq!(subsets[0].ports.as_ref().unwrap()[0].port, 8080);
    }
}
