//! Changes of the configuration while it is in use.

mod stage;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serin_api::gateway::Matcher;
use serin_api::proxy::{
    Action, Forward, PathRedirect, ProxySpec, Redirect, SubsetFallback, Subsets, Target, WeightedTarget,
};
use serin_proxy::{ApplyError, DataPlane, DataPlaneOptions, ListenerError};
use stage::upstream::Upstream;
use stage::*;

/// Reads one response with a length from a connection that stays open.
fn response(client: &mut std::net::TcpStream) -> String {
    let mut seen = Vec::new();
    loop {
        let mut some = [0; 4096];
        let n = client.read(&mut some).expect("a response");
        assert!(n > 0, "closed after {:?}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&some[..n]);
        let text = String::from_utf8_lossy(&seen);
        let length = header(&text, "content-length").and_then(|length| length.parse::<usize>().ok());
        if text.contains("\r\n\r\n") && length.is_none_or(|length| body(&text).len() >= length) {
            return text.into_owned();
        }
    }
}

#[test]
fn hundreds_of_swaps_under_load_cost_no_request_and_no_connection() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let plane = Arc::new(data_plane());
    let specs =
        [("a", one.address), ("b", two.address)].map(|(name, _)| spec_of(vec![route("/", to(name))], &["a", "b"]));
    plane.set_endpoints(endpoints(&[("a", &[endpoint(one.address, "v1")]), ("b", &[endpoint(two.address, "v2")])]));
    plane.apply(Arc::clone(&specs[0])).unwrap();
    let address = address(&plane);

    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            std::thread::spawn(move || {
                // One connection from the beginning to the end.
                let mut client = connect(address);
                let mut seen = [0_usize; 2];
                while !stop.load(Ordering::Relaxed) {
                    client.write_all(b"GET /status/200 HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
                    let answer = response(&mut client);
                    assert_eq!(status(&answer), 200, "{answer}");
                    seen[usize::from(body(&answer).starts_with("two"))] += 1;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                seen
            })
        })
        .collect();
    for swap in 1..=400 {
        plane.apply(Arc::clone(&specs[swap % 2])).unwrap();
        // Endpoints change too, to the same and back, so that destinations are made anew.
        let weight = swap as u32 % 3 + 1;
        let mut changed = endpoint(one.address, "v1");
        changed.weight = weight;
        plane.set_endpoints(endpoints(&[("a", &[changed]), ("b", &[endpoint(two.address, "v2")])]));
        let before = answered.load(Ordering::Relaxed);
        eventually("requests go on", || answered.load(Ordering::Relaxed) > before + 2);
    }
    stop.store(true, Ordering::Relaxed);
    let mut seen = [0; 2];
    for client in clients {
        let own = client.join().expect("no request failed");
        seen = [seen[0] + own[0], seen[1] + own[1]];
    }
    assert!(seen[0] > 100 && seen[1] > 100, "{seen:?}");
    let text = metrics(&plane);
    assert!(text.contains("serin_connections_total 8\n"), "{text}");
    assert!(text.contains("serin_config_swaps_total 401\n"), "{text}");
}

#[test]
fn a_change_holds_for_the_next_request_on_an_open_connection() {
    let plane = data_plane();
    plane.apply(spec_of(vec![route("/", respond(200, "old"))], &[])).unwrap();
    let mut client = connect(address(&plane));
    for body_text in ["old", "new", "newer"] {
        plane.apply(spec_of(vec![route("/", respond(200, body_text))], &[])).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
        assert_eq!(body(&response(&mut client)), body_text);
    }
}

#[test]
fn what_cannot_be_compiled_changes_nothing() {
    let plane = data_plane();
    plane.apply(spec_of(vec![route("/", respond(200, "good"))], &[])).unwrap();
    let address = address(&plane);
    let bad = [
        (
            Matcher { regex: Some("(".into()), ..Matcher::default() },
            respond(200, "x"),
            "matchers[0].regex: not a valid",
        ),
        (prefix("/"), respond(99, "x"), "status 99 is not one"),
        (prefix("/"), Action::Forward(Forward::Weighted(Vec::new())), "add up to 0"),
        (prefix("/"), Action::Forward(Forward::ClusterHeader("a b".into())), "is not a header name"),
    ];
    for (matcher, action, reason) in bad {
        let mut route = route("/", action);
        route.matchers = vec![matcher];
        let error = plane.apply(spec_of(vec![route], &[])).unwrap_err();
        let ApplyError::Route(at) = &error else { panic!("{error}") };
        assert_eq!((at.route.as_str(), at.source_id.to_string().as_str()), ("route /", "RouteTable test/table"));
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(body(&get(address, "/")), "good");
    }
}

#[test]
fn a_taken_port_is_named_and_the_rest_is_served() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let plane = data_plane();
    let hosts = vec![host("vs", &["*"], vec![route("/", respond(200, "served"))])];
    let mut spec = spec(hosts.clone(), &[]);
    spec.listeners.push(Arc::new(listener("test.other", port, hosts)));
    let spec = Arc::new(spec);
    let error = plane.apply(Arc::clone(&spec)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Gateway test/test.other: 127.0.0.1:{port} is taken by another program; free it, or map port {port} to another one"
        )
    );
    assert!(matches!(&error, ApplyError::Listeners(all) if matches!(all.as_slice(), [ListenerError::Taken { .. }])));
    assert_eq!(plane.listeners().len(), 1);
    assert_eq!(body(&get(address(&plane), "/")), "served");
    drop(taken);
    plane.apply(spec).expect("the port is free now");
    assert_eq!(body(&get(([127, 0, 0, 1], port).into(), "/")), "served");
}

#[test]
fn listeners_come_and_go_and_tls_is_never_served_in_plain_text() {
    let plane = data_plane();
    let hosts = || vec![host("vs", &["*"], vec![route("/", respond(200, "served"))])];
    let mut with_tls = spec(hosts(), &[]);
    let mut tls = listener("test.tls", 8080, hosts());
    tls.ssl = true;
    with_tls.listeners.push(Arc::new(tls));
    plane.apply(Arc::new(with_tls)).unwrap();
    let open = plane.listeners();
    assert_eq!(open.iter().map(|open| open.name.as_str()).collect::<Vec<_>>(), ["test.gw", "test.tls"]);
    assert_eq!(raw(open[1].address, "GET / HTTP/1.1\r\nhost: h\r\n\r\n").find("HTTP/1"), None);

    let mut idle = connect(open[0].address);
    idle.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
    assert_eq!(status(&response(&mut idle)), 200);
    plane.apply(Arc::new(ProxySpec::default())).unwrap();
    assert!(plane.listeners().is_empty());
    eventually("the port is free", || std::net::TcpListener::bind(open[0].address).is_ok());
    assert_eq!(idle.read(&mut [0; 64]).unwrap(), 0, "an idle connection is closed");
}

#[test]
fn draining_finishes_what_is_in_flight_and_takes_nothing_new() {
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (plane, address) = serve(vec![route("/", to("up"))], upstream.local_addr().unwrap());
    let mut client = connect(address);
    client.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
    let (mut in_flight, _) = upstream.accept().unwrap();
    let _ = in_flight.read(&mut [0; 1024]).unwrap();
    let draining = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(plane.drain(Duration::from_secs(20)));
    });
    eventually("nothing new is taken", || std::net::TcpStream::connect(address).is_err());
    in_flight.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlast").unwrap();
    let answer = response(&mut client);
    assert_eq!((body(&answer), header(&answer, "connection")), ("last", Some("close")));
    draining.join().unwrap();
}

#[test]
fn subsets_and_weights_decide_who_answers() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let plane = data_plane();
    let mut spec = spec(
        vec![host(
            "vs",
            &["*"],
            vec![
                route("/v1", to_subset("up", &[("version", "v1")])),
                route("/v2", to_subset("up", &[("version", "v2")])),
                route("/v3", to_subset("up", &[("version", "v3")])),
                route(
                    "/",
                    Action::Forward(Forward::Weighted(
                        [("v1", 0), ("v2", 5)]
                            .map(|(version, weight)| WeightedTarget {
                                target: Target::Cluster {
                                    cluster: "up".into(),
                                    subset: labels(&[("version", version)]),
                                },
                                weight,
                                headers: None,
                            })
                            .to_vec(),
                    )),
                ),
            ],
        )],
        &[],
    );
    let mut up = cluster("up");
    let selectors = vec![["version".to_owned()].into()];
    up.subsets = Some(Subsets { selectors, fallback: SubsetFallback::None });
    spec.clusters.insert("up".into(), Arc::new(up));
    plane.set_endpoints(endpoints(&[("up", &[endpoint(one.address, "v1"), endpoint(two.address, "v2")])]));
    plane.apply(Arc::new(spec)).unwrap();
    let address = address(&plane);
    for _ in 0..10 {
        assert!(body(&get(address, "/v1")).starts_with("one"));
        assert!(body(&get(address, "/v2")).starts_with("two"));
        assert!(body(&get(address, "/")).starts_with("two"), "a target of weight 0 gets nothing");
    }
    assert_eq!(body(&get(address, "/v3")), "no healthy upstream");
    // A version comes up while the configuration stands still.
    plane.set_endpoints(endpoints(&[("up", &[endpoint(one.address, "v3")])]));
    assert!(body(&get(address, "/v3")).starts_with("one"));
    assert_eq!(status(&get(address, "/v1")), 503);
}

#[test]
fn a_header_can_name_the_cluster_and_a_name_can_stand_for_an_endpoint() {
    let upstream = Upstream::start("one");
    let plane = data_plane();
    let mut named = endpoint(upstream.address, "v1");
    named.host = "localhost".to_owned();
    plane.set_endpoints(endpoints(&[("up", &[named])]));
    plane.apply(spec_of(vec![route("/", Action::Forward(Forward::ClusterHeader("x-to".into())))], &["up"])).unwrap();
    let address = address(&plane);
    let ask = |to: &str| raw(address, &format!("GET / HTTP/1.1\r\nhost: h\r\n{to}connection: close\r\n\r\n"));
    eventually("the name is looked up", || status(&ask("x-to: up\r\n")) == 200);
    assert_eq!(status(&ask("x-to: other\r\n")), 503);
    assert_eq!(status(&ask("")), 503);
    assert!(metrics(&plane).contains("upstream=\"up\",version=\"v1\",code_class=\"2xx\"}"));
}

#[test]
fn redirects_and_hosts() {
    let redirect = Redirect {
        status: 308,
        host: None,
        port: None,
        https: true,
        path: PathRedirect::PrefixRewrite("/new".into()),
        strip_query: false,
    };
    let mut ports = listener(
        "test.gw",
        8080,
        vec![host("a", &["a.test"], vec![route("/old", Action::Redirect(redirect)), route("/", respond(200, "a"))])],
    );
    ports.strip_any_host_port = true;
    let plane = data_plane();
    plane.apply(Arc::new(ProxySpec { listeners: vec![Arc::new(ports)], ..ProxySpec::default() })).unwrap();
    let address = address(&plane);
    let ask = |host: &str, path: &str| {
        raw(address, &format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"))
    };
    let answer = ask("A.test:8080", "/old/x?q=1");
    assert_eq!((status(&answer), header(&answer, "location")), (308, Some("https://A.test/new/x?q=1")));
    assert_eq!(status(&ask("b.test", "/")), 404);
}

#[test]
fn a_data_plane_can_be_told_where_to_bind() {
    let options = DataPlaneOptions {
        workers: 1,
        bind: [127, 0, 0, 9].into(),
        port_map: BTreeMap::from([(8080, 0)]),
        ..DataPlaneOptions::default()
    };
    let plane = DataPlane::start(options).unwrap();
    plane.apply(spec_of(vec![route("/", respond(200, "x"))], &[])).unwrap();
    assert_eq!(address(&plane).ip().to_string(), "127.0.0.9");
    assert_eq!(status(&get(address(&plane), "/")), 200);
}
