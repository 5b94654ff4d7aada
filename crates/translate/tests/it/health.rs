//! Health of endpoints: what Upstreams say of it reaches their clusters, and what is wrong is said with its path.

use serin_api::ResourceKind;
use serin_api::StatusState::{Accepted, Rejected};
use serin_api::proxy::Cluster;

use super::fixture::World;

/// The cluster and status of an Upstream with these options.
pub(crate) fn upstream(options: &str) -> (Cluster, serin_api::StatusState, String) {
    let mut world = World::new();
    world.apply(&format!(
        "apiVersion: gloo.solo.io/v1\nkind: Upstream\nmetadata: {{name: up, namespace: gloo-system}}\n\
         spec: {{{options}, static: {{hosts: [{{addr: 10.0.0.1, port: 80}}]}}}}\n---\n\
         apiVersion: gateway.solo.io/v1\nkind: VirtualService\nmetadata: {{name: vs, namespace: gloo-system}}\n\
         spec: {{virtualHost: {{domains: ['*'], routes: [\
         {{matchers: [{{prefix: /}}], routeAction: {{single: {{upstream: {{name: up, namespace: gloo-system}}}}}}}}]}}}}\n"
    ));
    world.serve();
    let cluster = Cluster::clone(&world.serving().clusters["up_gloo-system"]);
    let (state, reason) = world.status(ResourceKind::Upstream, "gloo-system", "up");
    (cluster, state, reason)
}

#[test]
fn outlier_detection_reaches_the_cluster() {
    let (cluster, state, reason) = upstream("outlierDetection: {consecutive5xx: 3, interval: 1s}");
    assert_eq!((state, reason.as_str()), (Accepted, ""));
    let outliers = cluster.outlier_detection.unwrap();
    assert_eq!((outliers.consecutive_5xx, outliers.interval.to_string()), (3, "1s".to_owned()));
}

#[test]
fn outlier_detection_that_envoy_would_refuse_is_refused() {
    let (cluster, state, reason) = upstream("outlierDetection: {maxEjectionPercent: 300}");
    assert_eq!(state, Rejected);
    assert!(reason.contains("spec.outlierDetection.maxEjectionPercent: 300 is no percentage"), "{reason}");
    assert_eq!(cluster.outlier_detection, None, "it serves on without");
}

#[test]
fn a_health_check_reaches_the_cluster_and_a_bad_one_is_refused() {
    let good = "timeout: 1s, interval: 2s, healthyThreshold: 1, unhealthyThreshold: 3";
    let (cluster, state, reason) = upstream(&format!("healthChecks: [{{{good}, httpHealthCheck: {{path: /well}}}}]"));
    assert_eq!((state, reason.as_str()), (Accepted, ""));
    assert_eq!(cluster.health_check.unwrap().unhealthy_threshold, 3);

    let (cluster, state, reason) = upstream(&format!("healthChecks: [{{{good}}}]"));
    assert_eq!(state, Rejected);
    assert!(reason.contains("spec.healthChecks[0].httpHealthCheck: a check asks in one way"), "{reason}");
    assert_eq!(cluster.health_check, None, "it serves on without");

    let grpc = format!("healthChecks: [{{{good}, grpcHealthCheck: {{serviceName: a.B}}}}]");
    let (_, state, reason) = upstream(&grpc);
    assert_eq!(state, Rejected);
    assert!(reason.contains("spec.healthChecks[0].grpcHealthCheck: gRPC is spoken over HTTP/2"), "{reason}");
    assert_eq!(upstream(&format!("useHttp2: true, {grpc}")).1, Accepted);
}
