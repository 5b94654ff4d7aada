//! Why a try came to nothing, and what the client is told of it.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::body::Body;
use super::exchange::Exchange;
use super::patience::TimeLimit;
use super::reply;
use super::unconnected::Unconnected;
use super::upstream::SendError;
use crate::access_log::Outcome as Ended;

/// Says that the upstream has too much to do.
const OVERLOADED: HeaderName = HeaderName::from_static("x-envoy-overloaded");

/// Why a try came to nothing.
pub(super) enum Failure {
    Connect(Unconnected),
    /// See [`SendError::Closed`].
    Closed {
        stale: bool,
    },
    /// See [`SendError::Unprocessed`].
    Unprocessed,
    Reset(&'static str),
    Protocol,
    Client,
    Time(TimeLimit),
    /// There is too much under way.
    Overflow,
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed { stale } => Self::Closed { stale },
            SendError::Unprocessed => Self::Unprocessed,
            SendError::Reset(reason) => Self::Reset(reason),
            SendError::Protocol => Self::Protocol,
            SendError::Client => Self::Client,
            SendError::Timeout(limit) => Self::Time(limit),
        }
    }
}

/// The answer to a request that got none.
pub(super) fn failed(mut exchange: Exchange, failure: &Failure, attempt: u32) -> Response<Body> {
    let unanswered = |outcome, status, reason| (outcome, status, reply::unanswered(reason, attempt > 1));
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    let (outcome, status, text) = match failure {
        Failure::Connect(reason) => unanswered(Ended::Unconnected(*reason), unavailable, reason.told()),
        Failure::Closed { .. } => unanswered(Ended::UpstreamClosed, unavailable, reply::DISCONNECTED),
        Failure::Unprocessed => unanswered(Ended::UpstreamReset, unavailable, reply::REMOTE_REFUSED),
        Failure::Reset(reason) => unanswered(Ended::UpstreamReset, unavailable, reason),
        Failure::Protocol => unanswered(Ended::UpstreamProtocol, StatusCode::BAD_GATEWAY, reply::PROTOCOL_ERROR),
        Failure::Overflow => unanswered(Ended::Overflow, unavailable, reply::OVERFLOW),
        Failure::Client => (Ended::Refused, StatusCode::BAD_REQUEST, Bytes::new()),
        Failure::Time(TimeLimit::Idle { read: true }) => {
            (Ended::Standstill, StatusCode::GATEWAY_TIMEOUT, reply::STANDSTILL.into())
        }
        Failure::Time(TimeLimit::Idle { read: false }) => {
            (Ended::Standstill, StatusCode::REQUEST_TIMEOUT, reply::STANDSTILL.into())
        }
        Failure::Time(TimeLimit::Exchange { read: true }) => {
            (Ended::Expired, StatusCode::GATEWAY_TIMEOUT, reply::EXPIRED.into())
        }
        Failure::Time(TimeLimit::Exchange { read: false }) => {
            (Ended::Expired, StatusCode::REQUEST_TIMEOUT, reply::EXPIRED.into())
        }
        Failure::Time(TimeLimit::Sending) => {
            (Ended::SentTooSlowly, StatusCode::REQUEST_TIMEOUT, reply::SENT_TOO_SLOWLY.into())
        }
        Failure::Time(TimeLimit::Route | TimeLimit::Try) => {
            (Ended::Timeout, StatusCode::GATEWAY_TIMEOUT, reply::TIMEOUT.into())
        }
    };
    exchange.outcome = outcome;
    if matches!(failure, Failure::Time(TimeLimit::Route | TimeLimit::Try | TimeLimit::Idle { .. })) {
        exchange.worker.counters.upstream_timeouts.add(1);
    }
    if matches!(failure, Failure::Overflow) {
        exchange.worker.counters.upstream_overflows.add(1);
        let silent = exchange.connection.table().front.suppresses_envoy_headers();
        let mut response = reply::fixed(exchange, status, text);
        if silent {
            return response;
        }
        response.headers_mut().insert(OVERLOADED, HeaderValue::from_static("true"));
        return response;
    }
    // What the client has not sent yet is not waited for.
    match status.is_client_error() {
        true => reply::refusal(exchange, status, text),
        false => reply::fixed(exchange, status, text),
    }
}
