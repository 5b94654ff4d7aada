//! Connections that switch protocols, through a real Envoy.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use crate::stage::{Stage, connect, eventually, get, header};
use crate::{GATEWAY, cluster, endpoints, route, spec, to_up};

fn head(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).ok(), Some(1), "{}", String::from_utf8_lossy(&seen));
        seen.push(byte[0]);
    }
    String::from_utf8(seen).unwrap()
}

#[test]
fn websockets_are_tunnelled_unless_a_route_forbids_them() {
    let Some(stage) = Stage::set(true) else { return };
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut forbidden = route("/plain", to_up());
    forbidden["policy"] = json!({"websocket": false});
    let ready = route("/ready", json!({"directResponse": {"status": 200, "body": ""}}));
    let spec = spec(&[forbidden, ready, route("/", to_up())], cluster());
    let number = stage.publish(spec, endpoints(&[upstream.local_addr().unwrap()]));
    stage.settled(number);
    let address = stage.address(GATEWAY);
    eventually("it has the endpoint", || stage.envoy.statistic("cluster.up.membership_total") == Some(1));
    eventually("it has the routes", || get(address, "h", "/ready").starts_with("HTTP/1.1 200"));
    let ask = |path: &str| {
        let mut client = connect(address);
        let asked = format!(
            "GET {path} HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: k\r\n\r\n"
        );
        client.write_all(asked.as_bytes()).unwrap();
        client
    };
    assert!(head(&mut ask("/plain")).starts_with("HTTP/1.1 403"));

    let mut client = ask("/ws");
    let (mut server, _) = upstream.accept().unwrap();
    let asked = head(&mut server);
    assert_eq!(header(&asked, "upgrade"), Some("websocket"), "{asked}");
    assert_eq!(header(&asked, "sec-websocket-key"), Some("k"));
    let switched =
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-a: 1\r\n\r\nhello";
    server.write_all(switched.as_bytes()).unwrap();
    let answer = head(&mut client);
    assert!(answer.starts_with("HTTP/1.1 101") && header(&answer, "x-a") == Some("1"), "{answer}");
    let mut bytes = [0; 5];
    client.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"hello");
    for _ in 0..10 {
        client.write_all(b"ping!").unwrap();
        server.read_exact(&mut bytes).unwrap();
        server.write_all(b"pong!").unwrap();
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"pong!");
    }
    drop(server);
    assert_eq!(client.read(&mut bytes).unwrap(), 0, "the end of one side ends the other");
}
