//! The body of a response, out of the bytes that follow its head.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::request_head::may_be_trailer;
use super::{MAX_HEAD_BYTES, MAX_HEADER_LINES, ResponseError, chunk_line};

/// Where a body is, and what tells its end.
#[derive(Debug)]
pub struct BodyDecoder(State);

#[derive(Debug)]
enum State {
    /// So many bytes are left.
    Length(u64),
    /// A chunk's line is next.
    ChunkLine,
    /// So many bytes of a chunk are left.
    ChunkData(u64),
    /// The line end behind a chunk's data is next.
    ChunkEnd,
    /// The last chunk was there; trailers or an empty line are next.
    Trailers,
    /// The body ends with the connection.
    UntilClose,
    Done,
}

/// What the bytes at hand hold.
#[derive(Debug, PartialEq)]
pub enum Decoded {
    /// A part of the body.
    Data(Bytes),
    /// What came after the body; the end is next.
    Trailers(HeaderMap),
    /// Nothing yet.
    More,
    /// The body is complete.
    End,
}

impl BodyDecoder {
    /// A response without a body.
    #[must_use]
    pub fn empty() -> Self {
        Self(State::Done)
    }

    /// A body of `length` bytes.
    #[must_use]
    pub fn length(length: u64) -> Self {
        Self(if length == 0 { State::Done } else { State::Length(length) })
    }

    /// A body in chunks.
    #[must_use]
    pub fn chunked() -> Self {
        Self(State::ChunkLine)
    }

    /// A body that ends with the connection.
    #[must_use]
    pub fn until_close() -> Self {
        Self(State::UntilClose)
    }

    /// Whether all of it has been given out.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.0, State::Done)
    }

    /// How many bytes are still to come, where that is known.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match self.0 {
            State::Length(left) => Some(left),
            State::Done => Some(0),
            _ => None,
        }
    }

    /// Takes the next part out of `input`.
    ///
    /// # Errors
    /// When `input` is not what a body can be.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, ResponseError> {
        loop {
            match &mut self.0 {
                State::Done => return Ok(Decoded::End),
                _ if input.is_empty() => return Ok(Decoded::More),
                State::UntilClose => return Ok(Decoded::Data(input.split().freeze())),
                State::Length(left) => {
                    let data = take(input, left);
                    if *left == 0 {
                        self.0 = State::Done;
                    }
                    return Ok(Decoded::Data(data));
                }
                State::ChunkLine => {
                    let Some((size, line)) = chunk_line::parse(input)? else { return Ok(Decoded::More) };
                    input.advance(line);
                    self.0 = if size == 0 { State::Trailers } else { State::ChunkData(size) };
                }
                State::ChunkData(left) => {
                    let data = take(input, left);
                    if *left == 0 {
                        self.0 = State::ChunkEnd;
                    }
                    return Ok(Decoded::Data(data));
                }
                State::ChunkEnd => {
                    if !line_end(input)? {
                        return Ok(Decoded::More);
                    }
                    self.0 = State::ChunkLine;
                }
                State::Trailers => {
                    let Some(trailers) = trailers(input)? else { return Ok(Decoded::More) };
                    self.0 = State::Done;
                    return Ok(if trailers.is_empty() { Decoded::End } else { Decoded::Trailers(trailers) });
                }
            }
        }
    }

    /// The connection ended, and everything that came was decoded.
    ///
    /// # Errors
    /// When the body was to go on.
    pub fn finish(&mut self) -> Result<(), ResponseError> {
        match self.0 {
            State::UntilClose | State::Done => {
                self.0 = State::Done;
                Ok(())
            }
            _ => Err(ResponseError::Truncated),
        }
    }
}

/// At most `left` bytes of `input`.
fn take(input: &mut BytesMut, left: &mut u64) -> Bytes {
    let length = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
    *left -= length as u64;
    input.split_to(length).freeze()
}

/// Takes a line end; false while it is not complete.
fn line_end(input: &mut BytesMut) -> Result<bool, ResponseError> {
    match &input[..] {
        [b'\r', b'\n', ..] => {
            input.advance(2);
            Ok(true)
        }
        [] | [b'\r'] => Ok(false),
        _ => Err(ResponseError::Chunk),
    }
}

/// What follows the last chunk; nothing while it is not complete.
fn trailers(input: &mut BytesMut) -> Result<Option<HeaderMap>, ResponseError> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_HEADER_LINES];
    let parsed = match &input[..] {
        [b'\r', b'\n', ..] => httparse::Status::Complete((2, &lines[..0])),
        _ => httparse::parse_headers(input, &mut lines)?,
    };
    let httparse::Status::Complete((length, lines)) = parsed else {
        return if input.len() > MAX_HEAD_BYTES { Err(ResponseError::HeadTooLong) } else { Ok(None) };
    };
    let mut trailers = HeaderMap::new();
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| httparse::Error::HeaderName)?;
        if may_be_trailer(&name) {
            let value = HeaderValue::from_bytes(line.value).map_err(|_| httparse::Error::HeaderValue)?;
            trailers.append(name, value);
        }
    }
    input.advance(length);
    Ok(Some(trailers))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `input`, which comes in pieces of `step` bytes: the body, its trailers, and what is left.
    fn decode(
        mut decoder: BodyDecoder,
        input: &[u8],
        step: usize,
    ) -> Result<(String, HeaderMap, Vec<u8>), ResponseError> {
        let (mut body, mut trailers, mut buffer) = (String::new(), HeaderMap::new(), BytesMut::new());
        let mut pieces = input.chunks(step);
        loop {
            match decoder.decode(&mut buffer)? {
                Decoded::Data(data) => body.push_str(std::str::from_utf8(&data).unwrap()),
                Decoded::Trailers(found) => trailers = found,
                Decoded::End => break,
                Decoded::More => match pieces.next() {
                    Some(piece) => buffer.extend_from_slice(piece),
                    None => decoder.finish()?,
                },
            }
        }
        let rest = pieces.fold(buffer.to_vec(), |rest, piece| [&rest, piece].concat());
        Ok((body, trailers, rest))
    }

    #[test]
    fn bodies_end_where_their_framing_says_however_they_are_cut() {
        let chunked = b"5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\nx-sum: 1\r\nhost: gone\r\n\r\nnext";
        for step in 1..chunked.len() {
            let (body, trailers, rest) = decode(BodyDecoder::chunked(), chunked, step).unwrap();
            assert_eq!((body.as_str(), rest.as_slice()), ("hello world", &b"next"[..]), "in steps of {step}");
            assert_eq!(trailers, HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static("1"))]));
            let (body, _, rest) = decode(BodyDecoder::length(5), b"helloworld", step).unwrap();
            assert_eq!((body.as_str(), rest.as_slice()), ("hello", &b"world"[..]));
            assert_eq!(decode(BodyDecoder::until_close(), b"hello", step).unwrap().0, "hello");
        }
        assert_eq!(decode(BodyDecoder::chunked(), b"0\r\n\r\n", 9).unwrap().0, "");
        assert_eq!(decode(BodyDecoder::empty(), b"next", 9).unwrap().2, b"next");
    }

    #[test]
    fn a_body_that_breaks_off_is_not_complete() {
        for part in [&b"5\r\nhel"[..], b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n", b"0\r\nx: y\r\n", b"5"] {
            assert_eq!(decode(BodyDecoder::chunked(), part, 100), Err(ResponseError::Truncated));
        }
        assert_eq!(decode(BodyDecoder::length(5), b"hell", 100), Err(ResponseError::Truncated));
    }

    #[test]
    fn chunks_in_doubt_are_refused() {
        for bad in [&b"5\r\nhello!\r\n"[..], b"5\r\nhello\n0\r\n\r\n", b"g\r\n", b"5\nhello\r\n"] {
            assert_eq!(decode(BodyDecoder::chunked(), bad, 100), Err(ResponseError::Chunk), "{}", bad.escape_ascii());
        }
        assert!(matches!(decode(BodyDecoder::chunked(), b"0\r\nx y: z\r\n\r\n", 9), Err(ResponseError::Syntax(_))));
        let long = [b"0\r\nx: ".as_slice(), &vec![b'y'; MAX_HEAD_BYTES]].concat();
        assert_eq!(decode(BodyDecoder::chunked(), &long, 4096), Err(ResponseError::HeadTooLong));
    }
}
