//! A request as it is sent.

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::http2;
use super::message::Message;
use super::tls::Identities;
use super::upstream::{CASE, WANT};

/// How long an answer may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// What goes to and fro once a connection has switched to another protocol.
const PING: &[u8] = b"\x00ping\r\n\r\n\xff";

/// A request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default)]
    pub(crate) protocol: Protocol,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    /// The name that is asked for in TLS; empty: none. `None`: TLS is not spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sni: Option<String>,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    /// How the upstream is to answer.
    #[serde(default)]
    pub(crate) want: String,
    #[serde(default)]
    pub(crate) body: Body,
}

/// What a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Protocol {
    #[default]
    Http1,
    Http2,
}

/// A request's body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Body {
    #[default]
    None,
    /// As long as its `content-length` says.
    Length(usize),
    /// Chunks of these sizes, and whether a trailer follows.
    Chunked(Vec<usize>, bool),
    /// None, but the wish to switch to WebSocket.
    Upgrade,
}

impl Body {
    /// How long it is, in bytes.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::None | Self::Upgrade => 0,
            Self::Length(length) => *length,
            Self::Chunked(sizes, _) => sizes.iter().sum(),
        }
    }
}

impl Request {
    /// The request's bytes in HTTP/1.1, as case `case`.
    fn to_bytes(&self, case: &str) -> Vec<u8> {
        let Self { protocol: _, method, target, host, sni: _, headers, want, body } = self;
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{CASE}: {case}\r\n{WANT}: {want}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // Of two Connection lines, or of one with two names, the meaning is the same.
        head.push_str(if *body == Body::Upgrade { "Connection: Upgrade\r\n" } else { "Connection: close\r\n" });
        let mut tail = String::new();
        match body {
            Body::None => {}
            Body::Upgrade => {
                head.push_str("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n")
            }
            Body::Length(length) => {
                head.push_str(&format!("Content-Length: {length}\r\n"));
                tail = "b".repeat(*length);
            }
            Body::Chunked(sizes, trailer) => {
                head.push_str("Transfer-Encoding: chunked\r\n");
                for size in sizes {
                    tail.push_str(&format!("{size:x}\r\n{}\r\n", "c".repeat(*size)));
                }
                tail.push_str(if *trailer { "0\r\nX-Last: word\r\n\r\n" } else { "0\r\n\r\n" });
            }
        }
        head.push_str("\r\n");
        bytes(&head).into_iter().chain(tail.into_bytes()).collect()
    }

    /// Whether one of its headers has `text` in it.
    pub(crate) fn names(&self, text: &str) -> bool {
        self.headers.iter().any(|(_, value)| value.contains(text))
    }

    /// Sends it to `address` as case `case`; the answer.
    pub(crate) fn send(&self, address: SocketAddr, case: &str, identities: &Identities) -> io::Result<Message> {
        if self.protocol == Protocol::Http2 {
            return http2::send(self, address, case, identities);
        }
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let Some(sni) = &self.sni else { return self.exchange(stream, case) };
        let (stream, agreed) = identities.connect(stream, sni)?;
        Ok(Message { agreed, ..self.exchange(stream, case)? })
    }

    fn exchange(&self, mut stream: impl Read + Write, case: &str) -> io::Result<Message> {
        stream.write_all(&self.to_bytes(case))?;
        stream.flush()?;
        let mut answers = BufReader::new(stream);
        let mut answer = Message::read_response(&mut answers, self.method == "HEAD")?;
        if answer.status() == Some(101) {
            answers.get_mut().write_all(PING)?;
            answer.read_rest(&mut answers, PING.len())?;
        }
        Ok(answer)
    }
}

/// Characters as the bytes of the same number, so that a text can hold what is not UTF-8.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, method, target, host, sni, headers, want, body } = self;
        write!(
            f,
            "{protocol:?} {method} {target} of {host:?}, in TLS {sni:?}, headers {headers:?}, body {body:?}, to be answered {want:?}"
        )
    }
}
