//! A request as it is sent, and the answer to it.

use std::fmt;
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::message::Message;
use super::upstream::{CASE, WANT};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) want: &'static str,
    pub(crate) body: Body,
}

/// A request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Length(usize),
    /// Chunks of these sizes, and whether a trailer follows.
    Chunked(&'static [usize], bool),
}

impl Request {
    /// The request's bytes, as case `case`.
    fn to_bytes(&self, case: &str) -> Vec<u8> {
        let Self { method, target, host, headers, want, body } = self;
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{CASE}: {case}\r\n{WANT}: {want}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // Of two Connection lines, or of one with two names, the meaning is the same.
        head.push_str("Connection: close\r\n");
        let mut tail = String::new();
        match body {
            Body::None => {}
            Body::Length(length) => {
                head.push_str(&format!("Content-Length: {length}\r\n"));
                tail = "b".repeat(*length);
            }
            Body::Chunked(sizes, trailer) => {
                head.push_str("Transfer-Encoding: chunked\r\n");
                for size in *sizes {
                    tail.push_str(&format!("{size:x}\r\n{}\r\n", "c".repeat(*size)));
                }
                tail.push_str(if *trailer { "0\r\nX-Last: word\r\n\r\n" } else { "0\r\n\r\n" });
            }
        }
        head.push_str("\r\n");
        // Characters are bytes of the same number, so that a header can hold what is not UTF-8.
        head.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).chain(tail.into_bytes()).collect()
    }

    /// Sends it to `address` as case `case`; the answer.
    pub(crate) fn send(&self, address: SocketAddr, case: &str) -> io::Result<Message> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&self.to_bytes(case))?;
        Message::read_response(&mut BufReader::new(stream), self.method == "HEAD")
    }

    /// The same request with one thing less, in every way there is.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for i in 0..self.headers.len() {
            let mut less = self.clone();
            less.headers.remove(i);
            all.push(less);
        }
        if self.body != Body::None {
            all.push(Self { body: Body::None, ..self.clone() });
        }
        if !self.want.is_empty() {
            all.push(Self { want: "", ..self.clone() });
        }
        if let Some((path, _)) = self.target.split_once('?') {
            all.push(Self { target: path.to_owned(), ..self.clone() });
        }
        all
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, target, host, headers, want, body } = self;
        write!(f, "{method} {target} of {host:?}, headers {headers:?}, body {body:?}, to be answered {want:?}")
    }
}
