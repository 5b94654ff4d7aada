//! The objects that exist from the start, as Gloo's installation leaves them.

use serde_json::{Value, json};

use crate::CONTROL_PLANE_NAMESPACE;

/// The namespace of the control plane, its Settings, and the two Gateways every walkthrough relies on: `gateway-proxy` for
/// HTTP on 8080 and `gateway-proxy-ssl` for HTTPS on 8443.
///
/// They are created where they are absent, in this order, and belong to the user from then on.
pub fn bootstrap_objects() -> Vec<Value> {
    let metadata = |name: &str| json!({"name": name, "namespace": CONTROL_PLANE_NAMESPACE, "labels": {"app": "gloo"}});
    let gateway = |name: &str, port: u16, ssl: bool| {
        json!({
            "apiVersion": "gateway.solo.io/v1",
            "kind": "Gateway",
            "metadata": metadata(name),
            "spec": {
                "bindAddress": "::",
                "bindPort": port,
                "httpGateway": {},
                "proxyNames": ["gateway-proxy"],
                "ssl": ssl,
            },
        })
    };
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": CONTROL_PLANE_NAMESPACE}}),
        json!({
            "apiVersion": "gloo.solo.io/v1",
            "kind": "Settings",
            "metadata": metadata("default"),
            "spec": {
                "discoveryNamespace": CONTROL_PLANE_NAMESPACE,
                "gloo": {"invalidConfigPolicy": {"replaceInvalidRoutes": false, "invalidRouteResponseCode": 404}},
            },
        }),
        gateway("gateway-proxy", 8080, false),
        gateway("gateway-proxy-ssl", 8443, true),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::GatewaySpec;
    use crate::gloo::SettingsSpec;

    #[test]
    fn what_exists_from_the_start_decodes() {
        let objects = bootstrap_objects();
        assert!(crate::decode::<SettingsSpec>(&objects[1]).is_ok());
        let ports: Vec<_> = objects[2..]
            .iter()
            .map(|object| crate::decode::<GatewaySpec>(object).unwrap())
            .map(|spec| (spec.bind_port, spec.ssl, spec.http_gateway.is_some()))
            .collect();
        assert_eq!(ports, [(8080, false, true), (8443, true, true)]);
    }
}
