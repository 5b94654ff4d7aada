//! Requests that are here as a whole before any of them is sent.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue};

use super::{Outgoing, Replay};
use crate::forward::http2::Http2Request;
use crate::http1::{RequestFraming, encode_request_head};

impl Outgoing {
    /// The request whose body is all of `pieces`, told with its length. `http2`: see [`new`](Self::new); without it, trailers
    /// have no place behind such a body.
    pub(crate) fn held(
        mut parts: http::request::Parts,
        pieces: Vec<Bytes>,
        trailers: Option<HeaderMap>,
        http2: Option<Scheme>,
    ) -> (Self, http::request::Parts) {
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        let mut head = vec![0];
        let http2 = match http2 {
            Some(scheme) => {
                parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
                let mut request = Http2Request::new(&mut parts, scheme);
                if let Some(trailers) = trailers {
                    request.set_trailers(trailers);
                }
                Some(Box::new(request))
            }
            None => {
                let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
                let framing = RequestFraming::Length(length);
                head.clear();
                encode_request_head(&mut head, &parts.method, target, &parts.headers, framing);
                None
            }
        };
        let ends = http2.as_ref().is_none_or(|http2| http2.trailers.is_none());
        (Self { http2, bodiless: pieces.is_empty() && ends, ..Self::whole(head, pieces) }, parts)
    }

    /// A request that is here as a whole.
    pub(crate) fn whole(head: Vec<u8>, pieces: Vec<Bytes>) -> Self {
        let length = pieces.iter().map(Bytes::len).sum();
        Self {
            head,
            written: 0,
            queued: length,
            queue: pieces.iter().cloned().collect(),
            received: length as u64,
            body: None,
            chunked: false,
            bodiless: pieces.is_empty(),
            http2: None,
            repeatable: false,
            given_up: false,
            moved: 0,
            replay: Some(Replay { pieces, room: 0 }),
            copy: None,
        }
    }
}
