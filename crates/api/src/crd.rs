//! The CustomResourceDefinitions of every kind served.

use kube::CustomResourceExt;
use serde_json::Value;

use crate::{gateway, gloo};

/// The CustomResourceDefinitions of every kind that is served, valid for any Kubernetes API server.
pub fn crds() -> Vec<Value> {
    let definitions = [
        gateway::Gateway::crd(),
        gateway::VirtualService::crd(),
        gateway::RouteTable::crd(),
        gateway::RouteOption::crd(),
        gateway::VirtualHostOption::crd(),
        gloo::Upstream::crd(),
        gloo::UpstreamGroup::crd(),
        gloo::Settings::crd(),
        gloo::Proxy::crd(),
    ];
    definitions.into_iter().filter_map(|definition| serde_json::to_value(definition).ok()).collect()
}
