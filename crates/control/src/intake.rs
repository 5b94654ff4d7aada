//! The snapshot, kept up to date change by change, and the status that each resource carries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serin_api::proxy::CredentialSource;
use serin_api::{CONTROL_PLANE_NAMESPACE, NamespacedStatuses, Ref, ResourceId, ResourceKind, ResourceStatus};
use serin_proxy::CredentialMap;
use serin_translate::{Resource, Resources, Service, ServicePort, Snapshot, Unreadable, credential_source};

use crate::credentials::{Credentials, aged};
use crate::endpoint_slices::EndpointSlices;
use crate::watch::{Change, Object, Seen};
use crate::watched::Watched;

/// What a change touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Something that routes are made of.
    pub(crate) configuration: bool,
    /// Where requests can go.
    pub(crate) endpoints: bool,
    /// Certificates and keys.
    pub(crate) credentials: bool,
    /// A status that somebody wrote.
    pub(crate) statuses: bool,
}

impl Touched {
    /// All of it.
    pub(crate) fn everything() -> Self {
        Self { configuration: true, endpoints: true, credentials: true, statuses: true }
    }

    /// Whether nothing was touched.
    pub(crate) fn nothing(self) -> bool {
        self == Self::default()
    }

    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            configuration: self.configuration || other.configuration,
            endpoints: self.endpoints || other.endpoints,
            credentials: self.credentials || other.credentials,
            statuses: self.statuses || other.statuses,
        }
    }
}

/// The status that a resource carries, and which life of the resource carries it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Carried {
    pub(crate) uid: String,
    pub(crate) status: Option<ResourceStatus>,
}

/// Everything that was seen, of all namespaces.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    everything: Snapshot,
    slices: EndpointSlices,
    carried: BTreeMap<ResourceId, Carried>,
    credentials: Credentials,
}

/// How often files are looked at.
const FILES_EVERY: Duration = Duration::from_millis(500);
/// How often certificates are looked at that may have come of age.
const TIME_EVERY: Duration = Duration::from_secs(30);

impl Intake {
    /// Takes over what a watch saw.
    pub(crate) fn take(&mut self, change: Change) -> Touched {
        match change.kind {
            Watched::Routing(kind) => self.take_routing(kind, change.seen),
            Watched::Service => self.take_service(change.seen),
            Watched::Secret => self.take_secret(change.seen),
            Watched::EndpointSlice => {
                match change.seen {
                    Seen::Listed(objects) => self.slices.list_slices(objects),
                    Seen::Applied(object) => self.slices.apply_slice(object),
                    Seen::Deleted(id) => self.slices.remove_slice(&id),
                    Seen::Absent | Seen::Failed(_) => {}
                }
                self.refresh_backends()
            }
            Watched::Pod => {
                match change.seen {
                    Seen::Listed(objects) => self.slices.list_pods(objects),
                    Seen::Applied(object) => self.slices.apply_pod(object),
                    Seen::Deleted(id) => self.slices.remove_pod(&id),
                    Seen::Absent | Seen::Failed(_) => {}
                }
                self.refresh_backends()
            }
        }
    }

    /// Everything that was seen.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.everything
    }

    /// The status that a resource carries now.
    pub(crate) fn carried(&self, id: &ResourceId) -> Option<&Carried> {
        self.carried.get(id)
    }

    /// The generation of each routing resource that was seen.
    pub(crate) fn generations(&self) -> BTreeMap<ResourceId, i64> {
        let all = &self.everything;
        let mut generations = BTreeMap::new();
        for id in self.carried.keys() {
            let key = id.reference();
            let generation = match id.kind {
                ResourceKind::Gateway => generation(&all.gateways, &key),
                ResourceKind::VirtualService => generation(&all.virtual_services, &key),
                ResourceKind::RouteTable => generation(&all.route_tables, &key),
                ResourceKind::RouteOption => generation(&all.route_options, &key),
                ResourceKind::VirtualHostOption => generation(&all.virtual_host_options, &key),
                ResourceKind::Upstream => generation(&all.upstreams, &key),
                ResourceKind::UpstreamGroup => generation(&all.upstream_groups, &key),
                ResourceKind::Settings => generation(&all.settings, &key),
                ResourceKind::Proxy | ResourceKind::Service | ResourceKind::Secret => None,
            };
            let unreadable = all.unreadable.get(id).map(|unreadable| unreadable.generation);
            if let Some(generation) = generation.or(unreadable) {
                generations.insert(id.clone(), generation);
            }
        }
        generations
    }

    fn refresh_backends(&mut self) -> Touched {
        Touched { endpoints: self.slices.refresh(&mut self.everything.backends), ..Touched::default() }
    }

    fn take_routing(&mut self, kind: ResourceKind, seen: Seen) -> Touched {
        let all = &mut self.everything;
        let mut shelf = Shelf { kind, unreadable: &mut all.unreadable, carried: &mut self.carried };
        match kind {
            ResourceKind::Gateway => shelf.take(&mut all.gateways, seen),
            ResourceKind::VirtualService => shelf.take(&mut all.virtual_services, seen),
            ResourceKind::RouteTable => shelf.take(&mut all.route_tables, seen),
            ResourceKind::RouteOption => shelf.take(&mut all.route_options, seen),
            ResourceKind::VirtualHostOption => shelf.take(&mut all.virtual_host_options, seen),
            ResourceKind::Upstream => shelf.take(&mut all.upstreams, seen),
            ResourceKind::UpstreamGroup => shelf.take(&mut all.upstream_groups, seen),
            ResourceKind::Settings => shelf.take(&mut all.settings, seen),
            ResourceKind::Proxy | ResourceKind::Service | ResourceKind::Secret => Touched::default(),
        }
    }

    fn take_service(&mut self, seen: Seen) -> Touched {
        let services = &mut self.everything.services;
        let changed = match seen {
            Seen::Listed(objects) => {
                let now = objects.iter().map(|object| (object.id.clone(), Arc::new(read_service(object)))).collect();
                let changed = *services != now;
                *services = now;
                changed
            }
            Seen::Applied(object) => {
                let service = Arc::new(read_service(&object));
                services.insert(object.id, service.clone()) != Some(service)
            }
            Seen::Deleted(id) => services.remove(&id).is_some(),
            Seen::Absent | Seen::Failed(_) => false,
        };
        Touched { configuration: changed, endpoints: changed, ..Touched::default() }
    }

    fn take_secret(&mut self, seen: Seen) -> Touched {
        let all = &mut self.everything;
        let (applied, gone) = match seen {
            Seen::Listed(objects) => {
                let listed: BTreeSet<Ref> = objects.iter().map(|object| object.id.clone()).collect();
                (objects, all.secrets.difference(&listed).cloned().collect())
            }
            Seen::Applied(object) => (vec![object], Vec::new()),
            Seen::Deleted(id) => (Vec::new(), vec![id]),
            Seen::Absent | Seen::Failed(_) => return Touched::default(),
        };
        let (mut configuration, mut credentials) = (!gone.is_empty(), false);
        for id in gone {
            all.secrets.remove(&id);
            credentials |= self.credentials.put(all, CredentialSource::Secret(id), None);
        }
        for object in applied {
            configuration |= all.secrets.insert(object.id.clone());
            credentials |= self.credentials.put(all, CredentialSource::Secret(object.id), object.credential);
        }
        Touched { configuration: configuration || credentials, credentials, ..Touched::default() }
    }

    /// Looks at what no watch tells of: files that resources name, and the time.
    pub(crate) fn look_again(&mut self) -> Touched {
        let all = &mut self.everything;
        let files = all.virtual_services.values().filter_map(|resource| {
            let config = resource.spec.ssl_config.as_ref()?;
            credential_source(config.secret_ref.as_ref(), config.ssl_files.as_ref(), &resource.id.namespace)
        });
        let of_upstreams = all.upstreams.values().filter_map(|resource| {
            let config = resource.spec.ssl_config.as_ref()?;
            credential_source(config.secret_ref.as_ref(), config.ssl_files.as_ref(), &resource.id.namespace)
        });
        let wanted =
            files.chain(of_upstreams).filter(|source| matches!(source, CredentialSource::Files { .. })).collect();
        let credentials = self.credentials.refresh_files(all, wanted);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs().cast_signed());
        let aged = aged(all, all.now, now);
        all.now = now;
        Touched { configuration: credentials || aged, credentials, ..Touched::default() }
    }

    /// The certificates and keys for the data plane.
    pub(crate) fn credentials(&self) -> CredentialMap {
        self.credentials.usable()
    }

    /// How soon to look again.
    pub(crate) fn next_look(&self) -> Duration {
        if self.credentials.follows_files() { FILES_EVERY } else { TIME_EVERY }
    }
}

fn generation<T>(resources: &Resources<T>, key: &Ref) -> Option<i64> {
    resources.get(key).map(|resource| resource.generation)
}

/// What is kept of one routing kind, apart from the resources themselves.
struct Shelf<'a> {
    kind: ResourceKind,
    unreadable: &'a mut BTreeMap<ResourceId, Unreadable>,
    carried: &'a mut BTreeMap<ResourceId, Carried>,
}

impl Shelf<'_> {
    fn take<T: DeserializeOwned + PartialEq>(&mut self, resources: &mut Resources<T>, seen: Seen) -> Touched {
        match seen {
            Seen::Listed(objects) => {
                let listed: BTreeSet<Ref> = objects.iter().map(|object| object.id.clone()).collect();
                let known = self.carried.keys().filter(|id| id.kind == self.kind).map(ResourceId::reference);
                let gone: Vec<Ref> = known.filter(|id| !listed.contains(id)).collect();
                let mut touched = Touched::default();
                for id in gone {
                    touched = touched.and(self.remove(resources, &id));
                }
                for object in objects {
                    touched = touched.and(self.apply(resources, object));
                }
                touched
            }
            Seen::Applied(object) => self.apply(resources, object),
            Seen::Deleted(id) => self.remove(resources, &id),
            Seen::Absent | Seen::Failed(_) => Touched::default(),
        }
    }

    fn apply<T: DeserializeOwned + PartialEq>(&mut self, resources: &mut Resources<T>, object: Object) -> Touched {
        let id = ResourceId::new(self.kind, &object.id.namespace, &object.id.name);
        let carried = Carried { uid: object.uid.clone(), status: read_status(&object.body) };
        let statuses = self.carried.insert(id.clone(), carried.clone()) != Some(carried);
        let configuration = match serin_api::decode::<T>(&object.body) {
            Ok(spec) => {
                let resource = Arc::new(Resource {
                    unimplemented: serin_api::unimplemented(self.kind, &object.body),
                    id: id.clone(),
                    generation: object.generation,
                    created: object.created,
                    labels: object.labels,
                    spec,
                });
                let was_unreadable = self.unreadable.remove(&id).is_some();
                let before = resources.insert(object.id, resource.clone());
                was_unreadable || before.is_none_or(|before| before != resource)
            }
            Err(error) => {
                let reason = error.to_string();
                let unreadable = Unreadable { generation: object.generation, labels: object.labels, reason };
                let was_readable = resources.remove(&object.id).is_some();
                let before = self.unreadable.insert(id, unreadable.clone());
                was_readable || before != Some(unreadable)
            }
        };
        Touched { configuration, statuses, ..Touched::default() }
    }

    fn remove<T>(&mut self, resources: &mut Resources<T>, key: &Ref) -> Touched {
        let id = ResourceId::new(self.kind, &key.namespace, &key.name);
        self.carried.remove(&id);
        let was_unreadable = self.unreadable.remove(&id).is_some();
        let was_readable = resources.remove(key).is_some();
        Touched { configuration: was_unreadable || was_readable, statuses: true, ..Touched::default() }
    }
}

/// What this control plane has written on the resource; an unreadable status counts as none.
fn read_status(body: &Value) -> Option<ResourceStatus> {
    let status = NamespacedStatuses::deserialize(body.get("status")?).ok()?;
    status.statuses.get(CONTROL_PLANE_NAMESPACE).cloned()
}

fn read_service(object: &Object) -> Service {
    let ports = object.body.pointer("/spec/ports").and_then(Value::as_array);
    let port = |port: &Value| {
        Some(ServicePort {
            name: port.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            port: u16::try_from(port.get("port")?.as_u64()?).ok()?,
            http2: speaks_http2(object, port),
        })
    };
    Service { ports: ports.into_iter().flatten().filter_map(port).collect() }
}

/// Whether HTTP/2 is spoken at a port of a Service, by the rules of Gloo's discovery: an annotation, the port's
/// `appProtocol`, or how its name begins.
fn speaks_http2(service: &Object, port: &Value) -> bool {
    let told =
        service.body.pointer("/metadata/annotations").and_then(|all| all.get("gloo.solo.io/h2_service")?.as_str());
    let text = |field: &str| port.get(field).and_then(Value::as_str).unwrap_or_default();
    match told {
        Some("true") => true,
        Some("false") => false,
        _ => {
            matches!(text("appProtocol"), "http2" | "grpc" | "grpc-web" | "kubernetes.io/h2c")
                || ["grpc", "h2", "http2"].iter().any(|start| text("name").starts_with(start))
        }
    }
}
