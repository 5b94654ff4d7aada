//! What became of a case of HTTP/1.1: the expectations in words, and whether they hold.
//!
//! `400` and the like: that status, and nothing reaches the upstream. `refused`: an error or no answer. `cut`: the request
//! never ends at the upstream. `waits`: so too, for a client that stops sending. `first`: only what came before the bad
//! part may reach the upstream. `last`: it is served, and nothing after it. `200 [TEXT]`, `200 without TEXT`: it is
//! served, what reaches the upstream holds TEXT or does not, and what comes after is served too.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};

use super::recorder::{Recorded, Recorder, find};
use super::{Case, unescape};
use crate::stage::connect;

/// The files of cases.
pub const FILES: [&str; 8] = [
    "lengths.txt",
    "codings.txt",
    "chunks.txt",
    "lines.txt",
    "targets.txt",
    "headers.txt",
    "hosts.txt",
    "pipelines.txt",
];

/// What follows each case on its connection.
const AFTER: &[u8] = b"GET /after HTTP/1.1\r\nhost: after\r\nconnection: close\r\n\r\n";

/// Everything that a client gets which sends `bytes`, until the data plane closes the connection.
fn answer(address: SocketAddr, bytes: &[u8], stops: bool) -> Result<String, String> {
    let mut client = connect(address);
    let mut receiving = client.try_clone().expect("a second handle");
    let reader = std::thread::spawn(move || {
        let mut answer = Vec::new();
        let ended = receiving.read_to_end(&mut answer);
        (String::from_utf8_lossy(&answer).into_owned(), ended)
    });
    // The data plane may have refused it before it has all of it.
    let _ = client.write_all(bytes);
    if stops {
        let _ = client.shutdown(Shutdown::Write);
    }
    let (answer, ended) = reader.join().expect("no panic");
    match ended {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Err(format!("it hangs after {answer:?}")),
        _ => Ok(answer),
    }
}

fn statuses(answer: &str) -> Vec<u16> {
    answer
        .split("HTTP/1.")
        .skip(1)
        .filter_map(|response| response.get(2..5)?.parse().ok())
        .filter(|status| *status >= 200)
        .collect()
}

/// Sends `case` to the proxy at `address`, whose upstream is `upstream`, and says what is not as expected.
pub fn check(case: &Case, address: SocketAddr, upstream: &Recorder) -> Result<(), String> {
    let waits = case.expectation == "waits";
    let mut bytes = case.bytes();
    if !waits {
        bytes.extend_from_slice(AFTER);
    }
    let answered = answer(address, &bytes, waits)?;
    // Whatever was on its way to the upstream is there once the next request has come back from it.
    let fence = answer(address, b"GET /fence HTTP/1.1\r\nhost: f\r\nconnection: close\r\n\r\n", false)?;
    if statuses(&fence) != [200] {
        return Err(format!("the next connection is not served: {fence:?}"));
    }
    let mut seen = upstream.take();
    if seen.requests.pop().as_deref() != Some("GET /fence HTTP/1.1") {
        return Err(format!("the upstream saw {:?}", seen.requests));
    }
    let fence = find(&seen.bytes, b"GET /fence ").ok_or("no fence")?;
    seen.bytes.truncate(fence);
    verdict(&case.expectation, &statuses(&answered), &seen).map_err(|fault| {
        let bytes: String = seen.bytes.escape_ascii().to_string().chars().take(600).collect();
        let answer: String = answered.chars().take(300).collect();
        format!("expected {}: {fault}\n  answer: {answer:?}\n  upstream: {bytes}", case.expectation)
    })
}

fn verdict(expectation: &str, statuses: &[u16], seen: &Recorded) -> Result<(), String> {
    let must = |holds: bool, fault: &str| if holds { Ok(()) } else { Err(fault.to_owned()) };
    let has = |text: &[u8]| find(&seen.bytes, text).is_some();
    let served_after = seen.requests.last().is_some_and(|line| line == "GET /after HTTP/1.1");
    let smuggled = seen.requests.iter().any(|line| line.contains("/smuggled"));
    must(!smuggled, "a body was served as a request")?;
    if expectation != "200" && !expectation.starts_with("200 ") {
        must(!has(b"/after"), "what came after was served")?;
    }
    match expectation.split_once(' ') {
        None if expectation == "200" => {
            must(served_after && statuses.iter().all(|status| *status == 200), "it was not served")
        }
        Some(("200", text)) => {
            must(served_after && statuses.iter().all(|status| *status == 200), "it was not served")?;
            let (wanted, text) = text.strip_prefix("without ").map_or((true, text), |text| (false, text));
            let first = &seen.bytes[..find(&seen.bytes, b"GET /after").unwrap_or(seen.bytes.len())];
            must(find(first, &unescape(text)).is_some() == wanted, "the upstream saw something else")
        }
        _ => match expectation {
            "refused" => {
                must(seen.bytes.is_empty(), "the upstream saw it")?;
                must(statuses.iter().all(|status| *status >= 400) && statuses.len() <= 1, "it was not refused")
            }
            "cut" | "waits" => {
                must(seen.requests.is_empty(), "the upstream has all of it")?;
                must(statuses.iter().all(|status| *status >= 400) && statuses.len() <= 1, "it was not refused")
            }
            "first" => must(!has(b"/second") && statuses.len() <= 2, "the second was served"),
            "last" => must(statuses == [200] && seen.requests.len() == 1, "it was not the last"),
            status => {
                must(seen.bytes.is_empty(), "the upstream saw it")?;
                must(statuses.iter().map(ToString::to_string).eq([status]), "the status is another")
            }
        },
    }
}
