//! What an operator comes to, for a request that is over.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serin_api::{Certificate, HeaderSource, Moment, Operator, PathPart, Peer};

use super::End;
use super::grpc;
use super::record::Record;
use crate::known;

/// A value, which JSON tells from a text.
pub(super) enum Said<'a> {
    Number(u64),
    Text(Cow<'a, str>),
}

impl Said<'_> {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.into_owned(),
        }
    }
}

/// What `operator` comes to; `None` where there is nothing to say.
pub(super) fn said<'a>(operator: &Operator, record: &'a Record, end: &'a End<'_>) -> Option<Said<'a>> {
    if let Some(number) = number(operator, record, end) {
        return Some(Said::Number(number));
    }
    text(operator, record, end).map(Said::Text)
}

fn number(operator: &Operator, record: &Record, end: &End<'_>) -> Option<u64> {
    match operator {
        Operator::ResponseCode => Some(end.status.into()),
        Operator::BytesReceived => Some(record.received),
        Operator::BytesSent => Some(record.sent),
        Operator::RequestHeadersBytes => Some(record.request_bytes),
        Operator::ResponseHeadersBytes => Some(record.response_bytes),
        Operator::ResponseTrailersBytes => Some(record.trailer_bytes),
        Operator::Between { from, to, nanos } => {
            let took = at(*to, record, end)?.checked_sub(at(*from, record, end)?)?;
            u64::try_from(took.as_nanos() / u128::from(*nanos)).ok()
        }
        Operator::Attempts => Some(record.attempts),
        Operator::UpstreamPort => record.reached().map(|address| address.port().into()),
        Operator::ClientPort { direct: false } => Some(record.peer.port().into()),
        Operator::ClientPort { direct: true } | Operator::LocalPort | Operator::ConnectionId => {
            known::of_connection(operator, end.connection)?.parse().ok()
        }
        Operator::GrpcStatus(serin_api::GrpcStatusStyle::Number) => grpc::asked(record, end).map(u64::from),
        _ => None,
    }
}

/// When a moment was, from the beginning of the request.
fn at(moment: Moment, record: &Record, end: &End<'_>) -> Option<Duration> {
    match moment {
        Moment::Begin => Some(Duration::ZERO),
        Moment::Sent => record.reached().and(record.sent_after),
        Moment::Response => record.response_after,
        Moment::End => Some(end.took),
    }
}

fn text<'a>(operator: &Operator, record: &'a Record, end: &'a End<'_>) -> Option<Cow<'a, str>> {
    let some = |text: &'a str| (!text.is_empty() && text != "-").then_some(Cow::Borrowed(text));
    let endpoint = || record.upstream_tls.as_ref();
    match operator {
        Operator::Time { of, local, format } => known::time(*of, *local, format.as_deref(), end.took).map(Cow::Owned),
        Operator::Protocol => some(record.protocol),
        Operator::UpstreamProtocol => record.upstream_protocol.map(Cow::Borrowed),
        Operator::ResponseCodeDetails => Some(end.outcome.details()).filter(|details| !details.is_empty()),
        Operator::ResponseFlags => Some(record.flags.with(end.outcome.flag()).to_string().into()),
        Operator::ResponseFlagsLong => Some(record.flags.with(end.outcome.flag()).long_names().into()),
        Operator::UpstreamTransportFailure => end.outcome.transport_failure().map(|why| why.replace(' ', "_").into()),
        Operator::UpstreamRemote => record.reached().map(|address| address.to_string().into()),
        Operator::UpstreamHost => record.upstream.map(|address| address.to_string().into()),
        Operator::UpstreamHostName { port } => {
            let address = record.upstream?;
            let name = record.upstream_name.as_ref().map(lossy);
            name.or_else(|| Some(if *port { address.to_string() } else { address.ip().to_string() }.into()))
        }
        Operator::UpstreamAddress => record.reached().map(|address| address.ip().to_string().into()),
        Operator::UpstreamCluster => some(end.cluster),
        Operator::RouteName => some(end.route),
        Operator::ClientHost { direct: false } => Some(record.peer.to_string().into()),
        Operator::ClientAddress { direct: false } => Some(record.peer.ip().to_canonical().to_string().into()),
        Operator::StreamId => header(&record.logs.request_names, &record.request_headers, "x-request-id").map(lossy),
        Operator::Environment(name) => Some(std::env::var(name).unwrap_or_else(|_| "-".to_owned()).into()),
        Operator::LogType => Some("DownstreamEnd".into()),
        Operator::RequestHeader(source) => of_request(source, record).map(lossy),
        Operator::RequestHeaderWithoutQuery(source) => {
            Some(known::without_query(&lossy(of_request(source, record)?)).to_owned().into())
        }
        Operator::ResponseHeader(source) => {
            either(source, |name| header(&record.logs.response_names, &record.response_headers, name)).map(lossy)
        }
        Operator::Trailer(source) => {
            either(source, |name| header(&record.logs.trailer_names, &record.trailers, name)).map(lossy)
        }
        Operator::Path { query, part } => {
            let path = lossy(path(*part, record)?);
            Some(if *query { path } else { known::without_query(&path).to_owned().into() })
        }
        Operator::QueryParameter(name) => {
            let path = lossy(path(PathPart::Current, record)?);
            parameter(path.split_once('?')?.1, name).map(Cow::Owned)
        }
        Operator::GrpcStatus(style) => Some(grpc::name(grpc::asked(record, end)?, *style)),
        Operator::TlsVersion(Peer::Endpoint) => endpoint()?.version().map(Cow::Borrowed),
        Operator::TlsCipher(Peer::Endpoint) => endpoint()?.cipher().map(Cow::Owned),
        Operator::Peer(Peer::Endpoint, what) => certificate(record, *what),
        Operator::Nothing | Operator::Unserved(_) => None,
        operator => known::of_connection(operator, end.connection).map(Cow::Owned),
    }
}

fn certificate(record: &Record, what: Certificate) -> Option<Cow<'_, str>> {
    record.upstream_tls.as_ref()?.certificate(what).map(Cow::Owned)
}

/// A header of the request, or one of its own parts.
pub(super) fn of_request<'a>(source: &HeaderSource, record: &'a Record) -> Option<&'a HeaderValue> {
    either(source, |name| {
        let kept = header(&record.logs.request_names, &record.request_headers, name);
        kept.or_else(|| record.request.get(name))
    })
}

fn either<'a>(source: &HeaderSource, find: impl Fn(&str) -> Option<&'a HeaderValue>) -> Option<&'a HeaderValue> {
    find(&source.name).or_else(|| find(source.or.as_deref()?))
}

pub(super) fn header<'a>(
    names: &[HeaderName],
    values: &'a [Option<HeaderValue>],
    name: &str,
) -> Option<&'a HeaderValue> {
    let place = names.iter().position(|known| known.as_str() == name)?;
    values.get(place)?.as_ref()
}

fn path(part: PathPart, record: &Record) -> Option<&HeaderValue> {
    let original = record.request.get("x-envoy-original-path");
    let current = || record.request.get(":path");
    match part {
        PathPart::Original => original,
        PathPart::Current => current(),
        PathPart::OriginalOrCurrent => original.or_else(current),
    }
}

/// The first value of a query's parameter, decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.into_iter().find(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value))
}

/// `text` with `%41` and its like undone.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| behind.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (*first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &behind[2..];
            }
            (byte, ..) => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn lossy(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        for (query, value) in [
            ("a=1&b=2", Some("2")),
            ("b", Some("")),
            ("%62=%41%zz%", Some("A%zz%")),
            ("a=b", None),
            ("b=1&b=2", Some("1")),
        ] {
            assert_eq!(parameter(query, "b").as_deref(), value, "{query}");
        }
    }
}
