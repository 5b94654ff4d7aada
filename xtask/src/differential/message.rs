//! HTTP/1.1 messages, read as plainly as can be: neither of the two that are compared reads them with this.

use std::io::{self, BufRead, Read};

/// Lines of a head at most.
const LINES: usize = 1000;

/// A message: a request or a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// The request line or the status line.
    pub(crate) start: String,
    /// Names in lower case, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    /// What was agreed on for TLS, where it came over that.
    pub(crate) agreed: String,
}

impl Message {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The status of a response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.start.split(' ').nth(1)?.parse().ok()
    }

    /// Reads a request; `None` at the end of the connection.
    pub(crate) fn read_request(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(mut message) = Self::read_head(from)? else { return Ok(None) };
        if message.is_chunked() {
            message.read_chunks(from)?;
        } else if let Some(length) = message.length() {
            message.body = vec![0; length];
            from.read_exact(&mut message.body)?;
        }
        Ok(Some(message))
    }

    /// Reads a response, the last on its connection. `bodiless`: whether the request was one whose response has no body.
    pub(crate) fn read_response(from: &mut impl BufRead, bodiless: bool) -> io::Result<Self> {
        let mut message = Self::read_head(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if bodiless || matches!(message.status(), Some(101 | 204 | 304)) {
        } else if message.is_chunked() {
            message.read_chunks(from)?;
        } else if let Some(length) = message.length() {
            message.body = vec![0; length];
            from.read_exact(&mut message.body)?;
        } else {
            from.read_to_end(&mut message.body)?;
        }
        Ok(message)
    }

    /// Reads what comes after the switch to another protocol: `length` bytes.
    pub(crate) fn read_rest(&mut self, from: &mut impl BufRead, length: usize) -> io::Result<()> {
        self.body = vec![0; length];
        from.read_exact(&mut self.body)
    }

    fn read_head(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(start) = line(from)? else { return Ok(None) };
        Ok(Some(Self { start, headers: fields(from)?, ..Self::default() }))
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    }

    fn length(&self) -> Option<usize> {
        self.header("content-length")?.parse().ok()
    }

    fn read_chunks(&mut self, from: &mut impl BufRead) -> io::Result<()> {
        loop {
            let size = line(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
            if size == 0 {
                self.trailers = fields(from)?;
                return Ok(());
            }
            let start = self.body.len();
            self.body.resize(start + size, 0);
            from.read_exact(&mut self.body[start..])?;
            line(from)?;
        }
    }
}

/// A line without its end; bytes as the characters of the same number.
fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if from.by_ref().take(1 << 20).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    while matches!(bytes.last(), Some(b'\r' | b'\n')) {
        bytes.pop();
    }
    Ok(Some(bytes.into_iter().map(char::from).collect()))
}

fn fields(from: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    while fields.len() < LINES {
        let line = line(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Err(io::ErrorKind::InvalidData.into())
}
