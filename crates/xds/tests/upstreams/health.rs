//! Endpoints that a real Envoy asks whether they are well.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serin_api::proxy::{Cluster, Http2, HttpQuestion, Question, Transport};

use crate::patient::{Patient, check, http};
use crate::stage::{Stage, body, eventually, get};
use crate::{GATEWAY, cluster, endpoints, route, spec, to_up};

/// An Envoy that asks `question` of these; and where it listens.
fn asking(question: Question, upstreams: &[SocketAddr]) -> Option<(Stage, SocketAddr)> {
    let stage = Stage::set(true)?;
    // Envoy asks by gRPC only where it speaks HTTP/2.
    let http2 = matches!(question, Question::Grpc { .. }).then(Http2::default);
    let transport = Transport { http2, ..Transport::default() };
    let asked = Cluster { health_check: Some(Arc::new(check(question))), transport, ..cluster() };
    let number = stage.publish(spec(&[route("/", to_up())], asked), endpoints(upstreams));
    stage.settled(number);
    assert_eq!(stage.server.nodes()[0].refusals, []);
    let address = stage.address(GATEWAY);
    Some((stage, address))
}

#[test]
fn an_endpoint_that_is_not_well_gets_no_requests_until_it_is_again() {
    let grpc = Question::Grpc { service: "a.B".to_owned(), authority: String::new(), metadata: Vec::new() };
    for question in [Question::Http(http()), Question::Http(HttpQuestion { http2: true, ..http() }), grpc] {
        let (sick, sound) = (Patient::start("sick"), Patient::start("sound"));
        let Some((stage, address)) = asking(question.clone(), &[sick.address, sound.address]) else { return };
        let answers = |name: &str| body(&get(address, "h", "/")).contains(name);
        eventually("both are asked", || answers("sick") && answers("sound"));
        sick.well.store(false, Ordering::SeqCst);
        eventually("it is found unhealthy", || stage.envoy.statistic("cluster.up.membership_healthy") == Some(1));
        eventually("it gets no requests", || (0..20).all(|_| answers("sound")));
        sick.well.store(true, Ordering::SeqCst);
        eventually("it is asked again", || answers("sick"));
        assert!(sick.asked.load(Ordering::SeqCst) > 0, "{question:?}");
    }
}

#[test]
fn a_conversation_over_tcp_is_a_check_too() {
    let (good, bad) = (talker(b"+OK."), talker(b"-NO."));
    let question = Question::Tcp { send: b"PING\r\n\r\n".to_vec(), receive: vec![b"OK".to_vec(), b".".to_vec()] };
    let Some((stage, _)) = asking(question, &[good, bad]) else { return };
    eventually("one is healthy", || {
        let number = |name: &str| stage.envoy.statistic(&format!("cluster.up.{name}"));
        number("membership_healthy") == Some(1) && number("health_check.failure").is_some_and(|failures| failures > 0)
    });
    let clusters = stage.envoy.ask("/clusters").unwrap();
    assert!(clusters.contains(&format!("up::{good}::health_flags::healthy\n")), "{clusters}");
    assert!(clusters.contains(&format!("up::{bad}::health_flags::/failed_active_hc")), "{clusters}");
}

/// An upstream that says this, to whoever says `PING` first.
fn talker(words: &'static [u8]) -> SocketAddr {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            if BufReader::new(&stream).read_line(&mut line).is_ok() && line == "PING\r\n" {
                let _ = (&stream).write_all(words);
            }
        }
    });
    address
}
