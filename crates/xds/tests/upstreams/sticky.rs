//! Users who stay on the side of a rollout that they first got, as far as an Envoy can: it draws among weighted clusters by
//! a hash of what tells users apart.

use std::net::SocketAddr;

use serde_json::{Value, json};
use serin_api::proxy::{ProxySpec, Subsets};

use crate::stage::{Stage, body, connect, eventually, header};
use crate::{GATEWAY, cluster, route, spec};

/// How many users there are.
const USERS: usize = 400;

/// A rollout from v1 to v2 for `weight` of a hundred.
fn rollout(key: &Value, weight: u32) -> ProxySpec {
    let side = |version: &str, weight: u32| json!({"weight": weight, "target": {"cluster": {"cluster": "up", "subset": {"version": version}}}});
    let mut sticky = route("/", json!({"forward": {"weighted": [side("v1", 100 - weight), side("v2", weight)]}}));
    sticky["stickiness"] = json!({"key": key, "salt": "v1 v2"});
    let mut cluster = cluster();
    let subsets: Subsets =
        serde_json::from_value(json!({"selectors": [["version"]], "fallback": "anyEndpoint"})).unwrap();
    cluster.subsets = Some(subsets);
    spec(&[sticky], cluster)
}

/// An Envoy before an upstream for each version, which answers with it.
struct Sides {
    stage: Stage,
    address: SocketAddr,
    upstreams: Vec<(SocketAddr, &'static str)>,
}

impl Sides {
    fn start(key: &Value) -> Option<Self> {
        let stage = Stage::set(true)?;
        let upstreams = vec![(upstream("v1"), "v1"), (upstream("v2"), "v2")];
        let mut sides = Self { stage, address: ([0, 0, 0, 0], 0).into(), upstreams };
        sides.shift(key, 0);
        sides.address = sides.stage.address(GATEWAY);
        eventually("the endpoints are there", || sides.ask("x: y").starts_with("HTTP/1.1 200"));
        Some(sides)
    }

    fn shift(&self, key: &Value, weight: u32) {
        let list = self.upstreams.iter().map(|(address, version)| {
            json!({"host": "127.0.0.1", "port": address.port(), "weight": 1, "labels": {"version": version}})
        });
        let list = serde_json::from_value(list.collect()).unwrap();
        let number = self.stage.publish(rollout(key, weight), [("up".into(), std::sync::Arc::new(list))].into());
        self.stage.settled(number);
        assert_eq!(self.stage.server.nodes()[0].refusals, []);
    }

    fn ask(&self, line: &str) -> String {
        use std::io::{Read, Write};
        let mut stream = connect(self.address);
        write!(stream, "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{line}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn upstream(version: &'static str) -> SocketAddr {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{version}");
        }
    });
    address
}

#[test]
fn users_told_apart_by_a_header_go_over_once_and_stay() {
    let key = json!({"header": "x-user"});
    let Some(sides) = Sides::start(&key) else { return };
    let mut before = vec![false; USERS];
    for weight in [0, 20, 50, 80, 100] {
        sides.shift(&key, weight);
        let now = || (0..USERS).map(|user| body(&sides.ask(&format!("x-user: user-{user}"))) == "v2");
        // Its worker hears of the new weights a moment after its main thread has said that it has them.
        let share = weight as usize * USERS / 100;
        let near = |now: &[bool]| now.iter().filter(|new| **new).count().abs_diff(share) <= USERS / 10;
        let mut all: Vec<bool> = Vec::new();
        eventually("the share is near the weight", || {
            all = now().collect();
            near(&all)
        });
        assert!(before.iter().zip(&all).all(|(before, now)| !before || *now), "somebody moved back at {weight}");
        before = all;
    }
    assert!(before.iter().all(|new| *new), "at 100 all are across");
    sides.shift(&key, 0);
    eventually("at 0 all are back", || {
        (0..USERS).all(|user| body(&sides.ask(&format!("x-user: user-{user}"))) == "v1")
    });
}

#[test]
fn a_cookie_is_set_once_and_brings_its_user_back() {
    let key = json!({"cookie": {"name": "side", "path": "/"}});
    let Some(sides) = Sides::start(&key) else { return };
    sides.shift(&key, 50);
    eventually("both sides are served", || body(&sides.ask("x: y")) == "v2");
    for _ in 0..40 {
        let answer = sides.ask("x: y");
        let cookie = header(&answer, "set-cookie").expect("a cookie is set").split(';').next().unwrap().to_owned();
        let again = sides.ask(&format!("cookie: a=b; {cookie}"));
        assert_eq!(header(&again, "set-cookie"), None, "{again}");
        assert_eq!(body(&again), body(&answer));
    }
}
