//! Requests that are alike go to the same endpoint, whoever serves them.

mod stage;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use serin_api::GoDuration;
use serin_api::proxy::{
    AddedHeader, Endpoint, ForwardedSettings, HashKey, HashPart, HeaderChanges, HeaderEdits, HostPolicy, LoadBalancing,
    ProxySpec, RoutePolicy, VirtualHost,
};
use stage::upstream::Upstream;
use stage::*;

const RING: LoadBalancing = LoadBalancing::RingHash { minimum: 1024, maximum: 8_388_608, by_name: false };
const MAGLEV: LoadBalancing = LoadBalancing::Maglev { by_name: false };

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn part(key: HashKey) -> HashPart {
    HashPart { key, terminal: false }
}

fn by_user() -> Vec<HashPart> {
    vec![part(HashKey::Header("x-user".into()))]
}

/// Everything to cluster `up`, whose endpoints are chosen by `load_balancing`.
fn spec_by(load_balancing: LoadBalancing, hash: Vec<HashPart>) -> Arc<ProxySpec> {
    let mut route = route("/", to("up"));
    route.policy = Some(Arc::new(RoutePolicy { hash, ..RoutePolicy::default() }));
    let mut spec = ProxySpec::clone(&spec_of(vec![route], &["up"]));
    let mut cluster = cluster("up");
    cluster.load_balancing = load_balancing;
    spec.clusters.insert("up".into(), Arc::new(cluster));
    Arc::new(spec)
}

fn list(upstreams: &[Upstream]) -> Vec<Endpoint> {
    upstreams.iter().map(|upstream| endpoint(upstream.address, "")).collect()
}

fn ask(address: SocketAddr, header: &str) -> String {
    raw(address, &format!("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{header}\r\n\r\n"))
}

/// Which upstream answered.
fn name(answer: &str) -> String {
    body(answer).split_whitespace().next().unwrap_or_default().to_owned()
}

fn users(address: SocketAddr) -> Vec<String> {
    (0..60).map(|user| name(&ask(address, &format!("x-user: u{user}")))).collect()
}

#[test]
fn every_replica_and_every_worker_chooses_the_same_endpoint() {
    let upstreams = NAMES.map(Upstream::start);
    let mut endpoints_there = list(&upstreams);
    for load_balancing in [RING, MAGLEV] {
        let planes = [data_plane(), data_plane()];
        let mut answers = Vec::new();
        for plane in &planes {
            // Told of the endpoints in another order.
            endpoints_there.reverse();
            plane.set_endpoints(endpoints(&[("up", &endpoints_there)]));
            plane.apply(spec_by(load_balancing, by_user())).expect("applied");
            // Twice, for either worker may take a connection.
            answers.extend([users(address(plane)), users(address(plane))]);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{load_balancing:?}: {answers:?}");
        assert_eq!(answers[0].iter().collect::<BTreeSet<_>>().len(), 5);
    }
}

#[test]
fn when_an_endpoint_goes_its_requests_move_and_come_back_with_it() {
    let upstreams = NAMES.map(Upstream::start);
    let all = list(&upstreams);
    let plane = data_plane();
    plane.apply(spec_by(MAGLEV, by_user())).expect("applied");
    plane.set_endpoints(endpoints(&[("up", &all)]));
    let before = users(address(&plane));
    plane.set_endpoints(endpoints(&[("up", &all[1..])]));
    eventually("the endpoint is gone", || users(address(&plane)).iter().all(|name| name != "a"));
    let without = users(address(&plane));
    let moved = before.iter().zip(&without).filter(|(before, now)| before != now && *before != "a").count();
    assert!(moved <= 6, "{moved} of 60 moved that need not have");
    plane.set_endpoints(endpoints(&[("up", &all)]));
    eventually("the endpoint is back", || users(address(&plane)) == before);
}

#[test]
fn a_request_without_any_part_goes_anywhere() {
    let upstreams = NAMES.map(Upstream::start);
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &list(&upstreams))]));
    plane.apply(spec_by(RING, by_user())).expect("applied");
    let names: BTreeSet<String> = (0..40).map(|_| name(&ask(address(&plane), "x: y"))).collect();
    assert!(names.len() > 1, "{names:?}");
}

#[test]
fn a_cookie_is_set_for_who_has_none_and_brings_them_back() {
    let upstreams = NAMES.map(Upstream::start);
    let cookie = HashKey::Cookie { name: "side".into(), ttl: GoDuration::parse("60s"), path: "/".into() };
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &list(&upstreams))]));
    plane.apply(spec_by(RING, vec![part(cookie.clone())])).expect("applied");
    for _ in 0..20 {
        let answer = ask(address(&plane), "x: y");
        let set = header(&answer, "set-cookie").expect("a cookie is set").to_owned();
        let (pair, attributes) = set.split_once("; ").expect("attributes");
        assert_eq!(attributes, "Max-Age=60; Path=/; HttpOnly");
        let again = ask(address(&plane), &format!("cookie: {pair}"));
        assert_eq!((header(&again, "set-cookie"), name(&again)), (None, name(&answer)));
    }
    // Who is sent by turns needs no cookie.
    plane.apply(spec_by(LoadBalancing::RoundRobin, vec![part(cookie)])).expect("applied");
    assert_eq!(header(&ask(address(&plane), "x: y"), "set-cookie"), None);
}

#[test]
fn an_endpoint_that_cannot_be_reached_is_stood_in_for_by_the_next() {
    let upstreams = NAMES.map(Upstream::start);
    let mut all = list(&upstreams);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    all.push(endpoint(closed, ""));
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &all)]));
    plane.apply(spec_by(MAGLEV, by_user())).expect("applied");
    let first = users(address(&plane));
    assert!(first.iter().all(|name| !name.is_empty()), "{first:?}");
    assert_eq!(first, users(address(&plane)), "the same ones stand in");
}

#[test]
fn behind_proxies_the_client_that_they_tell_of_is_hashed() {
    let upstreams = NAMES.map(Upstream::start);
    let mut spec = ProxySpec::clone(&spec_by(RING, vec![part(HashKey::SourceIp)]));
    let mut listener = serin_api::proxy::Listener::clone(&spec.listeners[0]);
    listener.http.forwarded = ForwardedSettings { use_remote_address: true, trusted_hops: 1, ..Default::default() };
    spec.listeners[0] = Arc::new(listener);
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &list(&upstreams))]));
    plane.apply(Arc::new(spec)).expect("applied");
    let from = |client: &str| name(&ask(address(&plane), &format!("x-forwarded-for: 9.9.9.9, {client}")));
    let clients: Vec<String> = (0..60).map(|number| format!("10.1.2.{number}")).collect();
    let answers: Vec<String> = clients.iter().map(|client| from(client)).collect();
    assert_eq!(answers.iter().collect::<BTreeSet<_>>().len(), 5);
    assert_eq!(answers, clients.iter().map(|client| from(client)).collect::<Vec<_>>());
}

#[test]
fn what_the_route_changes_is_hashed_as_it_became() {
    let upstreams = NAMES.map(Upstream::start);
    let spec = spec_by(RING, by_user());
    let mut changed = ProxySpec::clone(&spec);
    let mut listener = serin_api::proxy::Listener::clone(&changed.listeners[0]);
    let mut host = VirtualHost::clone(&listener.virtual_hosts[0]);
    let value = "%REQ(x-name)%".to_owned();
    let add = vec![AddedHeader { name: "x-user".to_owned(), value, append: false }];
    let request = HeaderEdits { add, ..HeaderEdits::default() };
    let headers = Some(HeaderChanges { request, ..HeaderChanges::default() });
    host.policy = Some(Arc::new(HostPolicy { headers, ..HostPolicy::default() }));
    listener.virtual_hosts = vec![Arc::new(host)];
    changed.listeners[0] = Arc::new(listener);
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &list(&upstreams))]));
    plane.apply(spec).expect("applied");
    let plain = users(address(&plane));
    plane.apply(Arc::new(changed)).expect("applied");
    let ask = |user| name(&ask(address(&plane), &format!("x-name: u{user}")));
    eventually("the header is made before it is hashed", || (0..60).map(ask).collect::<Vec<_>>() == plain);
}
