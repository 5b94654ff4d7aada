//! A stage to play on: a data plane on a free loopback port, upstreams that answer in known ways, and clients.
#![allow(dead_code, unreachable_pub, clippy::print_stderr)]

pub mod scripted;
pub mod upstream;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serin_api::gateway::Matcher;
use serin_api::proxy::{
    Action, Cluster, Endpoint, EndpointMap, EndpointSource, Forward, Listener, ProxySpec, Route, Target, VirtualHost,
    WeightedTarget,
};
use serin_api::{ResourceId, ResourceKind};
use serin_proxy::{DataPlane, DataPlaneOptions, Limits};

/// A data plane with one worker on a free port.
pub fn data_plane() -> DataPlane {
    data_plane_with(Limits::default())
}

/// The same with other limits.
pub fn data_plane_with(limits: Limits) -> DataPlane {
    let options =
        DataPlaneOptions { workers: 2, port_map: BTreeMap::from([(8080, 0)]), limits, ..DataPlaneOptions::default() };
    DataPlane::start(options).expect("a data plane")
}

/// A data plane with one worker, so that a connection to the upstream is found again, which sends everything there.
pub fn single_worker(upstream: SocketAddr) -> DataPlane {
    let options = DataPlaneOptions { workers: 1, port_map: BTreeMap::from([(8080, 0)]), ..DataPlaneOptions::default() };
    let plane = DataPlane::start(options).expect("a data plane");
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "")])]));
    plane.apply(spec_of(vec![route("/", to("up"))], &["up"])).expect("a configuration");
    plane
}

pub fn source(kind: ResourceKind, name: &str) -> ResourceId {
    ResourceId::new(kind, "test", name)
}

pub fn prefix(path: &str) -> Matcher {
    Matcher { prefix: Some(path.to_owned()), ..Matcher::default() }
}

pub fn route(path: &str, action: Action) -> Route {
    Route {
        name: format!("route {path}"),
        source: source(ResourceKind::RouteTable, "table"),
        via: Vec::new(),
        matchers: vec![prefix(path)],
        action,
        policy: None,
        stickiness: None,
    }
}

pub fn to(cluster: &str) -> Action {
    to_subset(cluster, &[])
}

pub fn to_subset(cluster: &str, subset: &[(&str, &str)]) -> Action {
    let target = Target::Cluster { cluster: cluster.into(), subset: labels(subset) };
    Action::Forward(Forward::Weighted(vec![WeightedTarget { target, weight: 1, headers: None }]))
}

pub fn respond(status: u16, body: &str) -> Action {
    Action::DirectResponse { status, body: body.to_owned() }
}

pub fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub fn host(name: &str, domains: &[&str], routes: Vec<Route>) -> Arc<VirtualHost> {
    Arc::new(VirtualHost {
        name: format!("test.{name}"),
        source: source(ResourceKind::VirtualService, name),
        domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        routes: routes.into_iter().map(Arc::new).collect(),
        policy: None,
    })
}

pub fn cluster(name: &str) -> Cluster {
    Cluster::new(name, source(ResourceKind::Upstream, name), EndpointSource::Fixed(Vec::new()))
}

pub fn listener(name: &str, port: u16, hosts: Vec<Arc<VirtualHost>>) -> Listener {
    Listener {
        name: name.to_owned(),
        source: source(ResourceKind::Gateway, name),
        bind_address: "::".to_owned(),
        bind_port: port,
        ssl: false,
        tls: Vec::new(),
        strip_any_host_port: false,
        http: Default::default(),
        access_logs: Vec::new(),
        virtual_hosts: hosts,
    }
}

/// One listener, clusters without subsets.
pub fn spec(hosts: Vec<Arc<VirtualHost>>, clusters: &[&str]) -> ProxySpec {
    ProxySpec {
        listeners: vec![Arc::new(listener("test.gw", 8080, hosts))],
        clusters: clusters.iter().map(|name| ((*name).into(), Arc::new(cluster(name)))).collect(),
        sources: BTreeMap::new(),
    }
}

/// One listener, one host for all domains.
pub fn spec_of(routes: Vec<Route>, clusters: &[&str]) -> Arc<ProxySpec> {
    Arc::new(spec(vec![host("vs", &["*"], routes)], clusters))
}

pub fn endpoint(address: SocketAddr, version: &str) -> Endpoint {
    let labels = if version.is_empty() { BTreeMap::new() } else { labels(&[("version", version)]) };
    Endpoint { host: address.ip().to_string(), port: address.port(), labels, weight: 1 }
}

pub fn endpoints(clusters: &[(&str, &[Endpoint])]) -> EndpointMap {
    clusters.iter().map(|(name, list)| ((*name).into(), Arc::new(list.to_vec()))).collect()
}

/// A data plane that serves `routes` and sends cluster `up` to `upstream`; and its address.
pub fn serve(routes: Vec<Route>, upstream: SocketAddr) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "v1")])]));
    plane.apply(spec_of(routes, &["up"])).expect("applied");
    let address = address(&plane);
    (plane, address)
}

pub fn address(plane: &DataPlane) -> SocketAddr {
    plane.listeners().first().expect("a listener").address
}

/// What a raw exchange gives back: everything until the data plane closes the connection.
pub fn raw(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = Vec::new();
    // A reset after the answer is an end too.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    stream
}

/// The status of a response.
pub fn status(response: &str) -> u16 {
    response
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no response: {response:?}"))
}

/// A header of a response, in lower case.
pub fn header<'a>(response: &'a str, name: &str) -> Option<&'a str> {
    let head = response.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

pub fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// `GET path`, on a connection of its own.
pub fn get(address: SocketAddr, path: &str) -> String {
    raw(address, &format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"))
}

/// What curl prints, or `None` (and a loud word) where there is no curl.
pub fn curl(arguments: &[&str]) -> Option<String> {
    match Command::new("curl").arg("-sS").args(["--max-time", "20"]).args(arguments).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(_) => {
            eprintln!("SKIPPED: curl is missing");
            None
        }
    }
}

/// Waits until `condition` holds.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The metrics as text.
pub fn metrics(plane: &DataPlane) -> String {
    let mut out = String::new();
    plane.render_metrics(&mut out);
    out
}
