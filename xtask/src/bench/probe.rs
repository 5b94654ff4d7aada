//! One request, to see that a proxy is ready and routes as it was told to, before its speed means anything.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::identity::Identity;
use super::scenario::{CANARY, Request, Version};

/// The host that every request names.
pub(crate) const HOST: &str = "bench.local";

const LIMIT: Duration = Duration::from_secs(2);

/// The header lines of a request, without the one that is about the connection.
pub(crate) fn headers(request: &Request) -> Vec<(&'static str, &'static str)> {
    let mut headers = vec![("Host", HOST)];
    if request.canary {
        headers.push(CANARY);
    }
    headers
}

/// Asks once, over TLS where there is an identity to trust; an error says what was answered instead.
pub(crate) fn ask(port: u16, request: &Request, tls: Option<&Identity>) -> Result<(), String> {
    let answer = exchange(port, request, tls).map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or("");
    let wanted: &[Version] = match &request.expected {
        Some(version) => std::slice::from_ref(version),
        None => &[Version::V1, Version::V2],
    };
    // The body may come in chunks: it is looked for, not compared.
    if status.contains(" 200 ") && wanted.iter().any(|version| body.contains(&format!("version:{}\n", version.name())))
    {
        return Ok(());
    }
    Err(format!("{} was answered `{status}` with {body:?}", request.path))
}

fn exchange(port: u16, request: &Request, tls: Option<&Identity>) -> std::io::Result<String> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    match tls {
        Some(identity) => converse(identity.client(stream)?, request),
        None => converse(stream, request),
    }
}

fn converse(mut stream: impl Read + Write, request: &Request) -> std::io::Result<String> {
    let headers: String = headers(request).iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(stream, "GET {} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n", request.path)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
