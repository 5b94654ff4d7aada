//! Upstreams that remember what they received, by the number of the case.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;

use super::message::Message;
use super::tls;

/// The header that names the case.
pub(crate) const CASE: &str = "x-case";
/// The header that says how the upstream is to answer: a status, then words.
pub(crate) const WANT: &str = "x-want";

const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                        Sec-WebSocket-Accept: x\r\n\r\n";

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

    /// For how many cases something arrived that nobody took yet.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().map(Vec::len).sum()
    }

    /// Adds what arrived; how much did before.
    pub(crate) fn add(&self, upstream: &str, request: &Message) -> usize {
        let case = request.header(CASE).unwrap_or_default().to_owned();
        let arrival = Arrival { upstream: upstream.to_owned(), request: request.clone() };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let arrivals = all.entry(case).or_default();
        arrivals.push(arrival);
        arrivals.len() - 1
    }
}

/// Starts the upstream `name`, which lives as long as the process; where it listens.
///
/// `tls`: how it speaks TLS, if it does.
pub(crate) fn start(name: &str, arrivals: &Arrivals, tls: Option<Arc<ServerConfig>>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (name, arrivals) = (name.to_owned(), arrivals.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (name, arrivals, tls) = (name.clone(), arrivals.clone(), tls.clone());
            // Whoever breaks off is seen on the other side.
            std::thread::spawn(move || match tls {
                None => drop(serve(stream, &name, &arrivals)),
                Some(tls) => {
                    if let Ok((stream, asked)) = tls::accept(stream, tls) {
                        drop(serve(stream, &format!("{name}, asked for {asked:?}"), &arrivals));
                    }
                }
            });
        }
    });
    Ok(address)
}

fn serve(stream: impl Read + Write, name: &str, arrivals: &Arrivals) -> io::Result<()> {
    let mut requests = BufReader::new(stream);
    while let Some(request) = Message::read_request(&mut requests)? {
        let before = arrivals.add(name, &request);
        if breaks(&request, before) {
            return Ok(());
        }
        if request.header("upgrade").is_some() && !wants(&request, "no-upgrade") {
            requests.get_mut().write_all(SWITCH)?;
            return echo(&mut requests);
        }
        let answer = answer(&request, name, before);
        requests.get_mut().write_all(&answer)?;
        requests.get_mut().flush()?;
    }
    Ok(())
}

/// Sends back what comes.
fn echo<S: Read + Write>(stream: &mut BufReader<S>) -> io::Result<()> {
    loop {
        let said = stream.fill_buf()?.to_vec();
        if said.is_empty() {
            return Ok(());
        }
        stream.consume(said.len());
        stream.get_mut().write_all(&said)?;
        stream.get_mut().flush()?;
    }
}

/// Whether the request is not to be answered; `before`: how often it came before.
pub(crate) fn breaks(request: &Message, before: usize) -> bool {
    wants(request, "break") || (wants(request, "break-once") && before == 0)
}

fn wants(request: &Message, word: &str) -> bool {
    request.header(WANT).unwrap_or_default().split(' ').any(|wanted| wanted == word)
}

/// The answer to a request, as HTTP/1.1; `before`: how often it came before.
pub(crate) fn answer(request: &Message, name: &str, before: usize) -> Vec<u8> {
    let wants = |word: &str| wants(request, word);
    let status = request.header(WANT).and_then(|want| want.split(' ').next()?.parse().ok()).unwrap_or(200_u16);
    let status = if wants("at-last") && before > 0 { 200 } else { status };
    // Which of several it is, only its arrivals say.
    let name = name.split(['#', ',']).next().unwrap_or(name);
    let mut out = format!("HTTP/1.1 {status} Answer\r\nX-Upstream: {name}\r\n");
    if wants("cookies") {
        out.push_str("Set-Cookie: a=1\r\nset-cookie: b=2; Path=/\r\n");
    }
    if wants("odd") {
        out.push_str(
            "X-Empty:\r\nX-Spaces:   a  b   \r\nConnection: x-hop\r\nX-Hop: gone\r\nKeep-Alive: timeout=5\r\n",
        );
    }
    if wants("grpc") {
        out.push_str("content-type: application/grpc\r\ngrpc-status: 14\r\n");
    }
    if wants("limited") {
        out.push_str("x-envoy-ratelimited: true\r\n");
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
