//! HTTP/2 towards upstreams, and how connections to them are kept.

use std::sync::Arc;

use serin_api::StatusState::{Accepted, Rejected};
use serin_api::proxy::{Connections, Http2, Keepalive};
use serin_api::{GoDuration, Ref, ResourceKind};

use crate::fixture::{World, upstream, virtual_service};

fn world(spec: &str) -> World {
    let mut world = World::new();
    let routes = "[{matchers: [{prefix: /}], routeAction: {single: {upstream: {name: up}}}}]";
    world.apply(&virtual_service("app", "'*'", routes)).apply(&upstream("up", spec)).serve();
    world
}

#[test]
fn every_field_reaches_the_cluster() {
    let hosts = "static: {hosts: [{addr: 10.0.0.1, port: 1}]}";
    let all = "initialStreamWindowSize: 65535, initialConnectionWindowSize: 2147483647, maxConcurrentStreams: 7";
    let full = Http2 { stream_window: Some(65_535), connection_window: Some(0x7fff_ffff), concurrent_streams: Some(7) };
    for (spec, expected) in [
        (format!("{{{hosts}, useHttp2: true}}"), Some(Http2::default())),
        (format!("{{{hosts}, useHttp2: true, {all}}}"), Some(full)),
        (format!("{{{hosts}, useHttp2: false, {all}}}"), None),
        (format!("{{{hosts}}}"), None),
    ] {
        let world = world(&spec);
        assert_eq!(world.serving().clusters["up_gloo-system"].transport.http2, expected, "{spec}");
        assert_eq!(world.status(ResourceKind::Upstream, "gloo-system", "up").0, Accepted, "{spec}");
    }
}

#[test]
fn sizes_that_http_2_does_not_have_are_errors() {
    for (field, value) in
        [("initialStreamWindowSize", "1"), ("initialConnectionWindowSize", "4294967295"), ("maxConcurrentStreams", "0")]
    {
        let world =
            world(&format!("{{static: {{hosts: [{{addr: 10.0.0.1, port: 1}}]}}, useHttp2: true, {field}: {value}}}"));
        let (state, reason) = world.status(ResourceKind::Upstream, "gloo-system", "up");
        assert_eq!(state, Rejected);
        assert!(reason.contains(&format!("spec.{field}: {value} is not from ")), "{reason}");
    }
}

#[test]
fn a_service_that_says_so_is_spoken_to_by_http_2() {
    for http2 in [false, true] {
        let mut world = World::new();
        let service = Ref::new("echo", "echo");
        let port = serin_translate::ServicePort { name: "grpc".to_owned(), port: 80, http2 };
        world.snapshot.services.insert(service, Arc::new(serin_translate::Service { ports: vec![port] }));
        let kube = "[{matchers: [{prefix: /}], routeAction: {single: {kube: {ref: {name: echo, namespace: echo}, port: 80}}}}]";
        world.apply(&virtual_service("app", "'*'", kube)).serve();
        let clusters = &world.serving().clusters;
        let made = clusters.values().next().expect("a cluster").transport.http2.is_some();
        assert_eq!(made, http2);
    }
}

#[test]
fn what_is_said_of_connections_reaches_the_cluster() {
    let hosts = "static: {hosts: [{addr: 10.0.0.1, port: 1}]}";
    let made = |config: &str| {
        let world = world(&format!("{{{hosts}, connectionConfig: {{{config}}}}}"));
        (world.serving().clusters["up_gloo-system"].transport.connections.clone(), world)
    };
    let (full, told) = made(
        "maxRequestsPerConnection: 3, connectTimeout: 2s, commonHttpProtocolOptions: {idleTimeout: 0s}, \
         tcpKeepalive: {keepaliveProbes: 4, keepaliveTime: 1500ms, keepaliveInterval: 5s}",
    );
    let expected = Connections {
        max_requests: Some(3),
        connect_timeout: GoDuration::parse("2s"),
        idle_timeout: GoDuration::parse("0s"),
        keepalive: Some(Keepalive { probes: Some(4), time: Some(2), interval: Some(5) }),
        ..Connections::default()
    };
    assert_eq!(full, expected);
    assert_eq!(told.status(ResourceKind::Upstream, "gloo-system", "up"), (Accepted, String::new()));
    assert_eq!(made("maxRequestsPerConnection: 0").0, Connections::default());
    let (_, told) = made("connectTimeout: 0s");
    let (state, reason) = told.status(ResourceKind::Upstream, "gloo-system", "up");
    assert_eq!(state, Rejected);
    assert!(reason.contains("spec.connectionConfig.connectTimeout: it must be longer than 0s"), "{reason}");
    let (_, told) =
        made("http1ProtocolOptions: {enableTrailers: true}, commonHttpProtocolOptions: {maxStreamDuration: 5s}");
    let (_, reason) = told.status(ResourceKind::Upstream, "gloo-system", "up");
    assert!(reason.contains("connectionConfig.http1ProtocolOptions"), "{reason}");
    assert!(reason.contains("connectionConfig.commonHttpProtocolOptions.maxStreamDuration"), "{reason}");
}
