//! Upstreams as clusters, and what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serin_api::gloo::{FallbackPolicy, KubeUpstream, StaticUpstream, SubsetSpec, UpstreamSpec};
use serin_api::proxy::{
    Cluster, ClusterName, Endpoint, EndpointSource, LoadBalancing, SubsetFallback, Subsets, Transport,
};
use serin_api::{GoDuration, Ref, ResourceId, ResourceKind};

use crate::circuit_breakers;
use crate::connection;
use crate::field_path::FieldPath;
use crate::health_check;
use crate::load_balancing;
use crate::outlier_detection;
use crate::report::Finding;
use crate::slow_start;
use crate::snapshot::Resource;
use crate::upstream_http2;
use crate::upstream_tls;
use crate::view::View;

/// Names are not looked up so often (Envoy refuses it).
const FASTEST_REFRESH: Duration = Duration::from_millis(1);
/// The types of Upstream that Gloo knows and that are not implemented yet.
const OTHER_TYPES: [&str; 7] = ["pipe", "aws", "azure", "consul", "awsEc2", "gcp", "ai"];

/// An Upstream, looked at once for all the routes that name it.
pub(crate) struct Destination<'a> {
    pub(crate) id: &'a ResourceId,
    /// The cluster; `None` when the Upstream is so wrong that there is none.
    pub(crate) cluster: Option<Arc<Cluster>>,
    /// Why it has no endpoints, when that is certain: for everyone who routes to it.
    pub(crate) without_endpoints: Option<String>,
    /// What is to be said of the Upstream itself.
    pub(crate) findings: Vec<Finding>,
}

/// Looks at an Upstream.
pub(crate) fn destination<'a>(view: &View<'_>, upstream: &'a Resource<UpstreamSpec>) -> Destination<'a> {
    let id = &upstream.id;
    let spec = &upstream.spec;
    let mut findings = Vec::new();
    let mut without_endpoints = None;
    let mut subsets = None;
    let other = OTHER_TYPES.iter().find(|other| {
        let path = format!("spec.{other}");
        upstream
            .unimplemented
            .iter()
            .any(|field| field.strip_prefix(&path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
    });
    let endpoints = match (&spec.kube, &spec.fixed, other) {
        (Some(kube), None, None) => {
            subsets = kube.subset_spec.as_ref().map(subsets_of);
            if let Some(missing) = missing_service(view, kube) {
                findings.push(Finding::left_out(id, missing.0, format!("{}: {}", missing.0, missing.1)));
                without_endpoints = Some(missing.1);
            }
            u16::try_from(kube.service_port).ok().map(|port| service(kube, port))
        }
        (None, Some(fixed), None) => fixed_hosts(id, fixed, &mut findings),
        (None, None, Some(other)) => {
            let reason = format!("spec.{other}: this type of Upstream is not implemented yet; its routes answer 503");
            findings.push(Finding::advice(id, format!("spec.{other}"), reason));
            Some(EndpointSource::Fixed(Vec::new()))
        }
        (None, None, None) => {
            findings.push(Finding::error(id, "spec", "spec: an Upstream needs a type: set kube or static"));
            None
        }
        _ => {
            findings.push(Finding::error(id, "spec", "spec: an Upstream has one type: keep only one of its types"));
            None
        }
    };
    let unspread = |(field, reason): load_balancing::Fault, findings: &mut Vec<Finding>| {
        let path = ["spec.loadBalancerConfig", field].join(if field.is_empty() { "" } else { "." });
        findings.push(Finding::error(id, path.clone(), format!("{path}: {reason}")));
    };
    let spread = spec.load_balancer_config.as_ref();
    let load_balancing = load_balancing::of(spread, spec.fixed.is_some()).unwrap_or_else(|fault| {
        unspread(fault, &mut findings);
        LoadBalancing::default()
    });
    let slow_start = slow_start::of(spread).unwrap_or_else(|fault| {
        unspread(fault, &mut findings);
        None
    });
    let (tls, fault) = upstream_tls::of(view.snapshot, id, spec, &mut findings);
    let without_endpoints = without_endpoints.or(fault);
    let http2 = upstream_http2::of(id, spec, &mut findings);
    let transport = Transport { tls, http2, connections: connection::of(id, spec, &mut findings) };
    let outliers = spec.outlier_detection.as_ref().map(outlier_detection::of).transpose().unwrap_or_else(|faults| {
        findings.extend(faults.into_iter().map(|fault| fault.on(id, &FieldPath::root("spec"))));
        None
    });
    let panic_percent = load_balancing::panic_percent(spec.load_balancer_config.as_ref()).unwrap_or_else(|reason| {
        let path = "spec.loadBalancerConfig.healthyPanicThreshold";
        findings.push(Finding::error(id, path, format!("{path}: {reason}")));
        None
    });
    let circuit_breakers = circuit_breakers::of(view, spec.circuit_breakers.as_ref());
    let check = health_check::of(&spec.health_checks, transport.http2.is_some()).unwrap_or_else(|faults| {
        findings.extend(faults.into_iter().map(|fault| fault.on(id, &FieldPath::root("spec"))));
        None
    });
    let too_often = |rate: &GoDuration| rate.0 <= FASTEST_REFRESH;
    if let Some(rate) = spec.dns_refresh_rate.filter(too_often) {
        let path = "spec.dnsRefreshRate";
        findings.push(Finding::error(id, path, format!("{path}: {rate} is too short; use more than 1ms")));
    }
    let dns_refresh = spec.dns_refresh_rate.filter(|rate| !too_often(rate));
    let cluster = endpoints.map(|endpoints| {
        let (outlier_detection, health_check) = (outliers.map(Box::new), check.map(Arc::new));
        let plain = Cluster::new(name(&id.reference()), id.clone(), endpoints);
        Arc::new(Cluster {
            subsets,
            load_balancing,
            slow_start,
            transport,
            panic_percent,
            circuit_breakers,
            outlier_detection,
            health_check,
            dns_refresh,
            closes_on_change: spread.is_some_and(|config| config.close_connections_on_host_set_change),
            merge_window: spread.and_then(|config| config.update_merge_window),
            ..plain
        })
    });
    Destination { id, cluster, without_endpoints, findings }
}

/// A cluster for a Service without an Upstream of its own.
pub(crate) fn service_cluster(view: &View<'_>, reference: &Ref, service: &Ref, port: u16) -> Cluster {
    let source = ResourceId::new(ResourceKind::Service, &service.namespace, &service.name);
    let endpoints = EndpointSource::Service { service: service.clone(), port, selector: BTreeMap::new() };
    let http2 = upstream_http2::of_service(view.snapshot, service, port);
    let transport = Transport { http2, ..Transport::default() };
    let circuit_breakers = circuit_breakers::of(view, None);
    Cluster { transport, circuit_breakers, ..Cluster::new(name(reference), source, endpoints) }
}

/// The name under which a `kube` destination appears in messages and clusters.
pub(crate) fn service_reference(service: &Ref, port: u32) -> Ref {
    Ref::new(&service.namespace, format!("kube-svc:{}-{}-{port}", service.namespace, service.name))
}

/// A cluster's name, as Gloo names its Envoy clusters.
pub(crate) fn name(reference: &Ref) -> ClusterName {
    ClusterName::from(format!("{}_{}", reference.name, reference.namespace))
}

fn service(kube: &KubeUpstream, port: u16) -> EndpointSource {
    EndpointSource::Service {
        service: Ref::new(&kube.service_namespace, &kube.service_name),
        port,
        selector: kube.selector.clone(),
    }
}

/// The field that names a Service or a port that does not exist, and the sentence about it.
fn missing_service(view: &View<'_>, kube: &KubeUpstream) -> Option<(&'static str, String)> {
    let reference = Ref::new(&kube.service_namespace, &kube.service_name);
    match view.snapshot.services.get(&reference) {
        None => Some(("spec.kube.serviceName", format!("Service {reference} not found; its routes answer 503"))),
        Some(service) if service.ports.iter().all(|port| u32::from(port.port) != kube.service_port) => Some((
            "spec.kube.servicePort",
            format!("Service {reference} has no port {}; its routes answer 503", kube.service_port),
        )),
        Some(_) => None,
    }
}

fn fixed_hosts(id: &ResourceId, fixed: &StaticUpstream, findings: &mut Vec<Finding>) -> Option<EndpointSource> {
    if fixed.hosts.is_empty() {
        findings.push(Finding::error(id, "spec.static.hosts", "spec.static.hosts: must name at least one host"));
        return None;
    }
    let mut endpoints = Vec::with_capacity(fixed.hosts.len());
    for (at, host) in fixed.hosts.iter().enumerate() {
        let path = format!("spec.static.hosts[{at}]");
        let port = u16::try_from(host.port).ok().filter(|port| *port != 0);
        match port {
            _ if host.addr.is_empty() => {
                findings.push(Finding::error(id, format!("{path}.addr"), format!("{path}.addr: addr cannot be empty")));
            }
            None => findings.push(Finding::error(
                id,
                format!("{path}.port"),
                format!("{path}.port: {} is no port: use one from 1 to 65535", host.port),
            )),
            Some(port) => endpoints.push(Endpoint {
                host: host.addr.clone(),
                port,
                labels: BTreeMap::new(),
                weight: host.load_balancing_weight.unwrap_or(1).max(1),
            }),
        }
    }
    let total: u64 = endpoints.iter().map(|endpoint| u64::from(endpoint.weight)).sum();
    if total > u64::from(u32::MAX) {
        let reason = format!("the weights add up to {total}; they may come to {} at most", u32::MAX);
        findings.push(Finding::error(id, "spec.static.hosts", format!("spec.static.hosts: {reason}")));
        return None;
    }
    (!endpoints.is_empty()).then_some(EndpointSource::Fixed(endpoints))
}

fn subsets_of(spec: &SubsetSpec) -> Subsets {
    Subsets {
        selectors: spec
            .selectors
            .iter()
            .map(|selector| selector.keys.iter().cloned().collect::<BTreeSet<_>>())
            .collect(),
        fallback: match spec.fallback_policy.unwrap_or_default() {
            FallbackPolicy::AnyEndpoint => SubsetFallback::AnyEndpoint,
            FallbackPolicy::DefaultSubset => SubsetFallback::DefaultSubset(
                spec.default_subset.as_ref().map(|subset| subset.values.clone()).unwrap_or_default(),
            ),
            FallbackPolicy::NoFallback => SubsetFallback::None,
        },
    }
}
