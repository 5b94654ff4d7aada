//! The kinds that the control plane watches, and how the API names them.

use kube::core::{ApiResource, GroupVersionKind};
use serin_api::ResourceKind;

/// A kind that the control plane reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Watched {
    /// One of the routing API's own kinds.
    Routing(ResourceKind),
    /// Services: their ports.
    Service,
    /// EndpointSlices: which pods serve a Service.
    EndpointSlice,
    /// Pods: their labels alone.
    Pod,
    /// Secrets: their certificates and keys.
    Secret,
}

impl Watched {
    /// Every kind. The order is that in which they are listed at start.
    pub(crate) const ALL: [Self; 12] = [
        Self::Routing(ResourceKind::Settings),
        Self::Routing(ResourceKind::Gateway),
        Self::Routing(ResourceKind::VirtualService),
        Self::Routing(ResourceKind::RouteTable),
        Self::Routing(ResourceKind::RouteOption),
        Self::Routing(ResourceKind::VirtualHostOption),
        Self::Routing(ResourceKind::Upstream),
        Self::Routing(ResourceKind::UpstreamGroup),
        Self::Service,
        Self::EndpointSlice,
        Self::Pod,
        Self::Secret,
    ];

    /// Group, version, kind and plural.
    fn names(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Routing(kind) => routing_names(kind),
            Self::Service => ("", "v1", "Service", "services"),
            Self::EndpointSlice => ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
            Self::Pod => ("", "v1", "Pod", "pods"),
            Self::Secret => ("", "v1", "Secret", "secrets"),
        }
    }

    /// What a client needs to reach the kind.
    pub(crate) fn resource(self) -> ApiResource {
        let (group, version, kind, plural) = self.names();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }

    /// `plural.group`, as messages name a kind's definition.
    pub(crate) fn definition(self) -> String {
        let (group, _, _, plural) = self.names();
        if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
    }

    /// Whether only the metadata is asked for.
    pub(crate) fn metadata_only(self) -> bool {
        matches!(self, Self::Pod)
    }

    /// Which objects are asked for; empty: all. A release that Helm keeps in a Secret can be a megabyte.
    pub(crate) fn field_selector(self) -> &'static str {
        if self == Self::Secret { "type!=helm.sh/release.v1" } else { "" }
    }
}

/// Group, version, kind and plural of a routing kind.
fn routing_names(kind: ResourceKind) -> (&'static str, &'static str, &'static str, &'static str) {
    let (group, plural) = match kind {
        ResourceKind::Gateway => ("gateway.solo.io", "gateways"),
        ResourceKind::VirtualService => ("gateway.solo.io", "virtualservices"),
        ResourceKind::RouteTable => ("gateway.solo.io", "routetables"),
        ResourceKind::RouteOption => ("gateway.solo.io", "routeoptions"),
        ResourceKind::VirtualHostOption => ("gateway.solo.io", "virtualhostoptions"),
        ResourceKind::Upstream => ("gloo.solo.io", "upstreams"),
        ResourceKind::UpstreamGroup => ("gloo.solo.io", "upstreamgroups"),
        ResourceKind::Settings => ("gloo.solo.io", "settings"),
        ResourceKind::Proxy => ("gloo.solo.io", "proxies"),
        ResourceKind::Service => ("", "services"),
        ResourceKind::Secret => ("", "secrets"),
    };
    (group, "v1", kind.as_str(), plural)
}

/// What a client needs to reach a resource of `kind`.
pub(crate) fn api_resource(kind: ResourceKind) -> ApiResource {
    Watched::Routing(kind).resource()
}
