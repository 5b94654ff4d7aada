//! Endpoints that are ejected for what they answer.

mod stage;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use serin_api::GoDuration;
use serin_api::proxy::{Cluster, LocalOrigin, OutlierDetection, ProxySpec};
use serin_proxy::DataPlane;
use stage::scripted::scripted;
use stage::*;

const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ngood";
const BAD: &str = "HTTP/1.1 500 Bad\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbad";
const CUT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\ncut";
const GRPC: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: 14\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn rules() -> OutlierDetection {
    OutlierDetection {
        interval: GoDuration(Duration::from_secs(60)),
        base_ejection_time: GoDuration(Duration::from_secs(60)),
        max_ejection_percent: 100,
        consecutive_5xx: 3,
        enforcing_consecutive_5xx: 100,
        consecutive_gateway_failure: 0,
        enforcing_consecutive_gateway_failure: 0,
        success_rate_minimum_hosts: 5,
        success_rate_request_volume: 100,
        success_rate_stdev_factor: 1900,
        enforcing_success_rate: 100,
        local_origin: None,
    }
}

fn upstream(answer: &'static str) -> (SocketAddr, Receiver<String>) {
    scripted(move |_, stream| {
        let _ = stream.write_all(answer.as_bytes());
    })
}

fn spec_with(rules: Option<OutlierDetection>) -> Arc<ProxySpec> {
    let mut spec = spec(vec![host("vs", &["*"], vec![route("/", to("up"))])], &[]);
    let outlier_detection = rules.map(Box::new);
    spec.clusters.insert("up".into(), Arc::new(Cluster { outlier_detection, ..cluster("up") }));
    Arc::new(spec)
}

fn plane(upstreams: &[SocketAddr], rules: OutlierDetection) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    let all: Vec<_> = upstreams.iter().map(|upstream| endpoint(*upstream, "")).collect();
    plane.set_endpoints(endpoints(&[("up", &all)]));
    plane.apply(spec_with(Some(rules))).expect("applied");
    let address = address(&plane);
    (plane, address)
}

/// Asks until `upstream` is ejected; how often it was asked.
fn asked_until_ejected(plane: &DataPlane, address: SocketAddr, told: &Receiver<String>) -> usize {
    let mut count = 0;
    eventually("it is ejected", || {
        if ejected(plane) == 0 {
            get(address, "/");
            count += told.try_iter().count();
            // The judge is another thread: it is given the time for its verdict.
            if count == 3 {
                eventually("the verdict", || ejected(plane) == 1);
            }
        }
        ejected(plane) == 1
    });
    count
}

fn ejected(plane: &DataPlane) -> usize {
    plane.health().iter().flat_map(|upstream| &upstream.bad).filter(|bad| bad.ejected.is_some()).count()
}

#[test]
fn failures_in_a_row_eject_an_endpoint() {
    for answer in [BAD, CUT, GRPC, "", "nonsense\r\n\r\n"] {
        // What breaks off in its body counts as a success and then as a failure, as in Envoy.
        let rules = if answer == CUT { OutlierDetection { consecutive_5xx: 1, ..rules() } } else { rules() };
        let (bad, told) = upstream(answer);
        let (good, _told) = upstream(GOOD);
        let (plane, address) = plane(&[bad, good], rules);
        let count = asked_until_ejected(&plane, address, &told);
        assert_eq!(count, if answer == CUT { 1 } else { 3 }, "{answer:?}");
        eventually("requests pass it over", || {
            (0..20).all(|_| body(&get(address, "/")) == "good") && told.try_iter().count() == 0
        });
        let text = metrics(&plane);
        for line in [
            "serin_upstream_ejections_total{upstream=\"up\",reason=\"consecutive_5xx\"} 1\n",
            "serin_upstream_endpoints_ejected{upstream=\"up\"} 1\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        let health = plane.health();
        assert_eq!((health[0].endpoints, health[0].bad[0].address), (2, bad));
        assert!(health[0].bad[0].ejected_for.unwrap() > Duration::from_secs(50));
    }
}

#[test]
fn an_endpoint_that_is_away_is_ejected() {
    let away = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let local = LocalOrigin { consecutive_failure: 2, enforcing_consecutive_failure: 100, enforcing_success_rate: 0 };
    let apart = OutlierDetection { consecutive_5xx: 0, local_origin: Some(local), ..rules() };
    for (rules, reason) in [(rules(), "consecutive_5xx"), (apart, "consecutive_local_origin_failure")] {
        let (good, _told) = upstream(GOOD);
        let (plane, address) = plane(&[away, good], rules);
        eventually("it is ejected", || {
            assert_eq!(body(&get(address, "/")), "good", "another one is tried");
            ejected(&plane) == 1
        });
        let line = format!("serin_upstream_ejections_total{{upstream=\"up\",reason=\"{reason}\"}} 1\n");
        assert!(metrics(&plane).contains(&line));
    }
}

#[test]
fn an_ejection_is_over_after_its_time() {
    let rules = OutlierDetection {
        interval: GoDuration(Duration::from_millis(10)),
        base_ejection_time: GoDuration(Duration::from_millis(100)),
        ..rules()
    };
    let (bad, told) = upstream(BAD);
    let (good, _told) = upstream(GOOD);
    let (plane, address) = plane(&[bad, good], rules);
    eventually("it is ejected", || {
        get(address, "/");
        metrics(&plane).contains("reason=\"consecutive_5xx\"} 1\n")
    });
    eventually("it is back", || ejected(&plane) == 0);
    told.try_iter().for_each(drop);
    eventually("it is asked again", || {
        get(address, "/");
        told.try_iter().count() > 0
    });
}

#[test]
fn ejections_outlast_changes_and_end_with_their_rules() {
    let (bad, told) = upstream(BAD);
    let (good, _told) = upstream(GOOD);
    let (plane, address) = plane(&[bad, good], rules());
    asked_until_ejected(&plane, address, &told);
    let other = OutlierDetection { consecutive_5xx: 7, ..rules() };
    plane.apply(spec_with(Some(other))).unwrap();
    assert_eq!(ejected(&plane), 1);
    // All are bad enough now that none is spared.
    plane.apply(spec_with(None)).unwrap();
    eventually("nobody is judged", || plane.health().is_empty());
    told.try_iter().for_each(drop);
    eventually("it is asked again", || {
        get(address, "/");
        told.try_iter().count() > 0
    });
}

#[test]
fn where_all_are_ejected_all_are_asked() {
    let (first, _told) = upstream(BAD);
    let (second, _also) = upstream(BAD);
    let (plane, address) = plane(&[first, second], rules());
    eventually("both are ejected", || {
        assert_eq!(body(&get(address, "/")), "bad");
        ejected(&plane) == 2
    });
    for _ in 0..10 {
        assert_eq!(body(&get(address, "/")), "bad");
    }
}
