//! All Envoy resources of one configuration, each with a version of its own that changes only when the resource does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy_types::pb::envoy::config::listener::v3::Listener;
use envoy_types::pb::envoy::config::route::v3::RouteConfiguration;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::Secret;
use envoy_types::pb::google::protobuf::Any;
use prost::Name;
use serin_api::ResourceId;
use serin_api::proxy::{self, ClusterName, EndpointMap, ProxySpec};
use sha2::{Digest, Sha256};

use crate::listener::ListenerAddresses;
use crate::protobuf::any;
use crate::secret::SecretMap;
use crate::{client_checks, cluster, endpoint, https, listener, route, transport};

/// The types of resources, in the order in which Envoy has to get them: nothing names what it does not have yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceType {
    /// Clusters (CDS).
    Cluster,
    /// The endpoints of a cluster (EDS).
    Endpoints,
    /// Listeners (LDS).
    Listener,
    /// The routes of a listener (RDS).
    Routes,
    /// Certificates, keys and roots (SDS).
    Secret,
}

impl ResourceType {
    /// All of them, in their order. Secrets are asked for by name, so that being the first holds them up nowhere.
    pub const ALL: [Self; 5] = [Self::Secret, Self::Cluster, Self::Endpoints, Self::Listener, Self::Routes];

    /// The type's name on the wire.
    pub fn type_url(self) -> String {
        match self {
            Self::Cluster => Cluster::type_url(),
            Self::Endpoints => ClusterLoadAssignment::type_url(),
            Self::Listener => Listener::type_url(),
            Self::Routes => RouteConfiguration::type_url(),
            Self::Secret => Secret::type_url(),
        }
    }

    /// The type with this name on the wire.
    pub fn from_type_url(url: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.type_url() == url)
    }

    /// Whether others are in use only once they have these; Envoy acknowledges them no sooner.
    pub(crate) fn is_needed_to_warm(self) -> bool {
        matches!(self, Self::Endpoints | Self::Secret)
    }

    /// Whether Envoy asks for all there are. It asks for the others by name, as those name them.
    pub(crate) fn is_listed(self) -> bool {
        matches!(self, Self::Cluster | Self::Listener)
    }
}

/// One resource, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// Its version: made of its content, so that it means the same to every replica.
    pub version: String,
    /// The resource itself.
    pub body: Any,
    /// What it comes from: whom to tell when an Envoy refuses it.
    pub source: ResourceId,
}

/// Resources by name.
pub(crate) type Resources = BTreeMap<String, Arc<Resource>>;

/// All resources of one configuration.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    number: u64,
    spec: Arc<ProxySpec>,
    endpoints: EndpointMap,
    addresses: ListenerAddresses,
    secrets: SecretMap,
    resources: [Resources; ResourceType::ALL.len()],
}

impl Snapshot {
    /// The resources for `spec` and `endpoints`. What did not change since `previous` is taken from there. There are no
    /// certificates: listeners that speak TLS are not opened.
    pub fn new(
        spec: Arc<ProxySpec>,
        endpoints: EndpointMap,
        addresses: ListenerAddresses,
        previous: Option<&Self>,
    ) -> Self {
        Self::with_secrets(spec, endpoints, addresses, SecretMap::new(), previous)
    }

    /// As [`new`](Self::new), with what `spec` names in certificates, keys and roots.
    pub fn with_secrets(
        spec: Arc<ProxySpec>,
        endpoints: EndpointMap,
        addresses: ListenerAddresses,
        secrets: SecretMap,
        previous: Option<&Self>,
    ) -> Self {
        let mut snapshot = Self {
            number: previous.map_or(1, |previous| previous.number + 1),
            spec,
            endpoints,
            addresses,
            secrets,
            ..Self::default()
        };
        let listeners = snapshot.listeners(previous);
        let routes = snapshot.routes(&listeners, previous);
        let (clusters, assignments) = (snapshot.clusters(previous), snapshot.assignments(previous));
        snapshot.resources = [clusters, assignments, listeners, routes, snapshot.secret_resources()];
        snapshot
    }

    /// Its number: each snapshot's is one higher than its predecessor's.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Where an Envoy of this machine listens, by the listener's name; none of those that are not opened.
    pub fn listening(&self) -> BTreeMap<String, SocketAddr> {
        let open =
            self.spec.listeners.iter().filter(|listener| self.kept(ResourceType::Listener, &listener.name).is_some());
        let listening = open.filter_map(|listener| {
            let (host, port) = self.addresses.of(listener);
            Some((listener.name.clone(), SocketAddr::new(host.parse().ok()?, port)))
        });
        listening.collect()
    }

    /// Adds throw-away listeners, which bind no port and have their routes in themselves.
    pub(crate) fn add_probes(&mut self, probes: &[proxy::Listener]) {
        let made = probes
            .iter()
            .zip(1..)
            .map(|(probe, port)| resource(&probe.name, &probe.source, any(&listener::probe(probe, port))));
        self.resources[ResourceType::Listener as usize].extend(by_name(made));
    }

    /// The resources of one type, by name.
    pub fn resources(&self, kind: ResourceType) -> &BTreeMap<String, Arc<Resource>> {
        &self.resources[kind as usize]
    }

    fn clusters(&self, previous: Option<&Self>) -> Resources {
        let shows = |cluster: &proxy::Cluster, secrets| transport::shows_certificate(&cluster.transport, secrets);
        let made = self.spec.clusters.iter().map(|(name, cluster)| {
            let unchanged = previous
                .filter(|previous| previous.spec.clusters.get(name).is_some_and(|old| same(old, cluster)))
                .filter(|previous| shows(cluster, &previous.secrets) == shows(cluster, &self.secrets))
                .and_then(|previous| previous.kept(ResourceType::Cluster, name.as_str()));
            let made = || any(&cluster::cluster(cluster, &self.secrets));
            unchanged.unwrap_or_else(|| resource(name.as_str(), &cluster.source, made()))
        });
        by_name(made)
    }

    fn assignments(&self, previous: Option<&Self>) -> Resources {
        let discovered = self.spec.clusters.iter().filter(|(_, cluster)| cluster::is_discovered(cluster));
        let made = discovered.map(|(name, cluster)| {
            let endpoints = self.endpoints_of(name);
            let unchanged = previous
                .filter(|previous| previous.spec.clusters.get(name).is_some_and(|old| same(old, cluster)))
                .filter(|previous| previous.endpoints_of(name) == endpoints)
                .and_then(|previous| previous.kept(ResourceType::Endpoints, name.as_str()));
            unchanged.unwrap_or_else(|| {
                resource(name.as_str(), &cluster.source, any(&endpoint::assignment(cluster, endpoints)))
            })
        });
        by_name(made)
    }

    fn listeners(&self, previous: Option<&Self>) -> Resources {
        let previous = previous.filter(|previous| previous.addresses == self.addresses);
        let made = self.spec.listeners.iter().filter_map(|listener| {
            let unchanged = self
                .unchanged(listener, previous)
                .and_then(|previous| previous.kept(ResourceType::Listener, &listener.name));
            unchanged.or_else(|| {
                let made = listener::listener(listener, &self.addresses, &self.secrets)?;
                Some(resource(&listener.name, &listener.source, any(&made)))
            })
        });
        by_name(made)
    }

    /// Nobody asks for the routes of a listener that is not opened.
    fn routes(&self, listeners: &Resources, previous: Option<&Self>) -> Resources {
        let opened = self.spec.listeners.iter().filter(|listener| listeners.contains_key(&listener.name));
        let made = opened.map(|listener| {
            let unchanged = self
                .unchanged(listener, previous)
                .and_then(|previous| previous.kept(ResourceType::Routes, &listener.name));
            unchanged
                .unwrap_or_else(|| resource(&listener.name, &listener.source, any(&self.route_configuration(listener))))
        });
        by_name(made)
    }

    /// Hosts that want clients to show a certificate, and are reached by those who need not, answer the former alone.
    fn route_configuration(&self, listener: &Arc<proxy::Listener>) -> RouteConfiguration {
        let mut made = route::configuration(listener);
        for (host, made) in listener.virtual_hosts.iter().zip(&mut made.virtual_hosts) {
            if https::is_reached_unchecked(listener, &self.secrets, host) {
                client_checks::guard(&host.source, made);
            }
        }
        made
    }

    /// The secrets that listeners and clusters name.
    fn secret_resources(&self) -> Resources {
        let listeners = self.spec.listeners.iter().flat_map(|listener| &listener.tls);
        let served = listeners.filter_map(|tls| Some((&tls.credential, tls.sources.first()?)));
        let clusters = self.spec.clusters.values();
        let shown = clusters
            .filter_map(|cluster| Some((cluster.transport.tls.as_ref()?.credential.as_ref()?, &cluster.source)));
        let named: BTreeMap<_, _> = served.chain(shown).collect();
        let made = named.into_iter().flat_map(|(credential, owner)| {
            let text = self.secrets.get(credential);
            let secrets = text.map(|text| text.secrets(credential)).unwrap_or_default();
            secrets.into_iter().map(move |secret| resource(&secret.name, owner, any(&secret)))
        });
        by_name(made)
    }

    fn unchanged<'a>(&self, listener: &Arc<proxy::Listener>, previous: Option<&'a Self>) -> Option<&'a Self> {
        let standing = |snapshot: &Self| https::standing(listener, &snapshot.secrets);
        previous
            .filter(|previous| previous.spec.listeners.iter().any(|old| same(old, listener)))
            .filter(|previous| listener.tls.is_empty() || standing(previous) == standing(self))
    }

    pub(crate) fn endpoints_of(&self, cluster: &ClusterName) -> &[proxy::Endpoint] {
        self.endpoints.get(cluster).map_or(&[], |endpoints| endpoints)
    }

    fn kept(&self, kind: ResourceType, name: &str) -> Option<Arc<Resource>> {
        self.resources(kind).get(name).cloned()
    }
}

fn same<T: PartialEq>(old: &Arc<T>, new: &Arc<T>) -> bool {
    Arc::ptr_eq(old, new) || old == new
}

fn by_name(resources: impl Iterator<Item = Arc<Resource>>) -> Resources {
    resources.map(|resource| (resource.name.clone(), resource)).collect()
}

fn resource(name: &str, source: &ResourceId, body: Any) -> Arc<Resource> {
    let digest = Sha256::digest(&body.value);
    let version = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Arc::new(Resource { name: name.to_owned(), version, body, source: source.clone() })
}
