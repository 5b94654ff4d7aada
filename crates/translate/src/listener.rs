//! Gateways: listeners, and which VirtualServices each serves.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use serin_api::gateway::{GatewaySpec, HttpGateway};
use serin_api::proxy::{Listener, VirtualHost};
use serin_api::{CONTROL_PLANE_NAMESPACE, Ref, ResourceId, ResourceKind};

use crate::host::Host;
use crate::labels::{Requirement, has_all};
use crate::options;
use crate::report::{Book, Finding};
use crate::snapshot::Resource;
use crate::tls;
use crate::view::View;
use crate::{access_log, closed, connection_settings, http_settings};

/// The proxy that a Gateway belongs to unless it names others.
pub(crate) const DEFAULT_PROXY: &str = "gateway-proxy";

/// A listener, and the hosts that it serves.
pub(crate) struct Bound {
    pub(crate) listener: Arc<Listener>,
    /// Places of the served hosts.
    pub(crate) hosts: Vec<usize>,
}

/// Everything that is bound.
#[derive(Default)]
pub(crate) struct Binding {
    /// The listeners of each proxy, by port.
    pub(crate) proxies: BTreeMap<String, Vec<Bound>>,
    /// The Gateways of each proxy, those included for which nothing listens.
    pub(crate) gateways: BTreeMap<String, Vec<ResourceId>>,
    /// Places of the hosts that some Gateway chooses, whether it is bound or not.
    pub(crate) chosen: BTreeSet<usize>,
}

/// A Gateway that can be bound.
struct Candidate<'a> {
    resource: &'a Arc<Resource<GatewaySpec>>,
    address: IpAddr,
    port: u16,
    http: &'a HttpGateway,
}

/// Binds the Gateways, for every proxy that one belongs to.
pub(crate) fn bind(view: &View<'_>, hosts: &[Host<'_>], book: &mut Book) -> Binding {
    let everywhere = view
        .settings
        .and_then(|settings| settings.spec.gateway.as_ref())
        .is_some_and(|gateway| gateway.read_gateways_from_all_namespaces);
    let mut binding = Binding::default();
    let mut candidates = Vec::new();
    for resource in view.all(&view.snapshot.gateways) {
        let id = &resource.id;
        if id.namespace != CONTROL_PLANE_NAMESPACE && !everywhere {
            let message = format!(
                "not read: Gateways count in namespace {CONTROL_PLANE_NAMESPACE}; set spec.gateway.\
                 readGatewaysFromAllNamespaces in the Settings to read them everywhere"
            );
            book.add(Finding::advice(id, "", message));
            continue;
        }
        for name in proxy_names(&resource.spec) {
            binding.gateways.entry(name.to_owned()).or_default().push(id.clone());
        }
        candidates.extend(look_at(resource, book));
    }
    for proxy in binding.gateways.keys() {
        let mut mine: Vec<&Candidate<'_>> = candidates
            .iter()
            .filter(|candidate| proxy_names(&candidate.resource.spec).any(|name| name == proxy.as_str()))
            .collect();
        keep_oldest(&mut mine, book);
        let mut bound = Vec::new();
        for candidate in mine {
            let places = served(view, candidate, hosts, book);
            binding.chosen.extend(places.iter().copied());
            bound.push(listen(candidate, places, hosts, book));
        }
        bound.sort_by_key(|bound| (bound.listener.bind_port, bound.listener.name.clone()));
        binding.proxies.insert(proxy.clone(), bound);
    }
    binding
}

fn proxy_names(spec: &GatewaySpec) -> impl Iterator<Item = &str> {
    let default = spec.proxy_names.is_empty().then_some(DEFAULT_PROXY);
    spec.proxy_names.iter().map(String::as_str).chain(default)
}

/// Checks a Gateway by itself.
fn look_at<'a>(resource: &'a Arc<Resource<GatewaySpec>>, book: &mut Book) -> Option<Candidate<'a>> {
    let id = &resource.id;
    let spec = &resource.spec;
    let mut error = |path: &str, reason: String| book.add(Finding::error(id, path, format!("{path}: {reason}")));
    let port = u16::try_from(spec.bind_port).ok().filter(|port| *port != 0);
    if port.is_none() {
        error("spec.bindPort", format!("{} is no port: use one from 1 to 65535", spec.bind_port));
    }
    let address = match spec.bind_address.as_str() {
        "" => Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        written => written.parse().ok(),
    };
    if address.is_none() {
        error("spec.bindAddress", format!("{:?} is no IP address", spec.bind_address));
    }
    let http = match (&spec.http_gateway, &spec.tcp_gateway, &spec.hybrid_gateway) {
        (Some(http), None, None) => Some(http),
        (None, None, None) => {
            error("spec", "invalid gateway: gateway must contain gatewayType: set httpGateway".to_owned());
            None
        }
        (None, Some(_), None) => {
            let message = "spec.tcpGateway: not implemented yet: nothing listens for this Gateway";
            book.add(Finding::advice(id, "spec.tcpGateway", message));
            None
        }
        (None, None, Some(_)) => {
            let message = "spec.hybridGateway: not implemented yet: nothing listens for this Gateway";
            book.add(Finding::advice(id, "spec.hybridGateway", message));
            None
        }
        _ => {
            error("spec", "a Gateway has one type: keep one of httpGateway, tcpGateway, hybridGateway".to_owned());
            None
        }
    };
    Some(Candidate { resource, address: address?, port: port?, http: http? })
}

/// Of Gateways that want one address and port, the oldest has it. All of them are told.
fn keep_oldest(candidates: &mut Vec<&Candidate<'_>>, book: &mut Book) {
    let overlap = |a: &Candidate<'_>, b: &Candidate<'_>| {
        a.port == b.port && (a.address == b.address || a.address.is_unspecified() || b.address.is_unspecified())
    };
    candidates.sort_by_key(|candidate| (candidate.resource.created.clone(), candidate.resource.id.clone()));
    for candidate in candidates.iter() {
        let sharers: Vec<String> = candidates
            .iter()
            .filter(|other| overlap(candidate, other))
            .map(|other| other.resource.id.reference().to_string())
            .collect();
        if sharers.len() > 1 {
            let message = format!(
                "bind-address {}:{} is not unique in a proxy. gateways: {}; the oldest of them has it",
                candidate.resource.spec.bind_address,
                candidate.port,
                sharers.join(",")
            );
            book.add(Finding::error(&candidate.resource.id, "spec.bindPort", message));
        }
    }
    let mut kept: Vec<&Candidate<'_>> = Vec::new();
    candidates.retain(|candidate| {
        let free = !kept.iter().any(|other| overlap(candidate, other));
        if free {
            kept.push(candidate);
        }
        free
    });
}

/// The hosts that a Gateway serves: by expressions, else by labels, else by reference, else all.
fn served(view: &View<'_>, candidate: &Candidate<'_>, hosts: &[Host<'_>], book: &mut Book) -> Vec<usize> {
    let id = &candidate.resource.id;
    let http = candidate.http;
    for (at, reference) in http.virtual_services.iter().enumerate() {
        let path = format!("spec.httpGateway.virtualServices[{at}]");
        if let Some((_, unreadable)) = view.unreadable(ResourceKind::VirtualService, reference) {
            let message = format!("{path}: VirtualService {reference} cannot be read: {}", unreadable.reason);
            book.add(Finding::error(id, path, message));
        } else if view.find(&view.snapshot.virtual_services, reference).is_none() {
            let message = format!("{path}: invalid virtual service ref {reference}: not found");
            book.add(Finding::error(id, path, message));
        }
    }
    let expressions = http.virtual_service_expressions.as_ref();
    let requirements = expressions.map(|expressions| Requirement::all(&expressions.expressions));
    let requirements = match requirements.transpose() {
        Ok(requirements) => requirements,
        Err(reason) => {
            let path = "spec.httpGateway.virtualServiceExpressions";
            let message = format!("{path}: the virtual service selector expression is invalid: {reason}");
            book.add(Finding::error(id, path, message));
            return Vec::new();
        }
    };
    let refs: BTreeSet<&Ref> = http.virtual_services.iter().collect();
    let namespaces = &http.virtual_service_namespaces;
    let in_place = |host: &Host<'_>| {
        namespaces.is_empty()
            || namespaces.iter().any(|namespace| namespace == "*" || *namespace == host.resource.id.namespace)
    };
    let wanted = |host: &Host<'_>| {
        let labels = &host.resource.labels;
        if let Some(requirements) = &requirements {
            in_place(host) && requirements.iter().all(|requirement| requirement.holds(labels))
        } else if !http.virtual_service_selector.is_empty() {
            in_place(host) && has_all(labels, &http.virtual_service_selector)
        } else if !refs.is_empty() {
            refs.contains(&host.resource.id.reference())
        } else {
            in_place(host)
        }
    };
    let ssl = candidate.resource.spec.ssl;
    (0..hosts.len()).filter(|place| hosts[*place].is_tls() == ssl && wanted(&hosts[*place])).collect()
}

fn listen(candidate: &Candidate<'_>, places: Vec<usize>, hosts: &[Host<'_>], book: &mut Book) -> Bound {
    let resource = candidate.resource;
    let spec = &resource.spec;
    let blocks = [
        options::map(spec.options.as_ref()),
        options::map(spec.route_options.as_ref()),
        options::map(candidate.http.options.as_ref()),
    ];
    let closed = blocks.into_iter().any(|block| closed::asks(None, &[block]));
    let mine: Vec<&Host<'_>> = places.iter().map(|place| &hosts[*place]).collect();
    let domains = crate::domain::divide(&resource.id, &mine, book);
    let virtual_hosts = mine
        .iter()
        .zip(domains)
        .filter(|(_, domains)| !domains.is_empty())
        .map(|(host, domains)| {
            let source = host.resource.id.clone();
            let name = source.reference().to_string();
            let routes =
                if closed { vec![Arc::new(crate::host::closed_remainder(&source))] } else { host.routes.clone() };
            Arc::new(VirtualHost { name, source, domains, routes, policy: host.policy.clone() })
        })
        .collect();
    let mut asked = http_settings::of(&resource.id, blocks[2], book);
    match connection_settings::buffer_bytes(blocks[0]) {
        Ok(bytes) => asked.http.connections.buffer_bytes = bytes,
        Err(fault) => {
            let path = format!("spec.options.{}", fault.field);
            book.add(Finding::error(&resource.id, path.clone(), format!("{path}: {}", fault.reason)));
        }
    }
    Bound {
        listener: Arc::new(Listener {
            name: resource.id.reference().to_string(),
            source: resource.id.clone(),
            bind_address: if spec.bind_address.is_empty() { "::".to_owned() } else { spec.bind_address.clone() },
            bind_port: candidate.port,
            ssl: spec.ssl,
            tls: tls::gather(&mine, book),
            strip_any_host_port: asked.strip_any_host_port,
            http: asked.http,
            access_logs: access_log::of(&resource.id, blocks[0], book),
            virtual_hosts,
        }),
        hosts: places,
    }
}
