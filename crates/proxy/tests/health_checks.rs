//! Endpoints that are asked whether they are well.
#![allow(clippy::unwrap_used)]

mod patient;
mod stage;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use patient::{Patient, SHORT, check, http};
use serin_api::proxy::{Cluster, HealthCheck, HttpQuestion, ProxySpec, Question};
use serin_proxy::DataPlane;
use stage::scripted::scripted;
use stage::*;

fn spec_with(check: Option<HealthCheck>) -> Arc<ProxySpec> {
    let mut spec = spec(vec![host("vs", &["*"], vec![route("/", to("up"))])], &[]);
    let health_check = check.map(Arc::new);
    spec.clusters.insert("up".into(), Arc::new(Cluster { health_check, ..cluster("up") }));
    Arc::new(spec)
}

fn plane(upstreams: &[SocketAddr], check: HealthCheck) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    let all: Vec<_> = upstreams.iter().map(|upstream| endpoint(*upstream, "")).collect();
    plane.set_endpoints(endpoints(&[("up", &all)]));
    plane.apply(spec_with(Some(check))).expect("applied");
    let address = address(&plane);
    (plane, address)
}

fn unhealthy(plane: &DataPlane) -> Vec<(SocketAddr, String)> {
    let bad = plane.health().into_iter().flat_map(|upstream| upstream.bad);
    bad.filter_map(|bad| Some((bad.address, bad.unhealthy?))).collect()
}

#[test]
fn an_endpoint_that_is_not_well_gets_no_requests_until_it_is_again() {
    let grpc = Question::Grpc { service: "a.B".to_owned(), authority: String::new(), metadata: Vec::new() };
    for (question, reason) in [
        (Question::Http(http()), "its health check answers 500"),
        (Question::Http(HttpQuestion { http2: true, ..http() }), "its health check answers 500"),
        (grpc, "its health check answers that it does not serve"),
    ] {
        let (sick, sound) = (Patient::start("sick"), Patient::start("sound"));
        let (plane, address) = plane(&[sick.address, sound.address], check(question.clone()));
        eventually("both are healthy", || sick.asked.load(Ordering::SeqCst) > 0 && unhealthy(&plane).is_empty());
        eventually("both are asked", || get(address, "/").contains("sick") && get(address, "/").contains("sound"));

        sick.well.store(false, Ordering::SeqCst);
        eventually("it is found unhealthy", || unhealthy(&plane) == [(sick.address, reason.to_owned())]);
        eventually("it gets no requests", || (0..20).all(|_| get(address, "/").contains("sound")));
        let text = metrics(&plane);
        assert!(text.contains("serin_upstream_endpoints_unhealthy{upstream=\"up\"} 1\n"), "{text}");
        assert!(text.contains("serin_upstream_health_checks_total{upstream=\"up\",result=\"failure\"} "), "{text}");

        sick.well.store(true, Ordering::SeqCst);
        eventually("it is asked again", || get(address, "/").contains("sick"));
        assert!(sick.connections.load(Ordering::SeqCst) < 80, "checks share a connection: {question:?}");
    }
}

#[test]
fn what_is_not_there_or_silent_is_unhealthy() {
    let away = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let sound = Patient::start("sound");
    for bad in [away, silent.local_addr().unwrap()] {
        let question = HealthCheck { timeout: SHORT, ..check(Question::Http(http())) };
        let (plane, address) = plane(&[bad, sound.address], question);
        eventually(
            "the other one is healthy",
            || matches!(&unhealthy(&plane)[..], [(address, reason)] if *address == bad && !reason.contains("yet")),
        );
        eventually("it gets all requests", || (0..10).all(|_| status(&get(address, "/")) == 200));
    }
}

#[test]
fn a_conversation_over_tcp_is_a_check_too() {
    let (good, heard) = scripted(|_, stream| {
        let _ = stream.write_all(b"+OK.");
    });
    let (bad, _also) = scripted(|_, stream| {
        let _ = stream.write_all(b"-NO.");
    });
    let question = Question::Tcp { send: b"PING\r\n\r\n".to_vec(), receive: vec![b"OK".to_vec(), b".".to_vec()] };
    let (plane, _address) = plane(&[good, bad], check(question));
    eventually("one is healthy", || {
        let unhealthy = unhealthy(&plane);
        unhealthy.len() == 1 && unhealthy[0].0 == bad && unhealthy[0].1.contains("does not answer what is expected")
    });
    assert_eq!(heard.recv().unwrap(), "PING\r\n\r\n");
}

#[test]
fn checks_end_with_their_configuration() {
    let (sick, sound) = (Patient::start("sick"), Patient::start("sound"));
    sick.well.store(false, Ordering::SeqCst);
    let (plane, address) = plane(&[sick.address, sound.address], check(Question::Http(http())));
    eventually("it is found unhealthy", || unhealthy(&plane).len() == 1);
    plane.apply(spec_with(None)).unwrap();
    eventually("nobody is judged", || plane.health().is_empty());
    eventually("it is asked", || get(address, "/").contains("sick"));
    let asked = sound.asked.load(Ordering::SeqCst);
    for _ in 0..20 {
        get(address, "/");
    }
    assert!(sound.asked.load(Ordering::SeqCst) <= asked + 1);
}
