//! WebSocket from clients of HTTP/1.1 and HTTP/2 to upstreams of HTTP/1.1 and HTTP/2.

mod stage;
mod websocket_peers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serin_api::GoDuration;
use serin_api::proxy::{Cluster, Http2, ProxySpec, Route, RoutePolicy, Transport};
use serin_proxy::DataPlane;
use stage::upstream::Upstream;
use stage::*;
use tokio_tungstenite::tungstenite::Message;
use websocket_peers::*;

/// Routes to an upstream of HTTP/1.1 (`/one`) and one of HTTP/2 (`/two`), with the same options.
fn spec(policy: Option<RoutePolicy>) -> Arc<ProxySpec> {
    let policy = policy.map(Arc::new);
    let routes = vec![
        Route { policy: policy.clone(), ..route("/one", to("one")) },
        Route { policy, ..route("/two", to("two")) },
        route("/said", respond(200, "said")),
        route("/found", respond(302, "")),
    ];
    let mut spec = (*spec_of(routes, &["one", "two"])).clone();
    let transport = Transport { http2: Some(Http2::default()), ..Transport::default() };
    spec.clusters.insert("two".into(), Arc::new(Cluster { transport, ..cluster("two") }));
    Arc::new(spec)
}

fn plane(one: SocketAddr, two: SocketAddr, policy: Option<RoutePolicy>) -> DataPlane {
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("one", &[endpoint(one, "")]), ("two", &[endpoint(two, "")])]));
    plane.apply(spec(policy)).expect("applied");
    plane
}

fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), test).await.expect("in time") });
    runtime.shutdown_background();
}

#[test]
fn clients_of_either_protocol_talk_to_upstreams_of_either() {
    run(async {
        let plane = plane(upstream_http1().await, upstream_http2(true).await, None);
        let address = address(&plane);
        for path in ["/one", "/two", "/two/keyed"] {
            let (socket, headers) = connect_http1(address, path).await;
            assert_eq!(headers["x-up"], "1", "{path}");
            talk(socket.unwrap_or_else(|status| panic!("{path}: {status}"))).await;
            for keyed in [false, true] {
                let (socket, headers) = connect_http2(address, path, keyed).await;
                assert_eq!(headers["x-up"], "1", "{path}");
                assert!(headers.get("upgrade").is_none() && headers.get("connection").is_none(), "{headers:?}");
                assert!(keyed || headers.get("sec-websocket-accept").is_none(), "nobody asked: {headers:?}");
                talk(socket.unwrap_or_else(|status| panic!("{path}: {status}"))).await;
            }
        }
        eventually("they are counted", || {
            let metrics = metrics(&plane);
            metrics.contains("code_class=\"1xx\"} 1") && metrics.contains("code_class=\"2xx\"} 2")
        });
        eventually("nothing is left", || metrics(&plane).lines().any(|line| line == "serin_connections_active 0"));
    });
}

#[test]
fn tunnels_of_one_connection_do_not_wait_for_each_other() {
    run(async {
        let plane = plane(upstream_http1().await, upstream_http2(true).await, None);
        let address = address(&plane);
        let (Ok(mut busy), _) = connect_http2(address, "/two", false).await else { panic!("refused") };
        let (Ok(other), _) = connect_http2(address, "/two", false).await else { panic!("refused") };
        // More than anyone's windows hold, of which nothing is read yet.
        let big = Message::binary(vec![1; 4 << 20]);
        let mut idle = std::pin::pin!(async {
            busy.send(big.clone()).await.expect("sent");
            assert_eq!(busy.next().await.expect("a message").expect("a message"), big);
        });
        tokio::select! {
            () = &mut idle => {}
            () = talk(other) => idle.await,
        }
    });
}

#[test]
fn who_does_not_agree_is_heard() {
    let plain = Upstream::start("plain");
    let plain_address = plain.address;
    run(async move {
        let plane = plane(upstream_http1().await, upstream_http2(true).await, None);
        let address = address(&plane);
        for path in ["/one/refused", "/two/refused"] {
            assert_eq!(connect_http1(address, path).await.0.err(), Some(403), "{path}");
            assert_eq!(connect_http2(address, path, false).await.0.err(), Some(403), "{path}");
        }
        // To a client of HTTP/2 a plain 200 would be an agreement.
        let plain = self::plane(plain_address, plain_address, None);
        assert_eq!(connect_http2(self::address(&plain), "/one", false).await.0.err(), Some(502));
        assert_eq!(connect_http1(self::address(&plain), "/one").await.0.err(), Some(200));
        assert_eq!(connect_http2(address, "/said", false).await.0.err(), Some(403));
        assert_eq!(connect_http2(address, "/found", false).await.0.err(), Some(302));
        assert_eq!(connect_http2(address, "/nowhere", false).await.0.err(), Some(404));
        for protocol in ["h2c", "connect-udp", "webtransport", "websocket, h2c"] {
            assert_eq!(connect_http2_for(address, "/one", true, protocol).await.0.err(), Some(403), "{protocol}");
        }
        let (Ok(socket), _) = connect_http2_for(address, "/one", true, "WebSocket").await else { panic!("refused") };
        talk(socket).await;
    });
}

#[test]
fn an_upstream_that_does_not_know_extended_connect_is_not_asked() {
    run(async {
        let plane = plane(upstream_http1().await, upstream_http2(false).await, None);
        for (status, _) in
            [connect_http1(address(&plane), "/two").await, connect_http2(address(&plane), "/two", true).await]
        {
            assert_eq!(status.err(), Some(502));
        }
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        let nobody = self::plane(nobody, nobody, None);
        for path in ["/one", "/two"] {
            assert_eq!(connect_http2(address(&nobody), path, true).await.0.err(), Some(503));
        }
    });
}

#[test]
fn a_route_may_forbid_it() {
    run(async {
        let policy = RoutePolicy { websocket: Some(false), ..RoutePolicy::default() };
        let plane = plane(upstream_http1().await, upstream_http2(true).await, Some(policy));
        for path in ["/one", "/two"] {
            assert_eq!(connect_http1(address(&plane), path).await.0.err(), Some(403));
            assert_eq!(connect_http2(address(&plane), path, true).await.0.err(), Some(403));
        }
        let other = "GET /one HTTP/1.1\r\nhost: h\r\nconnection: close, upgrade\r\nupgrade: other\r\n\r\n";
        assert_eq!(status(&raw(address(&plane), other)), 403);
    });
}

#[test]
fn a_tunnel_that_stands_still_for_too_long_ends() {
    run(async {
        let policy =
            RoutePolicy { idle_timeout: Some(GoDuration(Duration::from_millis(300))), ..RoutePolicy::default() };
        let plane = plane(upstream_http1().await, upstream_http2(true).await, Some(policy));
        let address = address(&plane);
        for path in ["/one", "/two"] {
            for http2 in [false, true] {
                let (socket, _) = match http2 {
                    false => connect_http1(address, path).await,
                    true => connect_http2(address, path, false).await,
                };
                let mut socket = socket.unwrap_or_else(|status| panic!("{path}: {status}"));
                socket.send(Message::text("once")).await.expect("sent");
                assert_eq!(socket.next().await.expect("a message").expect("a message"), Message::text("once"));
                assert!(!matches!(socket.next().await, Some(Ok(_))), "{path}");
            }
        }
    });
}

#[test]
fn the_end_of_either_side_ends_the_other() {
    run(async {
        let plane = plane(upstream_http1().await, upstream_http2(true).await, None);
        let address = address(&plane);
        let mut open = Vec::new();
        for path in ["/one", "/two"] {
            open.push(connect_http1(address, path).await.0.expect("agreed"));
            open.push(connect_http2(address, path, false).await.0.expect("agreed"));
        }
        let mut last = open.pop().expect("one");
        drop(open);
        eventually("the others are gone", || metrics(&plane).lines().any(|line| line == "serin_connections_active 1"));
        // The data plane goes while a tunnel is open.
        tokio::task::spawn_blocking(move || drop(plane)).await.expect("gone");
        assert!(!matches!(last.next().await, Some(Ok(_))));
    });
}
