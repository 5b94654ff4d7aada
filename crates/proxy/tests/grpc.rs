//! gRPC through the gateway, with tonic's client and server: every kind of call, deadlines, errors, and the gateway's own
//! answers.

mod echo;
mod stage;

use std::net::SocketAddr;
use std::sync::Arc;

use echo::calls::{self, run};
use echo::serve;
use serin_api::proxy::{Cluster, Http2, Transport};
use serin_proxy::DataPlane;
use stage::*;
use tonic::Code;

/// A gateway in front of `upstream`: everything but `/nowhere` goes there.
fn gateway(upstream: SocketAddr) -> DataPlane {
    let plane = single_worker(upstream);
    let mut spec =
        (*spec_of(vec![route(calls::PREFIX, to("up")), route("/closed", respond(403, "go 100% away"))], &["up"]))
            .clone();
    let transport = Transport { http2: Some(Http2::default()), ..Transport::default() };
    spec.clusters.insert("up".into(), Arc::new(Cluster { transport, ..cluster("up") }));
    plane.apply(Arc::new(spec)).expect("applied");
    plane
}

#[test]
fn every_kind_of_call_passes() {
    run(async {
        let plane = gateway(serve().await);
        calls::every_kind_of_call_passes(address(&plane)).await;
    });
}

#[test]
fn errors_and_deadlines_are_the_services_own() {
    run(async {
        let plane = gateway(serve().await);
        calls::errors_and_deadlines_are_the_services_own(address(&plane)).await;
    });
}

#[test]
fn what_the_gateway_says_itself_is_a_status_of_grpc() {
    run(async {
        let plane = gateway(([127, 0, 0, 1], 1).into());
        let unreachable =
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
        for (path, code, message) in [
            ("/nowhere/x", Code::Unimplemented, ""),
            ("/closed/x", Code::PermissionDenied, "go 100% away"),
            ("/echo/x", Code::Unavailable, unreachable),
        ] {
            assert_eq!(calls::refused(address(&plane), path).await, (code, message.to_owned()), "{path}");
        }
        // Whoever does not speak gRPC gets HTTP.
        assert_eq!(status(&get(address(&plane), "/closed/x")), 403);
    });
}
