//! A real Envoy takes every setting of an HTTP listener, and does what it says.
#![allow(clippy::unwrap_used)]

mod stage;

use serin_api::proxy::{EndpointMap, ProxySpec};
use stage::{Stage, eventually, get};

/// A listener with all settings away from their defaults.
fn spec() -> ProxySpec {
    serde_json::from_value(serde_json::json!({
        "listeners": [{
            "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"},
            "bindAddress": "::", "bindPort": 8080, "ssl": false, "stripAnyHostPort": true,
            "http": {
                "paths": {"escapedSlashes": "Redirect", "normalize": true, "mergeSlashes": true},
                "connections": {
                    "idleTimeout": "60s", "streamIdleTimeout": "30s", "requestHeadersTimeout": "5s",
                    "maxDuration": "1h", "requestTimeout": "30s", "maxStreamDuration": "1m", "delayedClose": "1s", "drain": "2s", "maxRequests": 1, "headerKib": 8, "headerCount": 9, "codec": "Http1", "bufferBytes": 65536,
                    "http1": {"acceptHttp10": true, "defaultHost": "h", "properCase": true},
                    "http2": {"maxStreams": 3, "streamWindow": 65535, "connectionWindow": 65536}
                },
                "forwarded": {
                    "useRemoteAddress": false, "trustedHops": 1, "appendFor": false, "port": true,
                    "generateRequestId": false, "keepExternalRequestId": true
                },
                "internal": [{"address": "10.0.0.0", "bits": 8}], "buffer": 1000, "suppressEnvoyHeaders": true,
                "requestIds": {"packTraceReason": false, "chooseTraces": false},
                "underscores": "Reject", "server": {"name": "ours", "overwrite": true}, "via": "here"
            },
            "virtualHosts": [{
                "name": "test.vs", "source": {"kind": "VirtualService", "namespace": "test", "name": "vs"},
                "domains": ["*"],
                "routes": [{
                    "name": "route", "source": {"kind": "VirtualService", "namespace": "test", "name": "vs"},
                    "matchers": [{"prefix": "/a/b"}],
                    "action": {"directResponse": {"status": 200, "body": "there"}}
                }]
            }]
        }],
        "clusters": {}, "sources": []
    }))
    .unwrap()
}

#[test]
fn envoy_takes_every_setting() {
    let Some(stage) = Stage::set(false) else { return };
    let number = stage.publish(spec(), EndpointMap::new());
    stage.settled(number);
    assert_eq!(stage.server.nodes()[0].refusals, []);
    let address = stage.address("test.gw");
    eventually("Envoy has the routes", || get(address, "h", "/x/..//a//./%62").ends_with("there"));
    let answer = get(address, "h", "/a/b");
    assert!(answer.contains("\r\nContent-Type: text/plain\r\n"), "{answer}");
    let answer = answer.to_lowercase();
    assert!(answer.contains("server: ours\r\n") && answer.contains("via: here\r\n"), "{answer}");
    assert!(get(address, "h", "/a%2fb").starts_with("HTTP/1.1 307"));
}
