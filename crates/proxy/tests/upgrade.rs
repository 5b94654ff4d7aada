//! Connections that switch protocols become a tunnel.

mod stage;

use std::io::{Read, Write};
use std::net::TcpListener;

use stage::upstream::Upstream;
use stage::*;

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: k\r\n\r\n";

fn head(stream: &mut std::net::TcpStream) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).ok(), Some(1), "{}", String::from_utf8_lossy(&seen));
        seen.push(byte[0]);
    }
    String::from_utf8(seen).expect("text")
}

#[test]
fn bytes_go_both_ways_after_a_switch() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let (plane, address) = serve(vec![route("/", to("up"))], upstream.local_addr().unwrap());
    let mut client = connect(address);
    client.write_all(UPGRADE).unwrap();
    let (mut server, _) = upstream.accept().unwrap();
    let asked = head(&mut server);
    assert!(asked.contains("connection: upgrade\r\n") && asked.contains("upgrade: websocket\r\n"), "{asked}");
    assert!(asked.contains("sec-websocket-key: k\r\n"));
    // The first bytes of the new protocol come with the answer.
    server
        .write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-a: 1\r\n\r\nhello",
        )
        .unwrap();
    let answer = head(&mut client);
    assert_eq!(
        (status(&answer), header(&answer, "upgrade"), header(&answer, "x-a")),
        (101, Some("websocket"), Some("1"))
    );
    let mut bytes = [0; 5];
    client.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"hello");
    for _ in 0..100 {
        client.write_all(b"ping!").unwrap();
        server.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"ping!");
        server.write_all(b"pong!").unwrap();
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"pong!");
    }
    // A configuration that no longer has the route leaves the tunnel alone.
    plane.apply(spec_of(vec![route("/", respond(404, ""))], &[])).unwrap();
    client.write_all(b"still").unwrap();
    server.read_exact(&mut bytes).unwrap();
    drop(server);
    assert_eq!(client.read(&mut bytes).unwrap(), 0, "the end of one side ends the other");
    drop(client);
    eventually("the tunnel is counted", || metrics(&plane).contains("code_class=\"1xx\"} 1"));
}

#[test]
fn an_upstream_may_decline_and_http2_is_never_switched_to() {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    let mut client = connect(address);
    client.write_all(UPGRADE).unwrap();
    assert_eq!(status(&head(&mut client)), 200);
    let answer = raw(
        address,
        "GET / HTTP/1.1\r\nhost: h\r\nconnection: close, upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: x\r\n\r\n",
    );
    assert_eq!(status(&answer), 200);
    assert!(!body(&answer).contains("upgrade"), "{answer}");
    assert!(!body(&answer).contains("http2-settings"), "{answer}");
}
