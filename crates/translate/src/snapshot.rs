//! The input: every resource that matters, as it was at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serin_api::gateway::{GatewaySpec, RouteOptionSpec, RouteTableSpec, VirtualHostOptionSpec, VirtualServiceSpec};
use serin_api::gloo::{SettingsSpec, UpstreamGroupSpec, UpstreamSpec};
use serin_api::proxy::CredentialSource;
use serin_api::{Ref, ResourceId};

/// A resource with the parts of its metadata that translation reads. Cheap to clone behind its `Arc`.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource<T> {
    /// What and where it is.
    pub id: ResourceId,
    /// `metadata.generation`.
    pub generation: i64,
    /// `metadata.creationTimestamp` as it is written (RFC 3339 in UTC, so that text order is time order): of two
    /// resources that want the same thing, the older has it. Empty when unknown, which counts as oldest.
    pub created: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// Its `spec`.
    pub spec: T,
    /// Paths of fields that are known but not implemented yet, such as `spec.routes[0].options.timeout`.
    pub unimplemented: Vec<String>,
}

/// Resources of one kind, by namespace and name.
pub type Resources<T> = BTreeMap<Ref, Arc<Resource<T>>>;

/// Every resource that matters, as it was at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Listeners.
    pub gateways: Resources<GatewaySpec>,
    /// Domains and root routes.
    pub virtual_services: Resources<VirtualServiceSpec>,
    /// Delegated routes.
    pub route_tables: Resources<RouteTableSpec>,
    /// Shared options of routes.
    pub route_options: Resources<RouteOptionSpec>,
    /// Shared options of virtual hosts.
    pub virtual_host_options: Resources<VirtualHostOptionSpec>,
    /// Destinations.
    pub upstreams: Resources<UpstreamSpec>,
    /// Weighted destinations.
    pub upstream_groups: Resources<UpstreamGroupSpec>,
    /// `Settings` objects; the one called `default` in the control plane's namespace counts.
    pub settings: Resources<SettingsSpec>,
    /// Kubernetes Services.
    pub services: BTreeMap<Ref, Arc<Service>>,
    /// Names of the Secrets that exist.
    pub secrets: BTreeSet<Ref>,
    /// What is known of certificates and roots: those in Secrets, and those in files that some resource names.
    pub credentials: BTreeMap<CredentialSource, Arc<CredentialFacts>>,
    /// The time, in seconds since 1970, as far as certificates go; 0: unknown.
    pub now: i64,
    /// Resources that are stored but cannot be read, and why: the field's path and what was expected there.
    pub unreadable: BTreeMap<ResourceId, Unreadable>,
    /// Endpoint addresses by Service.
    pub backends: BTreeMap<Ref, Arc<Vec<Backend>>>,
}

/// What is known of a certificate, its key, and the roots for the other side's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialFacts {
    /// The certificate that can be served: it has its key. With a `fault`, the one from before.
    pub certificate: Option<CertificateFacts>,
    /// Whether there are roots for the other side's certificate.
    pub authority: bool,
    /// Why what is there now cannot be used.
    pub fault: Option<String>,
}

/// What is known of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The names that it is for, in lower case.
    pub names: Vec<String>,
    /// From when on it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
}

/// A stored resource that does not have the shape of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// `metadata.generation`.
    pub generation: i64,
    /// `metadata.labels`, by which selectors find it all the same.
    pub labels: BTreeMap<String, String>,
    /// What is wrong, with the field's path.
    pub reason: String,
}

/// A Kubernetes Service: its ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its ports.
    pub ports: Vec<ServicePort>,
}

/// One port of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePort {
    /// The port's name; empty when it has none.
    pub name: String,
    /// The port that clients use.
    pub port: u16,
    /// Whether HTTP/2 is spoken there, as far as the Service says.
    pub http2: bool,
}

/// One ready pod behind a Service, as its EndpointSlices and the pod itself say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// The pod's address.
    pub address: String,
    /// The pod's own port, by the name of the Service's port.
    pub ports: BTreeMap<String, u16>,
    /// The pod's labels.
    pub labels: BTreeMap<String, String>,
}
