//! The columns of services and what belongs to them.

use jiff::Timestamp;
use serde_json::Value;

use super::columns::{Cells, Column, age, items, labels, name, number, or, or_none, selector, text, wide};
use crate::registry::Resource;

pub(super) fn layout(resource: &Resource) -> Option<(&'static [Column], Cells)> {
    let layout: (&'static [Column], Cells) = match &*resource.storage {
        "/services" => (
            const {
                &[
                    text("Name"),
                    text("Type"),
                    text("Cluster-IP"),
                    text("External-IP"),
                    text("Port(s)"),
                    text("Age"),
                    wide("Selector"),
                ]
            },
            service,
        ),
        "/endpoints" => (const { &[text("Name"), text("Endpoints"), text("Age")] }, endpoints),
        "discovery.k8s.io/endpointslices" => {
            (const { &[text("Name"), text("AddressType"), text("Ports"), text("Endpoints"), text("Age")] }, slice)
        }
        "networking.k8s.io/ingresses" => (
            const { &[text("Name"), text("Class"), text("Hosts"), text("Address"), text("Ports"), text("Age")] },
            ingress,
        ),
        "networking.k8s.io/ingressclasses" => {
            (const { &[text("Name"), text("Controller"), text("Parameters"), text("Age")] }, |o, now| {
                vec![name(o), o["spec"]["controller"].clone(), or_none(&o["spec"]["parameters"]["name"]), age(o, now)]
            })
        }
        "networking.k8s.io/networkpolicies" => {
            (const { &[text("Name"), text("Pod-Selector"), text("Age")] }, |o, now| {
                vec![name(o), selector(&o["spec"]["podSelector"]).into(), age(o, now)]
            })
        }
        _ => return None,
    };
    Some(layout)
}

fn service(o: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &o["spec"];
    let ports: Vec<_> = items(&spec["ports"])
        .iter()
        .map(|port| {
            let (number, protocol) = (number(&port["port"]), port["protocol"].as_str().unwrap_or("TCP"));
            match port["nodePort"].as_i64() {
                Some(node) if node > 0 => format!("{number}:{node}/{protocol}"),
                _ => format!("{number}/{protocol}"),
            }
        })
        .collect();
    let ports = if ports.is_empty() { "<none>".to_owned() } else { ports.join(",") };
    vec![
        name(o),
        or_none(&spec["type"]),
        or_none(&spec["clusterIP"]),
        external(o).into(),
        ports.into(),
        age(o, now),
        labels(&spec["selector"]).into(),
    ]
}

fn external(o: &Value) -> String {
    let spec = &o["spec"];
    let given: Vec<_> = items(&spec["externalIPs"]).iter().filter_map(Value::as_str).collect();
    match spec["type"].as_str() {
        Some("ExternalName") => spec["externalName"].as_str().unwrap_or("<none>").to_owned(),
        Some("LoadBalancer") => {
            let ingress = items(&o["status"]["loadBalancer"]["ingress"]).iter();
            let balanced = ingress.filter_map(|i| i["ip"].as_str().or(i["hostname"].as_str()));
            let all: Vec<_> = balanced.chain(given).collect();
            if all.is_empty() { "<pending>".into() } else { all.join(",") }
        }
        _ if given.is_empty() => "<none>".into(),
        _ => given.join(","),
    }
}

/// At most three of a list, and how many more there are.
fn some(list: &[String]) -> String {
    match list.len() {
        0 => "<none>".into(),
        1..=3 => list.join(","),
        more => format!("{} + {} more...", list[..3].join(","), more - 3),
    }
}

fn endpoints(o: &Value, now: Timestamp) -> Vec<Value> {
    let mut all = Vec::new();
    for subset in items(&o["subsets"]) {
        let addresses = || items(&subset["addresses"]).iter().filter_map(|address| address["ip"].as_str());
        if items(&subset["ports"]).is_empty() {
            all.extend(addresses().map(str::to_owned));
        }
        for port in items(&subset["ports"]) {
            all.extend(addresses().map(|ip| format!("{ip}:{}", number(&port["port"]))));
        }
    }
    vec![name(o), some(&all).into(), age(o, now)]
}

fn slice(o: &Value, now: Timestamp) -> Vec<Value> {
    let ports: Vec<_> =
        items(&o["ports"]).iter().map(|p| p["port"].as_i64().map_or_else(|| "*".into(), |n| n.to_string())).collect();
    let addresses = items(&o["endpoints"]).iter().flat_map(|endpoint| items(&endpoint["addresses"]));
    let addresses: Vec<_> = addresses.filter_map(Value::as_str).map(str::to_owned).collect();
    let ports = if ports.is_empty() { "<unset>".into() } else { some(&ports) };
    let addresses = if addresses.is_empty() { "<unset>".into() } else { some(&addresses) };
    vec![name(o), or_none(&o["addressType"]), ports.into(), addresses.into(), age(o, now)]
}

fn ingress(o: &Value, now: Timestamp) -> Vec<Value> {
    let hosts: Vec<_> = items(&o["spec"]["rules"]).iter().filter_map(|rule| rule["host"].as_str()).collect();
    let hosts = if hosts.is_empty() { "*".to_owned() } else { hosts.join(",") };
    let addresses = items(&o["status"]["loadBalancer"]["ingress"]).iter();
    let addresses: Vec<_> = addresses.filter_map(|i| i["ip"].as_str().or(i["hostname"].as_str())).collect();
    let ports = if items(&o["spec"]["tls"]).is_empty() { "80" } else { "80, 443" };
    let class = or(&o["spec"]["ingressClassName"], "<none>");
    vec![name(o), class, hosts.into(), addresses.join(",").into(), ports.into(), age(o, now)]
}
