//! Upstreams that remember what they received, by the number of the case.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use super::message::Message;

/// The header that names the case.
pub(crate) const CASE: &str = "x-case";
/// The header that says how the upstream is to answer: a status, then words.
pub(crate) const WANT: &str = "x-want";

/// What reached an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The upstream's name.
    pub(crate) upstream: String,
    pub(crate) request: Message,
}

/// What reached the upstreams of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals(Arc<Mutex<BTreeMap<String, Vec<Arrival>>>>);

impl Arrivals {
    /// What arrived for a case, and forgets it.
    pub(crate) fn take(&self, case: &str) -> Vec<Arrival> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(case).unwrap_or_default()
    }

    fn add(&self, upstream: &str, request: &Message) {
        let case = request.header(CASE).unwrap_or_default().to_owned();
        let arrival = Arrival { upstream: upstream.to_owned(), request: request.clone() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(case).or_default().push(arrival);
    }
}

/// Starts the upstream `name`, which lives as long as the process; where it listens.
pub(crate) fn start(name: &str, arrivals: &Arrivals) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (name, arrivals) = (name.to_owned(), arrivals.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (name, arrivals) = (name.clone(), arrivals.clone());
            // Whoever breaks off is seen on the other side.
            std::thread::spawn(move || drop(serve(&stream, &name, &arrivals)));
        }
    });
    Ok(address)
}

fn serve(stream: &TcpStream, name: &str, arrivals: &Arrivals) -> io::Result<()> {
    let mut requests = BufReader::new(stream);
    let mut responses = stream;
    while let Some(request) = Message::read_request(&mut requests)? {
        arrivals.add(name, &request);
        responses.write_all(&answer(&request, name))?;
    }
    Ok(())
}

fn answer(request: &Message, name: &str) -> Vec<u8> {
    let wanted: Vec<_> = request.header(WANT).unwrap_or_default().split(' ').collect();
    let status = wanted.first().and_then(|status| status.parse().ok()).unwrap_or(200_u16);
    let wants = |word: &str| wanted.contains(&word);
    let mut out = format!("HTTP/1.1 {status} Answer\r\nX-Upstream: {name}\r\n");
    if wants("cookies") {
        out.push_str("Set-Cookie: a=1\r\nset-cookie: b=2; Path=/\r\n");
    }
    if wants("odd") {
        out.push_str(
            "X-Empty:\r\nX-Spaces:   a  b   \r\nConnection: x-hop\r\nX-Hop: gone\r\nKeep-Alive: timeout=5\r\n",
        );
    }
    if wants("location") {
        out.push_str("Location: http://other/place?x=1\r\n");
    }
    let bodiless = request.start.starts_with("HEAD ") || matches!(status, 204 | 304);
    let body = "the body of an answer";
    match (bodiless, wants("chunked")) {
        (true, _) if status == 204 || status == 304 => out.push_str("\r\n"),
        (true, _) => out.push_str(&format!("content-length: {}\r\n\r\n", body.len())),
        (false, true) => {
            let (announced, trailer) =
                if wants("trailers") { ("trailer: X-Last\r\n", "X-Last: word\r\n") } else { ("", "") };
            out.push_str(announced);
            out.push_str(&format!(
                "transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n{trailer}\r\n",
                body.len()
            ));
        }
        (false, false) => out.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len())),
    }
    out.into_bytes()
}
