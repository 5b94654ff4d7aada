//! A second, stricter reader of what a client sends: it follows where each request begins and ends, and spoils whatever
//! two readers could take for two things, so that the first reader refuses it too.
//!
//! It holds to RFC 9112 where that leaves no choice: lines end with CR LF, a body has one length or is chunked and never
//! both, chunked is the only coding, a chunk's line is its size and extensions without control characters.

use memchr::memchr;

use super::chunk_line;

/// Bytes that the trailers of a chunked body may have.
const MAX_TRAILERS: usize = 64 * 1024;

/// Where in the stream of requests a connection is.
#[derive(Debug, Default)]
pub struct RequestScan {
    place: Place,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    head: Head,
}

#[derive(Debug, Default)]
enum Place {
    /// Before or in the first line of a request.
    #[default]
    RequestLine,
    Headers,
    /// So many bytes of a body are to come.
    Body(u64),
    ChunkLine,
    /// So many bytes of a chunk, and its line end.
    Chunk(u64),
    /// So many bytes of trailers so far.
    Trailers(usize),
    /// What follows is not HTTP, or is not read: CONNECT is the last request of its connection, whatever becomes of it.
    Tunnel,
    /// Nothing after this counts.
    Refused,
}

/// What the head said so far.
#[derive(Debug, Default)]
struct Head {
    length: Option<u64>,
    chunked: bool,
    connect: bool,
}

/// What is wrong needs no name: the answer is the same for all.
struct Refused;

impl RequestScan {
    /// Whether something was refused: nothing more is to be read.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.place, Place::Refused)
    }

    /// Follows `bytes`, which come next. Returns how many of them to pass on: fewer than all when the last of those has
    /// been changed into one that no reader accepts at that place. After that, nothing is passed on.
    pub fn feed(&mut self, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match &mut self.place {
                Place::Refused => return at,
                Place::Tunnel => return bytes.len(),
                Place::Body(left) => {
                    let n = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left -= n as u64;
                    at += n;
                    if *left == 0 {
                        self.begin();
                    }
                }
                Place::Chunk(left) => {
                    let n = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left -= n as u64;
                    at += n;
                    if *left == 0 {
                        self.place = Place::ChunkLine;
                    }
                }
                _ => {
                    let Some(end) = memchr(b'\n', rest) else {
                        self.begun.extend_from_slice(rest);
                        return bytes.len();
                    };
                    let line = &rest[..=end];
                    let ok = if self.begun.is_empty() {
                        self.line(line)
                    } else {
                        let mut whole = std::mem::take(&mut self.begun);
                        whole.extend_from_slice(line);
                        self.line(&whole)
                    };
                    at += end + 1;
                    if ok.is_err() {
                        // A line feed alone is refused by itself among chunks; elsewhere a NUL is.
                        let alone = end == 0 || bytes[at - 2] != b'\r';
                        if !(alone && matches!(self.place, Place::ChunkLine)) {
                            bytes[at - 1] = 0;
                        }
                        self.place = Place::Refused;
                        return at;
                    }
                }
            }
        }
        at
    }

    /// The next request begins.
    fn begin(&mut self) {
        self.place = Place::RequestLine;
        self.head = Head::default();
    }

    /// Takes a whole line, with its end.
    fn line(&mut self, line: &[u8]) -> Result<(), Refused> {
        let text = line.strip_suffix(b"\r\n").ok_or(Refused)?;
        match &mut self.place {
            Place::RequestLine => {
                // Empty lines before a request are passed over (RFC 9112, 2.2).
                if !text.is_empty() {
                    // A fragment is never sent (RFC 9112, 3.2); some readers cut it off.
                    if memchr(b'#', text).is_some() {
                        return Err(Refused);
                    }
                    self.head.connect = text.starts_with(b"CONNECT ");
                    self.place = Place::Headers;
                }
            }
            Place::Headers if text.is_empty() => self.end_of_head()?,
            Place::Headers => self.head.line(text)?,
            Place::ChunkLine => {
                let (size, _) = chunk_line::parse(line).ok().flatten().ok_or(Refused)?;
                self.place = if size == 0 { Place::Trailers(0) } else { Place::Chunk(size + 2) };
            }
            Place::Trailers(_) if text.is_empty() => self.begin(),
            Place::Trailers(bytes) => {
                *bytes += line.len();
                if *bytes > MAX_TRAILERS || folded(text) {
                    return Err(Refused);
                }
            }
            Place::Body(_) | Place::Chunk(_) | Place::Tunnel | Place::Refused => {}
        }
        Ok(())
    }

    fn end_of_head(&mut self) -> Result<(), Refused> {
        let has_body = self.head.chunked || self.head.length.is_some_and(|length| length > 0);
        if self.head.connect && has_body {
            return Err(Refused);
        }
        match self.head.length {
            _ if self.head.connect => self.place = Place::Tunnel,
            _ if self.head.chunked => self.place = Place::ChunkLine,
            Some(length @ 1..) => self.place = Place::Body(length),
            _ => self.begin(),
        }
        Ok(())
    }
}

impl Head {
    /// Takes a header's line, without its end.
    fn line(&mut self, text: &[u8]) -> Result<(), Refused> {
        match text.first() {
            Some(b' ' | b'\t') => Err(Refused),
            Some(b'c' | b'C') => match value(text, b"content-length") {
                Some(_) if self.length.is_some() || self.chunked => Err(Refused),
                Some(value) => {
                    self.length = Some(length(value).ok_or(Refused)?);
                    Ok(())
                }
                None => Ok(()),
            },
            Some(b't' | b'T') => match value(text, b"transfer-encoding") {
                Some(value) if self.length.is_none() && !self.chunked && value.eq_ignore_ascii_case(b"chunked") => {
                    self.chunked = true;
                    Ok(())
                }
                Some(_) => Err(Refused),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn folded(text: &[u8]) -> bool {
    matches!(text.first(), Some(b' ' | b'\t'))
}

/// The value of the header `name`, if the line is one of those.
fn value<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(name.len())?;
    let rest = rest.strip_prefix(b":")?;
    start.eq_ignore_ascii_case(name).then(|| rest.trim_ascii())
}

fn length(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether all of it passes unchanged, however it is cut.
    fn passes(text: &str) -> bool {
        let whole = scan(text, text.len().max(1));
        for size in 1..text.len() {
            assert_eq!(scan(text, size), whole, "{text:?} in pieces of {size}");
        }
        whole
    }

    fn scan(text: &str, size: usize) -> bool {
        let mut scan = RequestScan::default();
        text.as_bytes().chunks(size).all(|piece| {
            let mut bytes = piece.to_vec();
            scan.feed(&mut bytes) == piece.len() && bytes == piece && !matches!(scan.place, Place::Refused)
        })
    }

    #[test]
    fn requests_pass_and_the_next_is_found_after_each() {
        for first in [
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:  3 \r\n\r\n\n\n\n",
            "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\n\n\n\n\r\n0\r\nx-t: 1\r\n\r\n",
            "GET / HTTP/1.1\r\ncontent-type: a\r\nte: trailers\r\ntransfer-encodings: x\r\n\r\n",
        ] {
            assert!(passes(first), "{first:?}");
            assert!(passes(&format!("{first}{first}")), "{first:?} twice");
            assert!(!passes(&format!("{first}GET / HTTP/1.1\n\r\n")), "a bad one after {first:?}");
        }
    }

    #[test]
    fn what_could_be_two_things_does_not_pass() {
        for head in [
            "GET / HTTP/1.1\n\r\n",
            "GET / HTTP/1.1\r\na: b\n\r\n",
            "GET / HTTP/1.1\r\na: b\r\n\n",
            "GET /#a HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na",
            "POST / HTTP/1.1\r\ncontent-length: 1, 1\r\n\r\na",
            "POST / HTTP/1.1\r\ncontent-length: +1\r\n\r\na",
            "POST / HTTP/1.1\r\ncontent-length:\r\n\r\na",
            "POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\na",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "CONNECT h:1 HTTP/1.1\r\ncontent-length: 1\r\n\r\na",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;\na\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: b\n\r\n",
        ] {
            assert!(!passes(head), "{head:?}");
        }
    }

    #[test]
    fn a_refused_line_is_spoiled_and_ends_it_all() {
        let mut scan = RequestScan::default();
        let mut bytes = *b"GET / HTTP/1.1\nrest";
        assert_eq!(scan.feed(&mut bytes), 15);
        assert_eq!(bytes[14], 0);
        assert_eq!(scan.feed(&mut b"GET / HTTP/1.1\r\n\r\n".to_vec()), 0);
    }
}
