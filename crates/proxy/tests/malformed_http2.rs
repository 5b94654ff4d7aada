//! The corpus for HTTP/2: what the protocol forbids, and what would become another request in HTTP/1.1.
//!
//! Expectations: `refused`: the stream or the connection ends, or a status of 400 or more, and the upstream sees nothing.
//! `cut`: so too, but the upstream may have seen the beginning. `resets`: the connection ends. `floods`: the data plane
//! lives. `200 TEXT`: it is served, and what reaches the upstream holds TEXT.

mod corpus;
mod stage;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use corpus::recorder::{Recorder, find};
use corpus::{Case, frames};
use stage::{connect, raw, single_worker};

/// What the ping holds that ends a flood.
const LAST_PING: &[u8] = b"the last";

/// What came back.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// A response, and whether its status is 200.
    Response { ok: bool },
    /// The stream was reset.
    Reset,
    /// The connection was ended.
    Gone,
    /// The last ping came back.
    Pong,
}

fn read_frame(client: &mut TcpStream) -> std::io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    client.read_exact(&mut head)?;
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    client.read_exact(&mut payload)?;
    Ok((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
}

fn end(client: &mut TcpStream) -> Result<End, String> {
    loop {
        match read_frame(client) {
            // The first header of a response is its status; 8 in HPACK's table is 200.
            Ok((1, _, _, payload)) => return Ok(End::Response { ok: payload.first() == Some(&0x88) }),
            Ok((3, ..)) => return Ok(End::Reset),
            Ok((7, ..)) => return Ok(End::Gone),
            Ok((6, 1, _, payload)) if payload == LAST_PING => return Ok(End::Pong),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Err("it hangs".to_owned()),
            Err(_) => return Ok(End::Gone),
        }
    }
}

fn exchange(address: SocketAddr, case: &Case) -> Result<End, String> {
    let mut client = connect(address);
    client.set_write_timeout(Some(Duration::from_secs(5))).expect("a time limit");
    let mut receiving = client.try_clone().expect("a second handle");
    let expectation = case.expectation.clone();
    let reader = std::thread::spawn(move || {
        loop {
            let end = end(&mut receiving);
            // Streams end one by one before the connection does.
            let more = match expectation.as_str() {
                "resets" => matches!(end, Ok(End::Response { .. } | End::Reset)),
                "floods" => matches!(end, Ok(End::Response { .. })),
                _ => false,
            };
            if !more {
                return end;
            }
        }
    });
    let mut bytes = frames::connection(&case.lines);
    if matches!(case.expectation.as_str(), "floods" | "resets") {
        frames::frame(&mut bytes, 6, 0, 0, LAST_PING);
    }
    let _ = client.write_all(&bytes);
    reader.join().expect("no panic")
}

fn check(case: &Case, address: SocketAddr, upstream: &Recorder) -> Result<(), String> {
    let end = exchange(address, case)?;
    let fence = raw(address, "GET /fence HTTP/1.1\r\nhost: f\r\nconnection: close\r\n\r\n");
    if !fence.contains(" 200 ") {
        return Err(format!("the next connection is not served: {fence:?}"));
    }
    let mut seen = upstream.take();
    let fence = find(&seen.bytes, b"GET /fence ").ok_or("no fence")?;
    seen.bytes.truncate(fence);
    seen.requests.retain(|line| line != "GET /fence HTTP/1.1");
    let refused = matches!(end, End::Response { ok: false } | End::Reset | End::Gone);
    let smuggled = seen.requests.iter().any(|line| line.contains("/smuggled"));
    let holds = !smuggled
        && match case.expectation.as_str() {
            "refused" => refused && seen.bytes.is_empty(),
            "cut" => refused && seen.requests.is_empty(),
            "resets" => end == End::Gone,
            "floods" => matches!(end, End::Gone | End::Pong | End::Reset),
            expectation => {
                let text = expectation.strip_prefix("200 ").expect("an expectation");
                end == End::Response { ok: true }
                    && seen.requests.len() == 1
                    && find(&seen.bytes, &corpus::unescape(text)).is_some()
            }
        };
    let bytes: String = seen.bytes.escape_ascii().to_string().chars().take(600).collect();
    if holds { Ok(()) } else { Err(format!("expected {}: {end:?}\n  upstream: {bytes}", case.expectation)) }
}

#[test]
fn what_http2_forbids_is_refused_and_no_upstream_sees_it() {
    let upstream = Recorder::start();
    let plane = single_worker(upstream.address);
    let address = stage::address(&plane);
    let cases = corpus::read("http2.txt");
    let faults: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}", case.name, check(case, address, &upstream).err()?)))
        .collect();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n"));
}
