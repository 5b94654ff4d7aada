//! The head of a response: its status, its headers, and how the end of its body is told.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, StatusCode};
use memchr::memchr_iter;

use super::{BodyDecoder, MAX_HEAD_BYTES, MAX_HEADER_LINES, ResponseError};

/// What every response begins with that we understand.
const OPENING: &[u8] = b"HTTP/1.";

/// A response's head.
#[derive(Debug)]
pub struct ResponseHead {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, all of them.
    pub headers: HeaderMap,
    /// Whether the connection stays open after it, as far as the head says.
    pub keep_alive: bool,
    /// Reads the body.
    pub body: BodyDecoder,
}

/// Finds the head of a response in what has come so far.
#[derive(Debug, Default)]
pub struct HeadParser {
    /// How far the end was looked for.
    searched: usize,
}

impl HeadParser {
    /// Takes a head out of `input` once it is complete. `to_head`: the request's method was HEAD, so that no body
    /// follows. `headers` are an empty map to fill, for its memory; a fresh one is left in its place.
    ///
    /// # Errors
    /// When `input` is not the head of a response, or leaves in doubt where the response ends.
    pub fn parse(
        &mut self,
        input: &mut BytesMut,
        to_head: bool,
        headers: &mut HeaderMap,
    ) -> Result<Option<ResponseHead>, ResponseError> {
        let common = input.len().min(OPENING.len());
        if input[..common] != OPENING[..common] {
            return Err(httparse::Error::Version.into());
        }
        let end = self.end(input);
        if end.unwrap_or(input.len()) > MAX_HEAD_BYTES {
            return Err(ResponseError::HeadTooLong);
        }
        let Some(end) = end else { return Ok(None) };
        self.searched = 0;
        read_head(&input.split_to(end).freeze(), to_head, std::mem::take(headers)).map(Some)
    }

    /// Where the head ends: behind the first empty line.
    fn end(&mut self, input: &[u8]) -> Option<usize> {
        for newline in memchr_iter(b'\n', &input[self.searched..]) {
            let line = self.searched + newline + 1;
            match &input[line..] {
                [b'\r', b'\n', ..] => return Some(line + 2),
                [b'\n', ..] => return Some(line + 1),
                _ => {}
            }
        }
        // The last bytes may be half of the end.
        self.searched = input.len().saturating_sub(2);
        None
    }
}

fn read_head(bytes: &Bytes, to_head: bool, mut headers: HeaderMap) -> Result<ResponseHead, ResponseError> {
    let mut lines = [const { MaybeUninit::uninit() }; MAX_HEADER_LINES];
    let mut response = httparse::Response::new(&mut []);
    let parsed =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, &mut lines)?;
    if parsed.is_partial() {
        return Err(httparse::Error::NewLine.into());
    }
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(ResponseError::Status)?;
    let recent = response.version == Some(1);

    headers.clear();
    let (mut length, mut chunked, mut close, mut kept) = (None, false, false, false);
    for line in response.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| httparse::Error::HeaderName)?;
        let value =
            HeaderValue::from_maybe_shared(bytes.slice_ref(line.value)).map_err(|_| httparse::Error::HeaderValue)?;
        match name {
            CONTENT_LENGTH => {
                let read = digits(line.value).filter(|_| length.is_none());
                length = Some(read.ok_or(ResponseError::Length)?);
            }
            TRANSFER_ENCODING => {
                let known = recent && !chunked && line.value.eq_ignore_ascii_case(b"chunked");
                chunked = if known { true } else { return Err(ResponseError::TransferEncoding) };
            }
            CONNECTION => {
                for token in line.value.split(|byte| *byte == b',') {
                    close |= token.trim_ascii().eq_ignore_ascii_case(b"close");
                    kept |= token.trim_ascii().eq_ignore_ascii_case(b"keep-alive");
                }
            }
            _ => {}
        }
        headers.append(name, value);
    }
    if chunked && length.is_some() {
        return Err(ResponseError::Length);
    }
    let bodiless =
        to_head || status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let body = match (length, chunked) {
        _ if bodiless => BodyDecoder::empty(),
        (_, true) => BodyDecoder::chunked(),
        (Some(length), _) => BodyDecoder::length(length),
        (None, false) => BodyDecoder::until_close(),
    };
    Ok(ResponseHead { status, headers, keep_alive: !close && (recent || kept), body })
}

/// A number in decimal digits alone.
fn digits(text: &[u8]) -> Option<u64> {
    let only_digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| only_digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<ResponseHead>, ResponseError> {
        HeadParser::default().parse(&mut BytesMut::from(text), false, &mut HeaderMap::new())
    }

    fn complete(text: &str) -> ResponseHead {
        parse(text).unwrap().unwrap_or_else(|| panic!("{text:?} is complete"))
    }

    fn refused(text: &str) -> ResponseError {
        parse(text).map(|_| ()).expect_err(text)
    }

    #[test]
    fn a_head_is_found_however_it_is_cut_and_what_follows_stays() {
        let text = b"HTTP/1.1 201 Created\r\nX-A: 1\r\nx-a:  2 \r\ncontent-length: 4\r\n\r\nbody";
        for cut in 0..text.len() - 4 {
            let (mut parser, mut headers) = (HeadParser::default(), HeaderMap::new());
            let mut input = BytesMut::from(&text[..cut]);
            assert!(parser.parse(&mut input, false, &mut headers).unwrap().is_none(), "{cut}");
            input.extend_from_slice(&text[cut..]);
            let head = parser.parse(&mut input, false, &mut headers).unwrap().unwrap();
            assert_eq!((head.status.as_u16(), head.keep_alive, head.body.remaining()), (201, true, Some(4)));
            assert_eq!(head.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
            assert_eq!(&input[..], b"body");
        }
    }

    #[test]
    fn the_end_of_the_body_and_of_the_connection_follow_from_the_head() {
        assert_eq!(complete("HTTP/1.1 200 OK\r\n\r\n").body.remaining(), None);
        assert_eq!(complete("HTTP/1.1 204\r\ncontent-length: 5\r\n\r\n").body.remaining(), Some(0));
        assert_eq!(complete("HTTP/1.1 304 \r\ncontent-length: 5\r\n\r\n").body.remaining(), Some(0));
        assert_eq!(complete("HTTP/1.1 100 Continue\r\n\r\n").body.remaining(), Some(0));
        let mut input = BytesMut::from("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
        let head = HeadParser::default().parse(&mut input, true, &mut HeaderMap::new()).unwrap().unwrap();
        assert!(head.body.is_done(), "HEAD");
        assert!(!complete("HTTP/1.1 200 OK\r\nConnection: x, Close\r\n\r\n").keep_alive);
        assert!(!complete("HTTP/1.0 200 OK\r\n\r\n").keep_alive);
        assert!(complete("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\n").keep_alive);
        assert_eq!(complete("HTTP/1.1 200 OK\ncontent-length: 1\n\nx").body.remaining(), Some(1));
    }

    #[test]
    fn a_response_whose_end_is_in_doubt_is_refused() {
        for lines in [
            "content-length: 1\r\ncontent-length: 1\r\n",
            "content-length: 1, 1\r\n",
            "content-length: +1\r\n",
            "content-length: \r\n",
            "content-length: 99999999999999999999\r\n",
            "content-length: 1\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ncontent-length: 1\r\n",
        ] {
            assert_eq!(refused(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n")), ResponseError::Length, "{lines:?}");
        }
        for value in ["gzip, chunked", "chunked\r\ntransfer-encoding: chunked", "identity", "xchunked"] {
            let text = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: {value}\r\n\r\n");
            assert_eq!(refused(&text), ResponseError::TransferEncoding, "{value:?}");
        }
        let old = refused("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        assert_eq!(old, ResponseError::TransferEncoding);
    }

    #[test]
    fn what_is_not_http_is_refused_as_soon_as_that_is_clear() {
        for text in ["what?", "\r\nHTTP/1.1 200 OK", "HTTP/2 200", "SSH-2.0"] {
            assert_eq!(refused(text), ResponseError::Syntax(httparse::Error::Version), "{text:?}");
        }
        for text in [
            "HTTP/1.1 x00 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
            "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: c\r\n\r\n",
            "HTTP/1.1 200 OK\r\na: \0\r\n\r\n",
        ] {
            assert!(matches!(refused(text), ResponseError::Syntax(_)), "{text:?}");
        }
        assert_eq!(refused("HTTP/1.1 099 OK\r\n\r\n"), ResponseError::Status);
        let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(MAX_HEAD_BYTES));
        assert_eq!(refused(&endless), ResponseError::HeadTooLong);
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(MAX_HEADER_LINES + 1));
        assert_eq!(refused(&many), ResponseError::Syntax(httparse::Error::TooManyHeaders));
    }
}
