//! The status of gRPC, as lines and filters of access logs have it.

use std::borrow::Cow;

use http::HeaderValue;
use serin_api::GrpcStatusStyle;

use super::End;
use super::record::Record;
use super::value::header;

/// What a status is called.
const NAMES: [(&str, &str); 17] = [
    ("OK", "OK"),
    ("Canceled", "CANCELLED"),
    ("Unknown", "UNKNOWN"),
    ("InvalidArgument", "INVALID_ARGUMENT"),
    ("DeadlineExceeded", "DEADLINE_EXCEEDED"),
    ("NotFound", "NOT_FOUND"),
    ("AlreadyExists", "ALREADY_EXISTS"),
    ("PermissionDenied", "PERMISSION_DENIED"),
    ("ResourceExhausted", "RESOURCE_EXHAUSTED"),
    ("FailedPrecondition", "FAILED_PRECONDITION"),
    ("Aborted", "ABORTED"),
    ("OutOfRange", "OUT_OF_RANGE"),
    ("Unimplemented", "UNIMPLEMENTED"),
    ("Internal", "INTERNAL"),
    ("Unavailable", "UNAVAILABLE"),
    ("DataLoss", "DATA_LOSS"),
    ("Unauthenticated", "UNAUTHENTICATED"),
];

/// The status of a request that is one of gRPC.
pub(super) fn asked(record: &Record, end: &End<'_>) -> Option<u32> {
    record.is_grpc.then(|| status(record, end))
}

/// The status that was told, else the one that the status of HTTP stands for.
pub(super) fn status(record: &Record, end: &End<'_>) -> u32 {
    let said = |value: &HeaderValue| value.to_str().ok()?.parse().ok();
    let trailer = header(&record.logs.trailer_names, &record.trailers, "grpc-status").and_then(said);
    let told =
        trailer.or_else(|| header(&record.logs.response_names, &record.response_headers, "grpc-status").and_then(said));
    let http = || http::StatusCode::from_u16(end.status).map_or(2, |status| crate::forward::grpc_status(status).into());
    told.unwrap_or_else(http)
}

/// The status in words; one that has none stays a number.
pub(super) fn name(status: u32, style: GrpcStatusStyle) -> Cow<'static, str> {
    let names = usize::try_from(status).ok().and_then(|at| NAMES.get(at));
    match (names, style) {
        (Some((camel, _)), GrpcStatusStyle::Camel) => (*camel).into(),
        (Some((_, snake)), GrpcStatusStyle::Snake) => (*snake).into(),
        _ => status.to_string().into(),
    }
}
