//! Users who stay on the side of a rollout that they first got.

mod stage;

use std::net::SocketAddr;
use std::sync::Arc;

use serin_api::proxy::{Action, Forward, Route, Stickiness, StickyKey, Target, WeightedTarget};
use stage::*;

/// A route that answers `old` and, for `weight` of a hundred, `new`.
fn rollout(key: &StickyKey, weight: u32) -> Route {
    let side = |body: &str, weight| {
        let target = Target::DirectResponse { status: 200, body: body.to_owned() };
        WeightedTarget { target, weight, headers: None }
    };
    let action = Action::Forward(Forward::Weighted(vec![side("old", 100 - weight), side("new", weight)]));
    let stickiness = Stickiness { key: key.clone(), salt: "v1 v2".to_owned() };
    Route { stickiness: Some(Arc::new(stickiness)), ..route("/", action) }
}

fn ask(address: SocketAddr, header: &str) -> String {
    raw(address, &format!("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{header}\r\n\r\n"))
}

#[test]
fn users_told_apart_by_a_header_go_over_once_and_stay() {
    let key = StickyKey::Header("x-user".into());
    let plane = data_plane();
    let mut before = vec![false; 60];
    for weight in [10, 40, 70, 100] {
        plane.apply(spec_of(vec![rollout(&key, weight)], &[])).unwrap();
        let address = address(&plane);
        let now: Vec<bool> = (0..60).map(|user| body(&ask(address, &format!("x-user: u{user}"))) == "new").collect();
        assert!(before.iter().zip(&now).all(|(before, now)| !before || *now), "somebody moved back at {weight}");
        before = now;
    }
    assert!(before.iter().all(|new| *new));
    // Another data plane comes to the same, for nothing is kept.
    let (first, second) = (data_plane(), data_plane());
    for plane in [&first, &second] {
        plane.apply(spec_of(vec![rollout(&key, 50)], &[])).unwrap();
    }
    for user in 0..40 {
        let header = format!("x-user: u{user}");
        assert_eq!(body(&ask(address(&first), &header)), body(&ask(address(&second), &header)));
    }
}

#[test]
fn a_cookie_is_set_once_and_brings_its_user_back() {
    let key = StickyKey::Cookie { name: "side".into(), ttl: None, path: "/".into() };
    let plane = data_plane();
    plane.apply(spec_of(vec![rollout(&key, 50)], &[])).unwrap();
    let address = address(&plane);
    let mut sides = Vec::new();
    for _ in 0..40 {
        let answer = ask(address, "x: y");
        let cookie = header(&answer, "set-cookie").expect("a cookie is set").split(';').next().unwrap().to_owned();
        let again = ask(address, &format!("cookie: a=b; {cookie}"));
        assert_eq!(header(&again, "set-cookie"), None, "{again}");
        assert_eq!(body(&again), body(&answer));
        sides.push(body(&answer).to_owned());
    }
    assert!(sides.iter().any(|side| side == "old") && sides.iter().any(|side| side == "new"));
}
