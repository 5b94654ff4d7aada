//! Questions to an Envoy's admin interface.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The body of what is answered to `GET path`.
pub(crate) fn get(admin: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(admin)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    body(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("no answer in HTTP: {answer:?}")))
}

/// The body of an answer that ends with its connection.
fn body(answer: &str) -> Option<String> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let chunked = head.lines().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked"));
    if !chunked {
        return Some(body.to_owned());
    }
    let (mut whole, mut rest) = (String::new(), body);
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole += after.get(..size)?;
        rest = after.get(size..)?.strip_prefix("\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn bodies_are_read_whole_or_not_at_all() {
        let head = "HTTP/1.1 200 OK\r\n";
        assert_eq!(body(&format!("{head}\r\nall")).as_deref(), Some("all"));
        let chunks = format!("{head}transfer-encoding: chunked\r\n\r\n3\r\na::\r\nA\r\n127.0.0.1:\r\n0\r\n\r\n");
        assert_eq!(body(&chunks).as_deref(), Some("a::127.0.0.1:"));
        for broken in ["", "HTTP/1.1 200 OK\r\n", &chunks[..chunks.len() - 6], &chunks.replace("\r\nA", "\r\nÄ")] {
            assert_eq!(body(broken), None, "{broken}");
        }
    }
}
