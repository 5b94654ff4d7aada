//! Our data plane and a real Envoy send the same keys to the same endpoints, whatever the balancer and the weights.
#![allow(clippy::unwrap_used)]

mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use serin_api::proxy::{Endpoint, EndpointMap, ProxySpec};
use serin_proxy::{DataPlane, DataPlaneOptions};
use stage::{Stage, eventually};

/// What a route hashes.
fn hash() -> Value {
    json!([
        {"key": {"header": "x-user"}, "terminal": true},
        {"key": {"cookie": {"name": "side", "ttl": "30s", "path": "/"}}},
        {"key": {"header": ":path"}},
        {"key": "sourceIp"},
    ])
}

/// How the endpoints of a cluster are chosen and weighed.
struct Way {
    load_balancing: Value,
    weighted: bool,
}

/// A configuration with a cluster for each of `ways`, whose requests begin with its number; those that go on with `v1`
/// go to that subset.
fn spec(ways: &[Way]) -> ProxySpec {
    let source = json!({"kind": "Upstream", "namespace": "test", "name": "up"});
    let route = |path: String, cluster: &str, subset: Value| {
        json!({
            "name": path, "source": source, "matchers": [{"prefix": path}], "policy": {"hash": hash()},
            "action": {"forward": {"weighted": [
                {"weight": 1, "target": {"cluster": {"cluster": cluster, "subset": subset}}}
            ]}},
        })
    };
    let (mut routes, mut clusters) = (Vec::new(), serde_json::Map::new());
    for (number, way) in ways.iter().enumerate() {
        let name = format!("up{number}");
        routes.push(route(format!("/{number}/v1"), &name, json!({"version": "v1"})));
        routes.push(route(format!("/{number}"), &name, json!({})));
        let cluster = json!({
            "name": name, "source": source, "endpoints": {"fixed": []}, "loadBalancing": way.load_balancing,
            "subsets": {"selectors": [["version"]], "fallback": "anyEndpoint"},
        });
        clusters.insert(name, cluster);
    }
    serde_json::from_value(json!({
        "sources": [],
        "listeners": [{
            "name": "gw", "source": source, "bindAddress": "::", "bindPort": 8080, "ssl": false, "stripAnyHostPort": false,
            "virtualHosts": [{"name": "vs", "source": source, "domains": ["*"], "routes": routes}],
        }],
        "clusters": clusters,
    }))
    .unwrap()
}

/// Seven endpoints for each of `ways`, four of them of v1.
fn endpoints(ways: &[Way]) -> EndpointMap {
    let addresses: Vec<SocketAddr> = (0..7).map(|_| upstream()).collect();
    let endpoint = |at: usize, weighted: bool| Endpoint {
        host: "127.0.0.1".to_owned(),
        port: addresses[at].port(),
        labels: BTreeMap::from([("version".to_owned(), if at < 4 { "v1" } else { "v2" }.to_owned())]),
        weight: if weighted { 1 + at as u32 % 3 } else { 1 },
    };
    let list = |way: &Way| Arc::new((0..7).map(|at| endpoint(at, way.weighted)).collect());
    ways.iter().enumerate().map(|(number, way)| (format!("up{number}").into(), list(way))).collect()
}

/// An upstream that answers every request with its port.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let body = address.port().to_string();
                let mut lines = BufReader::new(&stream).lines();
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() {
                        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                        (&stream).write_all(format!("{head}{body}").as_bytes())?;
                    }
                }
                std::io::Result::Ok(())
            });
        }
    });
    address
}

/// The response to `GET path` with these headers, on a connection of its own.
fn ask(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// The cookie that a response sets, without its value.
fn cookie(answer: &str) -> Option<(String, String)> {
    let line = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "))?;
    let (pair, attributes) = line.split_once("; ").unwrap();
    Some((pair.to_owned(), attributes.to_owned()))
}

/// Both data planes with the same configuration.
struct Both {
    envoy: SocketAddr,
    ours: SocketAddr,
    _envoy: Stage,
    _ours: DataPlane,
}

impl Both {
    fn serve(ways: &[Way]) -> Option<Self> {
        let stage = Stage::set(true)?;
        let options = DataPlaneOptions { workers: 2, port_map: [(8080, 0)].into(), ..DataPlaneOptions::default() };
        let plane = DataPlane::start(options).unwrap();
        let (spec, endpoints) = (spec(ways), endpoints(ways));
        plane.set_endpoints(endpoints.clone());
        plane.apply(Arc::new(spec.clone())).unwrap();
        let number = stage.publish(spec, endpoints);
        stage.settled(number);
        let (envoy, ours) = (stage.address("gw"), plane.listeners()[0].address);
        // Envoy's workers hear of endpoints a moment after its main thread has said that it has them.
        for number in 0..ways.len() {
            eventually("Envoy has the endpoints", || ask(envoy, &format!("/{number}"), "").starts_with("HTTP/1.1 200"));
        }
        Some(Self { envoy, ours, _envoy: stage, _ours: plane })
    }
}

#[test]
fn the_same_key_goes_to_the_same_endpoint_in_both() {
    let kinds = [
        json!({"ringHash": {"minimum": 1024, "maximum": 8_388_608, "byName": false}}),
        json!({"ringHash": {"minimum": 10, "maximum": 31, "byName": false}}),
        json!({"maglev": {"byName": false}}),
    ];
    let ways = [false, true].map(|weighted| kinds.clone().map(|load_balancing| Way { load_balancing, weighted }));
    let ways: Vec<Way> = ways.into_iter().flatten().collect();
    let Some(both) = Both::serve(&ways) else { return };
    for (number, way) in ways.iter().enumerate() {
        let mut reached = BTreeSet::new();
        for user in 0..100 {
            for path in [format!("/{number}"), format!("/{number}/v1")] {
                let header = format!("x-user: user-{user}\r\n");
                let (theirs, own) = (ask(both.envoy, &path, &header), ask(both.ours, &path, &header));
                assert_eq!(body(&theirs), body(&own), "{} {} {path} {header}", way.load_balancing, way.weighted);
                reached.insert(body(&own).to_owned());
            }
        }
        assert!(reached.len() >= 6, "{} {}: {reached:?}", way.load_balancing, way.weighted);
    }
}

#[test]
fn parts_are_combined_and_cookies_made_alike_in_both() {
    let way = Way { load_balancing: json!({"maglev": {"byName": false}}), weighted: false };
    let Some(Both { envoy, ours, .. }) = &Both::serve(&[way]) else { return };
    for at in 0..60 {
        for headers in [
            // The cookie, the path and the client's address together.
            format!("cookie: a=b; side=\"{at}\"; side=other\r\n"),
            format!("cookie: side={at}\r\n"),
            format!("x-user: b{at}\r\nx-user: a{at}\r\n"),
            "x-user: \r\n".to_owned(),
        ] {
            let path = format!("/0/{at}?q={at}");
            let (theirs, own) = (ask(*envoy, &path, &headers), ask(*ours, &path, &headers));
            assert_eq!(body(&theirs), body(&own), "{path} {headers}");
            assert_eq!((cookie(&theirs), cookie(&own)), (None, None), "{headers}");
        }
    }
    // Who has no cookie gets one, and with it comes to the same endpoint, here and there.
    for (first, other) in [(envoy, ours), (ours, envoy)] {
        let answer = ask(*first, "/0/shop", "");
        let (pair, attributes) = cookie(&answer).unwrap();
        assert_eq!(attributes, "Max-Age=30; Path=/; HttpOnly");
        assert!(pair.starts_with("side=\"") && pair.len() == "side=\"\"".len() + 16, "{pair}");
        for again in [first, other] {
            let again = ask(*again, "/0/shop", &format!("cookie: {pair}\r\n"));
            assert_eq!((body(&again), cookie(&again)), (body(&answer), None));
        }
    }
}
