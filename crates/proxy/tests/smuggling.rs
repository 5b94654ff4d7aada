//! Requests whose end two readers could see at different places must not get past, nor leave the connection usable.

mod stage;

use std::io::{Read, Write};

use stage::upstream::Upstream;
use stage::*;

/// What a client that sends `bytes` and then a second request gets, and what the upstream was asked.
fn exchange(request: &str) -> String {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve(vec![route("/", to("up"))], upstream.address);
    let mut client = connect(address);
    let second = "GET /second HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    let _ = client.write_all(format!("{request}{second}").as_bytes());
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn ambiguous_requests_are_refused_and_nothing_after_them_is_served() {
    for (what, request) in [
        ("two lengths", "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc"),
        ("a list of lengths", "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 3, 4\r\n\r\nabc"),
        ("a signed length", "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: +3\r\n\r\nabc"),
        ("a length that is none", "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 0x3\r\n\r\nabc"),
        ("an unknown coding", "POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n"),
        (
            "chunked, but not last",
            "POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        ),
        ("a coding in HTTP/1.0", "POST /a HTTP/1.0\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("a folded header", "GET /a HTTP/1.1\r\nhost: h\r\nx-a: 1\r\n 2\r\n\r\n"),
        ("space before the colon", "GET /a HTTP/1.1\r\nhost : h\r\n\r\n"),
        ("a bare CR", "GET /a HTTP/1.1\r\nhost: h\r\nx-a: 1\rx-b: 2\r\n\r\n"),
        ("a NUL", "GET /a HTTP/1.1\r\nhost: h\r\nx-a: \0\r\n\r\n"),
        ("two hosts", "GET /a HTTP/1.1\r\nhost: h\r\nhost: i\r\nconnection: close\r\n\r\n"),
        ("no host", "GET /a HTTP/1.1\r\nconnection: close\r\n\r\n"),
        ("a host that is none", "GET /a HTTP/1.1\r\nhost: h/../x\r\nconnection: close\r\n\r\n"),
        ("a space in the target", "GET /a b HTTP/1.1\r\nhost: h\r\n\r\n"),
        ("an unknown version", "GET /a HTTP/1.7\r\nhost: h\r\n\r\n"),
    ] {
        let answer = exchange(request);
        assert_eq!(status(&answer), 400, "{what}: {answer}");
        assert!(!answer.contains("/second"), "{what}: {answer}");
    }
}

#[test]
fn a_length_beside_a_coding_is_refused_or_taken_out() {
    // RFC 9112, 6.3 allows to drop the length if the connection is closed afterwards; a 400 is as good.
    for order in ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"]
    {
        let answer = exchange(&format!("POST /a HTTP/1.1\r\nhost: h\r\n{order}\r\n\r\n0\r\n\r\n"));
        if !answer.is_empty() && status(&answer) != 400 {
            assert!(!answer.contains("content-length: 3\n"), "the upstream saw the length: {answer}");
        }
    }
}

#[test]
fn bad_chunks_end_the_exchange() {
    for chunks in [
        "zz\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "-1\r\nabc\r\n",
        "3;\nabc\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n",
    ] {
        let answer =
            exchange(&format!("POST /upload HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"));
        assert!(!answer.contains("/second"), "{chunks:?}: {answer}");
    }
}
