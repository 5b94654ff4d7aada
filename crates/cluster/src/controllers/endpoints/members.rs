//! The pods behind a Service: their addresses, their state, and the ports its port names stand for on each of them.

use super::super::pod_facts::{has_ended, is_ready};
use k8s_openapi::api::core::v1::{ObjectReference, Pod, Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;
use std::collections::BTreeMap;

/// One pod behind the Service.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) ip: String,
    pub(super) hostname: Option<String>,
    pub(super) node: Option<String>,
    pub(super) target: ObjectReference,
    /// The pod is ready, or the Service does not mind.
    pub(super) serving: bool,
    pub(super) terminating: bool,
    /// Serves even while it terminates: the Service publishes addresses that are not ready.
    pub(super) always: bool,
}

impl Member {
    /// Whether new requests should come here.
    pub(super) fn ready(&self) -> bool {
        self.always || (self.serving && !self.terminating)
    }
}

/// A port as it is on the pods of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) port: i32,
    pub(super) protocol: String,
    pub(super) app_protocol: Option<String>,
}

/// Pods on which the Service's ports are the same.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) ports: Vec<Port>,
    /// By address.
    pub(super) members: Vec<Member>,
}

/// The pods (which the Service selects) in groups of equal ports.
pub(super) fn members<'a>(service: &Service, pods: impl Iterator<Item = &'a Pod>) -> Vec<Group> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let always = spec.publish_not_ready_addresses == Some(true);
    let mut groups: BTreeMap<Vec<Port>, Vec<Member>> = BTreeMap::new();
    for pod in pods.filter(|pod| !has_ended(pod)) {
        let Some(ip) = pod.status.as_ref().and_then(|status| status.pod_ip.clone()).filter(|ip| !ip.is_empty()) else {
            continue;
        };
        let ports = spec.ports.iter().flatten().filter_map(|port| resolve(port, pod)).collect();
        let pod_spec = pod.spec.as_ref();
        let subdomain = pod_spec.and_then(|spec| spec.subdomain.as_deref());
        groups.entry(ports).or_default().push(Member {
            ip,
            hostname: pod_spec
                .filter(|_| subdomain == Some(service.name_any().as_str()))
                .and_then(|spec| spec.hostname.clone()),
            node: pod_spec.and_then(|spec| spec.node_name.clone()),
            target: ObjectReference {
                kind: Some("Pod".to_owned()),
                namespace: pod.namespace(),
                name: pod.metadata.name.clone(),
                uid: pod.metadata.uid.clone(),
                ..Default::default()
            },
            serving: is_ready(pod),
            terminating: pod.metadata.deletion_timestamp.is_some(),
            always,
        });
    }
    let groups = groups.into_iter().map(|(ports, mut members)| {
        members.sort_by(|a, b| (&a.ip, &a.target.name).cmp(&(&b.ip, &b.target.name)));
        Group { ports, members }
    });
    groups.collect()
}

/// A Service's port on a pod; `None` when its name is not one of the pod's ports.
fn resolve(port: &ServicePort, pod: &Pod) -> Option<Port> {
    let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
    let number = match &port.target_port {
        None => port.port,
        Some(IntOrString::Int(0)) => port.port,
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(name)) => {
            let spec = pod.spec.as_ref()?;
            // A sidecar is an init container that stays.
            let sidecars =
                spec.init_containers.iter().flatten().filter(|c| c.restart_policy.as_deref() == Some("Always"));
            let mut ports = spec.containers.iter().chain(sidecars).flat_map(|c| c.ports.iter().flatten());
            ports
                .find(|of_pod| {
                    of_pod.name.as_ref() == Some(name) && of_pod.protocol.as_deref().unwrap_or("TCP") == protocol
                })?
                .container_port
        }
    };
    Some(Port {
        name: port.name.clone().unwrap_or_default(),
        port: number,
        protocol,
        app_protocol: port.app_protocol.clone(),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub(in super::super) fn service(spec: serde_json::Value) -> Service {
        let metadata = json!({"name": "echo", "namespace": "ns", "uid": "service"});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
    }

    pub(in super::super) fn pod(n: u32, ready: bool, port: u16) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": format!("p{n}"), "namespace": "ns", "uid": format!("u{n}")},
            "spec": {"nodeName": "serin", "containers": [{"name": "c", "ports": [{"name": "http", "containerPort": port}]}]},
            "status": {"phase": "Running", "podIP": format!("127.1.1.{n}"),
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]},
        }))
        .unwrap()
    }

    #[test]
    fn port_names_are_looked_up_on_each_pod() {
        let service = service(json!({"ports": [
            {"name": "web", "port": 80, "targetPort": "http", "protocol": "TCP"}, {"name": "raw", "port": 9}]}));
        let pods = [pod(1, true, 8080), pod(2, true, 8081), pod(3, false, 8080)];
        let groups = members(&service, pods.iter());
        assert_eq!(groups.len(), 2);
        let ports = |group: &Group| group.ports.iter().map(|p| (p.name.clone(), p.port)).collect::<Vec<_>>();
        assert_eq!(ports(&groups[0]), [("web".to_owned(), 8080), ("raw".to_owned(), 9)]);
        assert_eq!(ports(&groups[1])[0].1, 8081);
        assert_eq!(groups[0].members.iter().map(Member::ready).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn pods_that_end_are_not_ready_unless_the_service_does_not_mind() {
        let mut going = pod(1, true, 80);
        going.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
        let mut ended = pod(2, true, 80);
        ended.status.as_mut().unwrap().phase = Some("Succeeded".to_owned());
        let pods = [going, ended];
        let plain = members(&service(json!({"ports": [{"port": 80}]})), pods.iter());
        assert_eq!(plain[0].members.len(), 1);
        let member = &plain[0].members[0];
        assert!(!member.ready() && member.serving && member.terminating);
        let all = service(json!({"ports": [{"port": 80}], "publishNotReadyAddresses": true}));
        assert!(members(&all, pods.iter())[0].members[0].ready());
    }
}
