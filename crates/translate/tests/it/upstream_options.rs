//! What Upstreams say of how they are spread over and spoken to reaches their clusters, and what is wrong is said with its path.

use std::time::Duration;

use serin_api::GoDuration;
use serin_api::StatusState::{Accepted, Rejected};
use serin_api::proxy::SlowStart;

use crate::health::upstream;

/// What is said of an Upstream with these options, which has to be refused.
fn refused(options: &str) -> String {
    let (_, state, reason) = upstream(options);
    assert_eq!(state, Rejected, "{options}");
    reason
}

#[test]
fn slow_start_reaches_the_cluster() {
    let window = GoDuration(Duration::from_secs(30));
    let plain = SlowStart { window, aggression: 1.0, least_percent: 10.0 };
    for (config, expected) in [
        ("roundRobin: {slowStartConfig: {slowStartWindow: 30s}}", Some(plain)),
        ("leastRequest: {slowStartConfig: {slowStartWindow: 30s}}", Some(plain)),
        (
            "roundRobin: {slowStartConfig: {slowStartWindow: 30s, aggression: 0.5, minWeightPercent: 0}}",
            Some(SlowStart { aggression: 0.5, least_percent: 0.0, ..plain }),
        ),
        ("roundRobin: {slowStartConfig: {slowStartWindow: 0s}}", None),
        ("roundRobin: {slowStartConfig: {aggression: 2}}", None),
        ("roundRobin: {}", None),
    ] {
        let (cluster, state, reason) = upstream(&format!("loadBalancerConfig: {{{config}}}"));
        assert_eq!((state, reason.as_str()), (Accepted, ""), "{config}");
        assert_eq!(cluster.slow_start, expected, "{config}");
    }
}

#[test]
fn slow_start_out_of_range_is_refused() {
    for (policy, field, value, reason) in [
        ("roundRobin", "aggression", "0", "0 is not more than 0"),
        ("leastRequest", "aggression", "-1", "-1 is not more than 0"),
        ("roundRobin", "minWeightPercent", "101", "101 is no percentage; use 0 to 100"),
        ("leastRequest", "minWeightPercent", "-5", "-5 is no percentage; use 0 to 100"),
    ] {
        let config = format!("{policy}: {{slowStartConfig: {{slowStartWindow: 30s, {field}: {value}}}}}");
        let said = refused(&format!("loadBalancerConfig: {{{config}}}"));
        let expected = format!("spec.loadBalancerConfig.{policy}.slowStartConfig.{field}: {reason}");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn what_is_said_of_connections_reaches_the_cluster() {
    let (cluster, state, reason) = upstream(
        "dnsRefreshRate: 90s, ignoreHealthOnHostRemoval: true, \
         connectionConfig: {perConnectionBufferLimitBytes: 4096, commonHttpProtocolOptions: {maxHeadersCount: 20}}, \
         loadBalancerConfig: {closeConnectionsOnHostSetChange: true, updateMergeWindow: 2s, localityWeightedLbConfig: {}}",
    );
    assert_eq!((state, reason.as_str()), (Accepted, ""));
    let connections = &cluster.transport.connections;
    assert_eq!((connections.buffer_bytes, connections.max_headers), (Some(4096), Some(20)));
    let seconds = |seconds| Some(GoDuration(Duration::from_secs(seconds)));
    assert_eq!((cluster.dns_refresh, cluster.merge_window), (seconds(90), seconds(2)));
    assert!(cluster.closes_on_change);

    let (cluster, ..) = upstream("connectionConfig: {commonHttpProtocolOptions: {maxHeadersCount: 0}}");
    assert_eq!(cluster.transport.connections.max_headers, None);
}

#[test]
fn what_cannot_be_kept_to_is_refused() {
    for (options, expected) in [
        ("dnsRefreshRate: 1ms", "spec.dnsRefreshRate: 1ms is too short; use more than 1ms"),
        (
            "connectionConfig: {perConnectionBufferLimitBytes: 1023}",
            "spec.connectionConfig.perConnectionBufferLimitBytes: 1023 is too little; use at least 1024",
        ),
    ] {
        let said = refused(options);
        assert!(said.contains(expected), "{said}");
    }
}
