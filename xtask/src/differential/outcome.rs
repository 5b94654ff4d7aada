//! What came of a request, without what may differ.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::message::Message;
use super::request::Request;
use super::tls::Identities;
use super::upstream::{Arrival, Arrivals, CASE, WANT};

/// What came of a request: the answer, and what reached upstreams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Why there is none, or what came instead of one.
    pub(crate) answer: Result<Message, String>,
    pub(crate) arrivals: Vec<Arrival>,
}

impl Outcome {
    /// What it comes to in short: a difference between others than these two is another difference.
    pub(crate) fn gist(&self) -> (Option<u16>, Vec<String>) {
        let status = self.answer.as_ref().ok().and_then(Message::status);
        (status, self.arrivals.iter().map(|arrival| arrival.upstream.clone()).collect())
    }

    /// What many requests came to.
    pub(crate) fn of_shares(shares: String) -> Self {
        Self { answer: Err(shares), arrivals: Vec::new() }
    }

    /// Sends `request` to `address`.
    pub(crate) fn of(
        request: &Request,
        address: SocketAddr,
        case: &str,
        arrivals: &Arrivals,
        identities: &Identities,
    ) -> Self {
        let normal = |message| normal(message, request, address.port());
        let answer = request
            .send(address, case, identities)
            .map(normal)
            .map_err(|error: io::Error| format!("no answer: {}", error.kind()));
        let arrivals = arrivals
            .take(case)
            .into_iter()
            .map(|arrival| Arrival { request: normal(arrival.request), ..arrival })
            .collect();
        Self { answer, arrivals }
    }
}

/// A message of or for `request`, which came to `port`, without what differs by its nature: dates, ids and ports of this
/// run, headers of one connection and Envoy's own. Headers are sorted by name; of one name, they keep their order.
fn normal(mut message: Message, request: &Request, port: u16) -> Message {
    if let Some(status) = message.status() {
        // The words after the status are no part of HTTP's meaning.
        message.start = format!("HTTP/1.1 {status}");
    }
    message.headers.retain(|(name, _)| {
        !matches!(name.as_str(), "date" | "connection" | "transfer-encoding" | CASE | WANT)
            && (!name.starts_with("x-envoy-") || name == "x-envoy-attempt-count")
    });
    for (name, value) in &mut message.headers {
        match name.as_str() {
            "x-request-id" if !request.names(value) => "(an id)".clone_into(value),
            "x-forwarded-port" if *value == port.to_string() => "(the port)".clone_into(value),
            // Of a client on the loopback interface, Envoy appends an address of its own machine.
            "x-forwarded-for" => {
                let before = value.rfind(',').map_or(0, |comma| comma + 1);
                if !request.names(value[before..].trim()) {
                    value.replace_range(before.., "(the client)");
                }
            }
            _ => {}
        }
    }
    message.headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    message
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.answer {
            Ok(answer) => write!(f, "{}", Shown(answer))?,
            Err(error) => f.write_str(error)?,
        }
        for Arrival { upstream, request } in &self.arrivals {
            write!(f, "\n      {upstream} got {}", Shown(request))?;
        }
        Ok(())
    }
}

/// A message on one line.
struct Shown<'a>(&'a Message);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Message { start, headers, body, trailers, agreed } = self.0;
        write!(f, "{start}")?;
        if !agreed.is_empty() {
            write!(f, " ({agreed})")?;
        }
        for (name, value) in headers {
            write!(f, " | {name}: {value}")?;
        }
        match body.len() {
            0 => {}
            1..=200 => write!(f, " | body {:?}", String::from_utf8_lossy(body))?,
            length => write!(f, " | body of {length} bytes")?,
        }
        if !trailers.is_empty() {
            write!(f, " | trailers {trailers:?}")?;
        }
        Ok(())
    }
}
