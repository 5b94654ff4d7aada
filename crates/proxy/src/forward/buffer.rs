//! Requests that are held until all of their body has come. The upstream gets them with their length.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use http::request::Parts;
use http::uri::Scheme;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;

use super::body::Body;
use super::exchange::Exchange;
use super::failure::{self, Failure};
use super::outgoing::Outgoing;
use super::patience::Patience;
use super::reply;
use crate::access_log::Outcome;

/// Why a request is not forwarded.
pub(super) enum Refusal {
    /// It is longer than its route allows.
    TooLong,
    /// The client broke off, or stood still for too long.
    Failed(Failure),
}

impl Refusal {
    /// What the client is told.
    pub(super) fn answer(self, mut exchange: Exchange) -> Response<Body> {
        match self {
            Self::Failed(failure) => failure::failed(exchange, &failure, 1),
            Self::TooLong => {
                exchange.outcome = Outcome::Direct;
                reply::refusal(exchange, StatusCode::PAYLOAD_TOO_LARGE, reply::TOO_LONG.into())
            }
        }
    }
}

/// Waits for all of `request`, which may have a body of `limit` bytes. `http2`: see [`Outgoing::new`].
pub(super) async fn whole(
    exchange: &Exchange,
    request: Request<Incoming>,
    limit: u64,
    http2: Option<Scheme>,
) -> Result<(Outgoing, Parts), Refusal> {
    let (parts, mut body) = request.into_parts();
    let mut patience = Patience::new(&exchange.worker, exchange.policy.as_deref(), exchange.connection.stream_idle());
    patience = patience.bounded(exchange);
    let (mut pieces, mut length, mut trailers) = (Vec::<Bytes>::new(), 0, None);
    poll_fn(|cx| {
        loop {
            match Pin::new(&mut body).poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(Refusal::Failed(Failure::Client))),
                Poll::Ready(Some(Ok(frame))) => {
                    let data = match frame.into_data() {
                        Ok(data) => data,
                        Err(frame) => {
                            trailers = frame.into_trailers().ok();
                            continue;
                        }
                    };
                    length += data.len() as u64;
                    if length > limit {
                        return Poll::Ready(Err(Refusal::TooLong));
                    }
                    if !data.is_empty() {
                        pieces.push(data);
                    }
                }
                Poll::Pending => {
                    let time = patience.poll(false, length, cx);
                    return time.map(|time| Err(Refusal::Failed(Failure::Time(time))));
                }
            }
        }
    })
    .await?;
    Ok(Outgoing::held(parts, pieces, trailers, http2))
}
