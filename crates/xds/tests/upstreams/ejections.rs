//! Endpoints that a real Envoy ejects for what they answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use serin_api::proxy::Cluster;

use crate::stage::{Stage, eventually, get};
use crate::{GATEWAY, cluster, endpoints, route, spec, to_up};

/// An upstream that answers 200, or 500 while it is to fail.
fn upstream(fails: Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let status = if fails.load(Ordering::SeqCst) { 500 } else { 200 };
            let body = address.port();
            let _ = write!(stream, "HTTP/1.1 {status} It\r\nconnection: close\r\ncontent-length: 5\r\n\r\n{body:05}");
        }
    });
    address
}

#[test]
fn failures_in_a_row_eject_an_endpoint_for_a_time() {
    let Some(stage) = Stage::set(true) else { return };
    let fails = Arc::new(AtomicBool::new(true));
    let (bad, good) = (upstream(Arc::clone(&fails)), upstream(Arc::default()));
    let rules = serde_json::from_value(json!({
        "interval": "50ms", "baseEjectionTime": "100ms", "maxEjectionPercent": 100, "consecutive5xx": 3,
        "enforcingConsecutive5xx": 100, "consecutiveGatewayFailure": 0, "enforcingConsecutiveGatewayFailure": 0,
        "successRateMinimumHosts": 5, "successRateRequestVolume": 100, "successRateStdevFactor": 1900,
        "enforcingSuccessRate": 100,
    }));
    let judged = Cluster { outlier_detection: Some(rules.unwrap()), ..cluster() };
    let number = stage.publish(spec(&[route("/", to_up())], judged), endpoints(&[bad, good]));
    stage.settled(number);
    assert_eq!(stage.server.nodes()[0].refusals, []);
    let address = stage.address(GATEWAY);
    let statistic = |name: &str| stage.envoy.statistic(&format!("cluster.up.outlier_detection.{name}"));
    eventually("it is ejected", || {
        get(address, "h", "/");
        statistic("ejections_enforced_consecutive_5xx").is_some_and(|ejections| ejections > 0)
    });
    // It comes back, to be ejected again for longer, until it does better.
    eventually("it is ejected again", || {
        get(address, "h", "/");
        statistic("ejections_enforced_consecutive_5xx").is_some_and(|ejections| ejections > 1)
    });
    fails.store(false, Ordering::SeqCst);
    eventually("it is asked again", || get(address, "h", "/").ends_with(&format!("{:05}", bad.port())));
    eventually("nobody is ejected", || statistic("ejections_active") == Some(0));
}
