//! Rules for services and their endpoints.

use serde_json::{Value, json};

use super::{Errors, PROTOCOLS, items, metadata, names, port, port_number, text};
use crate::schema::FieldError;

pub(super) fn service(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let spec = &object["spec"];
    let ty = text(&spec["type"]);
    let headless = text(&spec["clusterIP"]) == "None";
    let ports = items(&spec["ports"]);
    if ports.is_empty() && !headless && ty != "ExternalName" {
        errors.push(FieldError::required("spec.ports", ""));
    }
    match ty {
        "LoadBalancer" | "NodePort" if headless => {
            let words = format!("may not be set to 'None' for {ty} services");
            errors.push(FieldError::invalid("spec.clusterIPs[0]", &json!("None"), &words));
        }
        "ExternalName" => match text(&spec["externalName"]).trim_end_matches('.') {
            "" => errors.push(FieldError::required("spec.externalName", "")),
            name => errors.faults("spec.externalName", name, names::dns_subdomain(name)),
        },
        _ => {}
    }
    service_ports(ports, errors);
    metadata::labels(&spec["selector"], "spec.selector", &mut errors.0);
    errors.one_of("spec.sessionAffinity", &spec["sessionAffinity"], &["ClientIP", "None"]);
    errors.one_of("spec.type", &spec["type"], &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
    node_ports(ty, ports, errors);
    if let Some(old) = old {
        let (new, before) = (&spec["clusterIP"], &old["spec"]["clusterIP"]);
        let stays = ty != "ExternalName" && text(&old["spec"]["type"]) != "ExternalName";
        if stays && !text(before).is_empty() && new != before {
            let shown = json!([text(new)]);
            let shown = if text(new).is_empty() { Value::Null } else { shown };
            errors.push(FieldError::invalid("spec.clusterIPs[0]", &shown, "may not change once set"));
        }
    }
}

fn service_ports(ports: &[Value], errors: &mut Errors) {
    let mut names_seen: Vec<&str> = Vec::new();
    for (i, entry) in ports.iter().enumerate() {
        let under = |name: &str| format!("spec.ports[{i}].{name}");
        let name = text(&entry["name"]);
        if name.is_empty() && ports.len() > 1 {
            errors.push(FieldError::required(under("name"), ""));
        } else if !name.is_empty() {
            errors.faults(&under("name"), name, names::dns_label(name));
            if names_seen.contains(&name) {
                errors.push(FieldError::duplicate(under("name"), &json!(name)));
            }
            names_seen.push(name);
        }
        port_number(&json!(entry["port"].as_i64().unwrap_or(0)), &under("port"), errors);
        errors.one_of(&under("protocol"), &entry["protocol"], &PROTOCOLS);
        port(&entry["targetPort"], &under("targetPort"), errors);
    }
    for (i, entry) in ports.iter().enumerate() {
        let same = |other: &Value| other["port"] == entry["port"] && other["protocol"] == entry["protocol"];
        if ports[..i].iter().any(same) {
            let key = json!({"port": entry["port"], "protocol": entry["protocol"], "targetPort": 0});
            errors.push(FieldError::duplicate(format!("spec.ports[{i}]"), &key));
        }
    }
}

fn node_ports(ty: &str, ports: &[Value], errors: &mut Errors) {
    for (i, entry) in ports.iter().enumerate() {
        let Some(number) = entry["nodePort"].as_i64().filter(|number| *number != 0) else { continue };
        let place = format!("spec.ports[{i}].nodePort");
        if ty == "ClusterIP" {
            errors.push(FieldError::forbidden(&place, "may not be used when `type` is 'ClusterIP'"));
        }
        let same = |other: &Value| other["nodePort"] == number && other["protocol"] == entry["protocol"];
        if ports[..i].iter().any(same) {
            errors.push(FieldError::duplicate(&place, &json!(number)));
        }
    }
}

pub(super) fn endpoints(object: &Value, errors: &mut Errors) {
    for (i, subset) in items(&object["subsets"]).iter().enumerate() {
        if items(&subset["addresses"]).is_empty() && items(&subset["notReadyAddresses"]).is_empty() {
            let words = "must specify `addresses` or `notReadyAddresses`";
            errors.push(FieldError::required(format!("subsets[{i}]"), words));
        }
        for (j, entry) in items(&subset["ports"]).iter().enumerate() {
            port_number(&entry["port"], &format!("subsets[{i}].ports[{j}].port"), errors);
        }
    }
}

pub(super) fn endpoint_slice(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    errors.one_of("addressType", &object["addressType"], &["FQDN", "IPv4", "IPv6"]);
    for (i, endpoint) in items(&object["endpoints"]).iter().enumerate() {
        let at = format!("endpoints[{i}].addresses");
        let addresses = items(&endpoint["addresses"]);
        if addresses.is_empty() {
            errors.push(FieldError::required(&at, "must contain at least 1 address"));
        }
        for (j, address) in addresses.iter().enumerate() {
            let ip = text(address).parse::<std::net::IpAddr>();
            match (text(&object["addressType"]), ip) {
                ("IPv4" | "IPv6", Err(_)) => errors.push(FieldError::invalid(
                    format!("{at}[{j}]"),
                    address,
                    "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                )),
                ("IPv4", Ok(ip)) if ip.is_ipv6() => {
                    errors.push(FieldError::invalid(&at, address, "must be an IPv4 address"));
                }
                ("IPv6", Ok(ip)) if ip.is_ipv4() => {
                    errors.push(FieldError::invalid(&at, address, "must be an IPv6 address"));
                }
                _ => {}
            }
        }
    }
    if let Some(old) = old {
        errors.immutable("addressType", &object["addressType"], &old["addressType"]);
    }
}
