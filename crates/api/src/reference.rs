//! How one resource names another, and how messages name any of them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A reference to another resource by name and namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Ref {
    /// The resource's name.
    pub name: String,
    /// The resource's namespace. What an empty one means depends on the field that holds the reference.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
}

impl Ref {
    /// A reference to `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: namespace.into() }
    }

    /// The reference itself, or, where it names no namespace, the same name in `namespace`.
    pub fn or_namespace(&self, namespace: &str) -> Self {
        if self.namespace.is_empty() { Self::new(namespace, &self.name) } else { self.clone() }
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.namespace, self.name)
    }
}

/// The kinds that take part in translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ResourceKind {
    /// A listener.
    Gateway,
    /// A set of domains and their root routes.
    VirtualService,
    /// Routes that others delegate to.
    RouteTable,
    /// Shared options for routes.
    RouteOption,
    /// Shared options for virtual hosts.
    VirtualHostOption,
    /// A destination.
    Upstream,
    /// Weighted destinations under one name.
    UpstreamGroup,
    /// The control plane's settings.
    Settings,
    /// The flattened result.
    Proxy,
    /// A Kubernetes Service.
    Service,
    /// A Kubernetes Secret.
    Secret,
}

impl ResourceKind {
    /// The kind's name as it is written in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "Gateway",
            Self::VirtualService => "VirtualService",
            Self::RouteTable => "RouteTable",
            Self::RouteOption => "RouteOption",
            Self::VirtualHostOption => "VirtualHostOption",
            Self::Upstream => "Upstream",
            Self::UpstreamGroup => "UpstreamGroup",
            Self::Settings => "Settings",
            Self::Proxy => "Proxy",
            Self::Service => "Service",
            Self::Secret => "Secret",
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One resource of one kind: the key of reports and of provenance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceId {
    /// What it is.
    pub kind: ResourceKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ResourceId {
    /// The resource `namespace/name` of `kind`.
    pub fn new(kind: ResourceKind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    /// Name and namespace without the kind.
    pub fn reference(&self) -> Ref {
        Ref::new(&self.namespace, &self.name)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}
