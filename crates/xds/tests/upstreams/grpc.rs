//! gRPC through a real Envoy, with tonic's client and server.

use std::net::SocketAddr;

use serde_json::json;
use serin_api::proxy::{Cluster, Http2, Transport};
use tonic::Code;

use crate::echo::calls::{self, run};
use crate::echo::serve;
use crate::stage::{Stage, eventually, get};
use crate::{GATEWAY, cluster, endpoints, route, spec, to_up};

/// An Envoy in front of `upstream`: everything but `/nowhere` goes there.
fn gateway(upstream: SocketAddr) -> Option<(Stage, SocketAddr)> {
    let stage = Stage::set(true)?;
    let http2 = Cluster { transport: Transport { http2: Some(Http2::default()), ..Transport::default() }, ..cluster() };
    let closed = json!({"directResponse": {"status": 403, "body": "go 100% away"}});
    let spec = spec(&[route(calls::PREFIX, to_up()), route("/closed", closed)], http2);
    let number = stage.publish(spec, endpoints(&[upstream]));
    stage.settled(number);
    assert_eq!(stage.server.nodes()[0].refusals, []);
    let address = stage.address(GATEWAY);
    // Its worker hears of endpoints a moment after its main thread has said that it has them.
    eventually("it has the endpoint", || stage.envoy.statistic("cluster.up.membership_total") == Some(1));
    eventually("it has the routes", || get(address, "h", "/closed").starts_with("HTTP/1.1 403"));
    Some((stage, address))
}

/// The service, in a runtime of its own.
fn serving() -> (tokio::runtime::Runtime, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let service = runtime.block_on(serve());
    (runtime, service)
}

#[test]
fn every_kind_of_call_passes() {
    let (runtime, service) = serving();
    let Some((_stage, address)) = gateway(service) else { return };
    run(async {
        calls::every_kind_of_call_passes(address).await;
        calls::errors_and_deadlines_are_the_services_own(address).await;
    });
    runtime.shutdown_background();
}

#[test]
fn what_the_gateway_says_itself_is_a_status_of_grpc() {
    let Some((_stage, address)) = gateway(([127, 0, 0, 1], 1).into()) else { return };
    run(async {
        let unreachable =
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
        for (path, code, message) in [
            ("/nowhere/x", Code::Unimplemented, ""),
            ("/closed/x", Code::PermissionDenied, "go 100% away"),
            ("/echo/x", Code::Unavailable, unreachable),
        ] {
            let (said, words) = calls::refused(address, path).await;
            assert!(said == code && words.starts_with(message), "{path}: {said:?} {words}");
        }
    });
}
