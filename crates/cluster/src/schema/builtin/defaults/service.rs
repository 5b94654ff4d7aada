//! Defaults of services.

use serde_json::{Value, json};

use super::{always, each, inner, make, set};

pub(super) fn service(object: &mut Value) {
    if let Some(status) = make(object, "status") {
        always(status, "loadBalancer", json!({}));
    }
    let Some(spec) = inner(object, "spec") else { return };
    set(spec, "sessionAffinity", json!("None"));
    if spec["sessionAffinity"] == "ClientIP" {
        let seconds = &spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
        if seconds.is_null() {
            spec["sessionAffinityConfig"] = json!({"clientIP": {"timeoutSeconds": 10_800}});
        }
    }
    set(spec, "type", json!("ClusterIP"));
    each(spec, &["ports"], |port| {
        set(port, "protocol", json!("TCP"));
        if matches!(&port["targetPort"], Value::Null) || port["targetPort"] == 0 || port["targetPort"] == "" {
            let number = port["port"].clone();
            if let Some(port) = port.as_object_mut() {
                port.insert("targetPort".into(), number);
            }
        }
    });
    let ty = spec["type"].as_str().unwrap_or_default().to_owned();
    if matches!(&*ty, "NodePort" | "LoadBalancer") {
        set(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if ty == "LoadBalancer" {
        always(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    if ty == "ExternalName" {
        return;
    }
    always(spec, "internalTrafficPolicy", json!("Cluster"));
    always(spec, "ipFamilies", json!(["IPv4"]));
    always(spec, "ipFamilyPolicy", json!("SingleStack"));
    let address = spec["clusterIP"].as_str().filter(|address| !address.is_empty()).map(str::to_owned);
    if let Some(address) = address {
        always(spec, "clusterIPs", json!([address]));
    }
}
