//! HTTP/2 towards upstreams.

use std::sync::Arc;

use serin_api::StatusState::{Accepted, Rejected};
use serin_api::proxy::Http2;
use serin_api::{Ref, ResourceKind};

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
