//! What an upstream sends, in two pieces: read without harm, and the same wherever it is cut.
#![no_main]

use bytes::BytesMut;
use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use serin_proxy::http1::{Decoded, HeadParser, ResponseError};

/// Everything that was read: status, headers, body, trailers, what is left.
type Seen = (u16, HeaderMap, Vec<u8>, HeaderMap, Vec<u8>);

fn read(pieces: &[&[u8]], to_head: bool) -> Result<Option<Seen>, ResponseError> {
    let (mut input, mut parser, mut spare) = (BytesMut::new(), HeadParser::default(), HeaderMap::new());
    let mut pieces = pieces.iter();
    let head = loop {
        if let Some(head) = parser.parse(&mut input, to_head, &mut spare)? {
            break head;
        }
        let Some(piece) = pieces.next() else { return Ok(None) };
        input.extend_from_slice(piece);
    };
    let (mut decoder, mut body, mut trailers) = (head.body, Vec::new(), HeaderMap::new());
    loop {
        match decoder.decode(&mut input)? {
            Decoded::Data(data) => body.extend_from_slice(&data),
            Decoded::Trailers(found) => trailers = found,
            Decoded::End => break,
            Decoded::More => match pieces.next() {
                Some(piece) => input.extend_from_slice(piece),
                None => decoder.finish()?,
            },
        }
    }
    pieces.for_each(|piece| input.extend_from_slice(piece));
    Ok(Some((head.status.as_u16(), head.headers, body, trailers, input.to_vec())))
}

fuzz_target!(|input: (&[u8], u16, bool)| {
    let (bytes, cut, to_head) = input;
    let whole = read(&[bytes], to_head);
    let (first, second) = bytes.split_at(usize::from(cut).min(bytes.len()));
    let cut = read(&[first, second], to_head);
    assert_eq!(whole.is_ok(), cut.is_ok());
    if let (Ok(whole), Ok(cut)) = (whole, cut) {
        assert_eq!(whole, cut);
    }
});
