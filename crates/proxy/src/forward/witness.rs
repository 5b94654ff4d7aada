//! Says to those who judge an endpoint what became of a try there.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use super::failure::Failure;
use super::patience::TimeLimit;
use crate::health::{Happened, Tally};
use crate::http1::ResponseHead;

/// Counts what became of a try.
pub(super) fn witness<C, R>(tally: &Tally, tried: &Result<(ResponseHead, C), (Failure, R)>) {
    match tried {
        Ok((head, _)) => {
            tally.note(Happened::Connected);
            tally.note(Happened::Answered(meant(head)));
        }
        Err((Failure::Connect(_), _)) => tally.note(Happened::Broken),
        Err((Failure::Closed { stale: false } | Failure::Reset(_) | Failure::Protocol, _)) => {
            tally.note(Happened::Connected);
            tally.note(Happened::Broken);
        }
        Err((Failure::Time(TimeLimit::Route | TimeLimit::Try), _)) => tally.note(Happened::TimedOut),
        // An old connection that was closed at the wrong moment, a client that left: nothing that it did.
        Err((Failure::Closed { stale: true } | Failure::Unprocessed | Failure::Overflow, _)) => {}
        Err((Failure::Client | Failure::Time(_), _)) => {}
    }
}

/// The status that a response means. That of gRPC is in another header, unless it comes after the messages.
fn meant(head: &ResponseHead) -> StatusCode {
    if is_grpc(&head.headers)
        && let Some(status) = head.headers.get("grpc-status")
    {
        return of_grpc(status.to_str().ok().and_then(|status| status.parse().ok()));
    }
    head.status
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE) else { return false };
    let rest = kind.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| rest.first().is_none_or(|next| matches!(next, b'+' | b';')))
}

/// The HTTP status nearest to one of gRPC, by the words that go with both.
fn of_grpc(status: Option<u8>) -> StatusCode {
    match status {
        Some(0) => StatusCode::OK,
        // Cancelled, an argument that is wrong, something that is not there, and so on: the client's affair.
        Some(1 | 3 | 5..=11 | 16) => StatusCode::BAD_REQUEST,
        Some(4) => StatusCode::GATEWAY_TIMEOUT,
        Some(12) => StatusCode::NOT_IMPLEMENTED,
        Some(14) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
