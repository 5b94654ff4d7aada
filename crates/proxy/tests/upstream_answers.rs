//! Upstreams that answer oddly, early, in pieces or not at all: what the client sees of it, and what it never sees.

mod stage;

use std::io::{Read, Write};
use std::time::Duration;

use stage::scripted::{read_head, scripted};
use stage::*;

/// What a client gets from an upstream that answers with `answer` and closes.
fn answered(answer: &'static str) -> String {
    let (upstream, _told) = scripted(move |_, stream| {
        let _ = stream.write_all(answer.as_bytes());
    });
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream);
    get(address, "/")
}

#[test]
fn a_response_is_understood_however_its_end_is_told() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody", "body"),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"),
        ("HTTP/1.0 200 OK\r\n\r\nold", "old"),
        ("HTTP/1.1 200\r\ncontent-length: 1\r\n\r\nx", "x"),
        ("HTTP/1.1 200 OK\ncontent-length: 1\n\nx", "x"),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nx: y\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
            "x",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nxy and more that nobody asked for", "xy"),
    ] {
        let got = answered(answer);
        assert_eq!(status(&got), 200, "{answer:?}: {got}");
        // In chunks where the length was not known beforehand.
        let plain = body(&got) == expected;
        assert!(plain || body(&got) == format!("{:X}\r\n{expected}\r\n0\r\n\r\n", expected.len()), "{answer:?}: {got}");
        assert_eq!(header(&got, "early"), None);
    }
}

#[test]
fn a_response_in_doubt_is_not_passed_on() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxy",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nname with space: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: folded\r\n line\r\n\r\n",
        "HTTP/1.1 999999 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
    ] {
        let got = answered(answer);
        assert_eq!(status(&got), 502, "{answer:?}: {got}");
        assert!(body(&got).ends_with("reset reason: protocol error"), "{got}");
    }
}

#[test]
fn a_response_that_breaks_off_is_broken_for_the_client_too() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\nsurprise\r\n0\r\n\r\n",
    ] {
        let got = answered(answer);
        // The end may come before what there was of the beginning went out.
        assert!(got.is_empty() || status(&got) == 200, "{answer:?}: {got}");
        let complete = got.ends_with("0\r\n\r\n") || header(&got, "content-length") == Some("3");
        assert!(!complete, "{answer:?} seems whole: {got}");
    }
    for silent in ["", "HTTP/1.1 200 OK\r\nx: y\r\n"] {
        let got = answered(silent);
        assert_eq!((status(&got), body(&got).ends_with("connection termination")), (503, true), "{silent:?}: {got}");
    }
}

#[test]
fn a_connection_with_something_left_on_it_serves_nobody_else() {
    // The second response came unasked; it must not answer the second request.
    let (upstream, told) = scripted(|number, stream| {
        let first = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n";
        let smuggled = if number == 0 { "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled" } else { "" };
        stream.write_all(format!("{first}{number}{smuggled}").as_bytes()).unwrap();
        // Not closed: only what was read tells.
        std::mem::forget(stream.try_clone());
    });
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream);
    assert_eq!(body(&get(address, "/first")), "0");
    assert_eq!(body(&get(address, "/second")), "1");
    assert!(told.recv().unwrap().starts_with("GET /first"));
    assert!(told.recv().unwrap().starts_with("GET /second"));
}

#[test]
fn an_upstream_may_answer_before_it_has_read_the_request() {
    let (upstream, _told) = scripted(|_, stream| {
        stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nfull").unwrap();
    });
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream);
    let mut client = connect(address);
    client.write_all(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\nbegin").unwrap();
    let answer = read_head(&mut client);
    assert_eq!(status(&answer), 413, "{answer}");
}

#[test]
fn a_request_goes_on_while_its_response_has_begun() {
    let (upstream, _told) = scripted(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        let mut bytes = [0; 4];
        for _ in 0..3 {
            stream.read_exact(&mut bytes).unwrap();
            stream.write_all(b"4\r\n").unwrap();
            stream.write_all(&bytes).unwrap();
            stream.write_all(b"\r\n").unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
    });
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream);
    let mut client = connect(address);
    client.write_all(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 12\r\n\r\n").unwrap();
    assert_eq!(status(&read_head(&mut client)), 200);
    for word in [b"one!", b"two!", b"end!"] {
        client.write_all(word).unwrap();
        let mut echoed = [0; 9];
        client.read_exact(&mut echoed).unwrap();
        assert_eq!(&echoed[3..7], word);
    }
}

#[test]
fn only_what_does_no_harm_twice_is_sent_twice() {
    // Each connection answers once and is closed when the second request is on it.
    let (upstream, told) = scripted(|number, stream| {
        stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{number}").as_bytes()).unwrap();
        let _ = read_head(stream);
    });
    let plane = single_worker(upstream);
    let address = address(&plane);
    assert_eq!(body(&get(address, "/")), "0");
    assert_eq!(body(&get(address, "/again")), "1", "a GET is sent again");
    let answer = raw(address, "POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(status(&answer), 503, "a POST is not: {answer}");
    let asked: Vec<_> = told.try_iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect();
    assert_eq!(asked, ["GET / HTTP/1.1", "GET /again HTTP/1.1"]);
}

#[test]
fn the_length_of_a_request_is_told_once() {
    let (upstream, told) = scripted(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream);
    for (sent, expected) in [
        ("GET / HTTP/1.1\r\nhost: h\r\n\r\n", None),
        ("DELETE / HTTP/1.1\r\nhost: h\r\n\r\n", None),
        ("POST / HTTP/1.1\r\nhost: h\r\n\r\n", Some("content-length: 0")),
        ("PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nab", Some("content-length: 2")),
        ("GET / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nab", Some("content-length: 2")),
        (
            "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            Some("transfer-encoding: chunked"),
        ),
    ] {
        let mut client = connect(address);
        client.write_all(sent.as_bytes()).unwrap();
        assert_eq!(status(&read_head(&mut client)), 200);
        let head = told.recv_timeout(Duration::from_secs(10)).unwrap();
        let lines =
            |name: &str| head.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect::<Vec<_>>();
        let told = [lines("content-length"), lines("transfer-encoding")].concat();
        assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{sent:?}");
    }
}

#[test]
fn a_response_of_any_size_arrives_whole_in_whatever_pieces() {
    let sizes = [0, 1, 8191, 8192, 8193, 65_536, 1_000_003];
    let (upstream, _told) = scripted(move |number, stream| {
        let size = sizes[number];
        let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        stream
            .write_all(format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n").as_bytes())
            .unwrap();
        for piece in bytes.chunks(size / 3 + 1) {
            stream.write_all(piece).unwrap();
        }
    });
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream);
    for size in sizes {
        let mut client = connect(address);
        client.write_all(b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").unwrap();
        read_head(&mut client);
        let mut body = Vec::new();
        client.read_to_end(&mut body).unwrap();
        assert_eq!(body.len(), size);
        assert!(body.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at % 251));
    }
}
