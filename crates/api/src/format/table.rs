//! Every operator that Envoy knows, by its name: what it comes to here, and how it is written.

use super::nearest::nearest;
use super::operator::GrpcStatusStyle;
use super::{Certificate, FormatError, HeaderSource, Moment, Operator, PathPart, Peer, TimeSource};

/// What a name stands for.
enum Entry {
    /// It takes no argument.
    Plain(Operator),
    /// It takes one, as the example shows.
    With(fn(Option<&str>) -> Option<Operator>, &'static str),
    /// The same, and the result can be cut.
    Cut(fn(Option<&str>) -> Option<Operator>, &'static str),
    /// Envoy knows it, and Serin's own data plane does not.
    Foreign,
}

use Entry::{Cut, Foreign, Plain, With};

static TABLE: &[(&str, Entry)] = &[
    ("ACCESS_LOG_TYPE", Plain(Operator::LogType)),
    ("BYTES_RECEIVED", Plain(Operator::BytesReceived)),
    ("BYTES_SENT", Plain(Operator::BytesSent)),
    ("CEL", Foreign),
    ("CLUSTER_METADATA", Foreign),
    ("COALESCE", Foreign),
    ("COMMON_DURATION", With(between, "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:ms)%")),
    ("CONNECTION_ID", Plain(Operator::ConnectionId)),
    ("CONNECTION_TERMINATION_DETAILS", Plain(Operator::Nothing)),
    ("CUSTOM_FLAGS", Foreign),
    ("DOWNSTREAM_CX_RTT", Foreign),
    ("DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", Foreign),
    ("DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", Foreign),
    ("DOWNSTREAM_DETECTED_CLOSE_TYPE", Foreign),
    ("DOWNSTREAM_DIRECT_LOCAL_ADDRESS", Plain(Operator::LocalHost)),
    ("DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID", Foreign),
    ("DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT", Plain(Operator::LocalAddress)),
    ("DOWNSTREAM_DIRECT_LOCAL_PORT", Plain(Operator::LocalPort)),
    ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Plain(Operator::ClientHost { direct: true })),
    ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Plain(Operator::ClientAddress { direct: true })),
    ("DOWNSTREAM_DIRECT_REMOTE_PORT", Plain(Operator::ClientPort { direct: true })),
    ("DOWNSTREAM_HANDSHAKE_DURATION", Foreign),
    ("DOWNSTREAM_HEADER_BYTES_RECEIVED", Foreign),
    ("DOWNSTREAM_HEADER_BYTES_SENT", Foreign),
    ("DOWNSTREAM_LOCAL_ADDRESS", Plain(Operator::LocalHost)),
    ("DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID", Foreign),
    ("DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Plain(Operator::LocalAddress)),
    ("DOWNSTREAM_LOCAL_CLOSE_REASON", Foreign),
    ("DOWNSTREAM_LOCAL_DNS_SAN", Foreign),
    ("DOWNSTREAM_LOCAL_EMAIL_SAN", Foreign),
    ("DOWNSTREAM_LOCAL_IP_SAN", Foreign),
    ("DOWNSTREAM_LOCAL_OTHERNAME_SAN", Foreign),
    ("DOWNSTREAM_LOCAL_PORT", Plain(Operator::LocalPort)),
    ("DOWNSTREAM_LOCAL_SUBJECT", Foreign),
    ("DOWNSTREAM_LOCAL_URI_SAN", Foreign),
    ("DOWNSTREAM_PEER_CERT", Foreign),
    ("DOWNSTREAM_PEER_CERT_V_END", With(client_until, "%DOWNSTREAM_PEER_CERT_V_END%")),
    ("DOWNSTREAM_PEER_CERT_V_START", With(client_from, "%DOWNSTREAM_PEER_CERT_V_START%")),
    ("DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1", Foreign),
    ("DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256", Foreign),
    ("DOWNSTREAM_PEER_CHAIN_SERIALS", Foreign),
    ("DOWNSTREAM_PEER_DNS_SAN", Plain(Operator::Peer(Peer::Client, Certificate::DnsNames))),
    ("DOWNSTREAM_PEER_EMAIL_SAN", Plain(Operator::Peer(Peer::Client, Certificate::Emails))),
    ("DOWNSTREAM_PEER_FINGERPRINT_1", Foreign),
    ("DOWNSTREAM_PEER_FINGERPRINT_256", Plain(Operator::Peer(Peer::Client, Certificate::Fingerprint))),
    ("DOWNSTREAM_PEER_IP_SAN", Plain(Operator::Peer(Peer::Client, Certificate::Addresses))),
    ("DOWNSTREAM_PEER_ISSUER", Plain(Operator::Peer(Peer::Client, Certificate::Issuer))),
    ("DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256", Foreign),
    ("DOWNSTREAM_PEER_ISSUER_SERIAL", Foreign),
    ("DOWNSTREAM_PEER_OTHERNAME_SAN", Foreign),
    ("DOWNSTREAM_PEER_SERIAL", Plain(Operator::Peer(Peer::Client, Certificate::Serial))),
    ("DOWNSTREAM_PEER_SUBJECT", Plain(Operator::Peer(Peer::Client, Certificate::Subject))),
    ("DOWNSTREAM_PEER_URI_SAN", Plain(Operator::Peer(Peer::Client, Certificate::Uris))),
    ("DOWNSTREAM_REMOTE_ADDRESS", Plain(Operator::ClientHost { direct: false })),
    ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Plain(Operator::ClientAddress { direct: false })),
    ("DOWNSTREAM_REMOTE_PORT", Plain(Operator::ClientPort { direct: false })),
    ("DOWNSTREAM_TLS_CIPHER", Plain(Operator::TlsCipher(Peer::Client))),
    ("DOWNSTREAM_TLS_GROUP", Foreign),
    ("DOWNSTREAM_TLS_SESSION_ID", Foreign),
    ("DOWNSTREAM_TLS_VERSION", Plain(Operator::TlsVersion(Peer::Client))),
    ("DOWNSTREAM_TRANSPORT_FAILURE_REASON", Plain(Operator::Nothing)),
    ("DOWNSTREAM_WIRE_BYTES_RECEIVED", Foreign),
    ("DOWNSTREAM_WIRE_BYTES_SENT", Foreign),
    ("DURATION", Plain(millis(Moment::Begin, Moment::End))),
    ("DYNAMIC_METADATA", Foreign),
    ("EMIT_TIME", With(emit_time, "%EMIT_TIME%, or with a format of strftime, %EMIT_TIME(%Y-%m-%d)%")),
    (
        "EMIT_TIME_LOCAL",
        With(emit_time_local, "%EMIT_TIME_LOCAL%, or with a format of strftime, %EMIT_TIME_LOCAL(%H:%M)%"),
    ),
    ("ENVIRONMENT", Cut(environment, "%ENVIRONMENT(NAME)%")),
    ("FILTER_CHAIN_NAME", Foreign),
    ("FILTER_STATE", Foreign),
    ("GRPC_STATUS", With(grpc_status, "%GRPC_STATUS(SNAKE_STRING)%; there are CAMEL_STRING, SNAKE_STRING and NUMBER")),
    ("GRPC_STATUS_NUMBER", Plain(Operator::GrpcStatus(GrpcStatusStyle::Number))),
    ("HOSTNAME", Plain(Operator::Hostname)),
    ("LISTENER_NAME", Foreign),
    ("LOCAL_REPLY_BODY", Foreign),
    ("METADATA", Foreign),
    ("PATH", Cut(path, "%PATH(NQ:ORIG)%: NQ or WQ, then ORIG, PATH or ORIG_OR_PATH")),
    ("PROTOCOL", Plain(Operator::Protocol)),
    ("QUERY_PARAM", Cut(query_parameter, "%QUERY_PARAM(name)%")),
    ("QUERY_PARAMS", Foreign),
    ("REQ", Cut(request_header, "%REQ(name)%, %REQ(name?other)% or %REQ(name):10%")),
    ("REQUESTED_SERVER_NAME", Plain(Operator::RequestedServerName)),
    ("REQUEST_DURATION", Foreign),
    (
        "REQUEST_HEADER",
        Cut(request_header, "%REQUEST_HEADER(name)%, %REQUEST_HEADER(name?other)% or %REQUEST_HEADER(name):10%"),
    ),
    ("REQUEST_HEADERS_BYTES", Plain(Operator::RequestHeadersBytes)),
    ("REQUEST_TX_DURATION", Foreign),
    ("REQ_WITHOUT_QUERY", Cut(request_header_without_query, "%REQ_WITHOUT_QUERY(name)%")),
    ("RESP", Cut(response_header, "%RESP(name)%, %RESP(name?other)% or %RESP(name):10%")),
    ("RESPONSE_CODE", Plain(Operator::ResponseCode)),
    ("RESPONSE_CODE_DETAILS", With(details, "%RESPONSE_CODE_DETAILS%")),
    ("RESPONSE_DURATION", Plain(millis(Moment::Begin, Moment::Response))),
    ("RESPONSE_FLAGS", Plain(Operator::ResponseFlags)),
    ("RESPONSE_FLAGS_LONG", Plain(Operator::ResponseFlagsLong)),
    (
        "RESPONSE_HEADER",
        Cut(response_header, "%RESPONSE_HEADER(name)%, or with another one, %RESPONSE_HEADER(name?other)%"),
    ),
    ("RESPONSE_HEADERS_BYTES", Plain(Operator::ResponseHeadersBytes)),
    ("RESPONSE_TRAILER", Cut(trailer, "%RESPONSE_TRAILER(name)%, or with another one, %RESPONSE_TRAILER(name?other)%")),
    ("RESPONSE_TRAILERS_BYTES", Plain(Operator::ResponseTrailersBytes)),
    ("RESPONSE_TX_DURATION", Plain(millis(Moment::Response, Moment::End))),
    ("ROUTE_NAME", Plain(Operator::RouteName)),
    ("ROUTE_RESOLUTION_COUNT", Foreign),
    ("ROUTE_RESOLUTION_TIME_US", Foreign),
    ("SPAN_ID", Foreign),
    ("START_TIME", With(start_time, "%START_TIME%, or with a format of strftime, %START_TIME(%Y-%m-%d)%")),
    ("START_TIME_LOCAL", With(start_time_local, "%START_TIME_LOCAL%, or with a format, %START_TIME_LOCAL(%H:%M)%")),
    ("STREAM_ID", Plain(Operator::StreamId)),
    ("TLS_JA3_FINGERPRINT", Foreign),
    ("TLS_JA4_FINGERPRINT", Foreign),
    ("TRACE_ID", Foreign),
    ("TRAILER", Cut(trailer, "%TRAILER(name)%, %TRAILER(name?other)% or %TRAILER(name):10%")),
    ("UNIQUE_ID", Plain(Operator::UniqueId)),
    ("UPSTREAM_CLUSTER", Plain(Operator::UpstreamCluster)),
    ("UPSTREAM_CLUSTER_RAW", Plain(Operator::UpstreamCluster)),
    ("UPSTREAM_CONNECTION_ID", Foreign),
    ("UPSTREAM_CONNECTION_IDS_ATTEMPTED", Foreign),
    ("UPSTREAM_CONNECTION_POOL_READY_DURATION", Foreign),
    ("UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", Foreign),
    ("UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", Foreign),
    ("UPSTREAM_DETECTED_CLOSE_TYPE", Foreign),
    ("UPSTREAM_FILTER_STATE", Foreign),
    ("UPSTREAM_HEADER_BYTES_RECEIVED", Foreign),
    ("UPSTREAM_HEADER_BYTES_SENT", Foreign),
    ("UPSTREAM_HOST", Plain(Operator::UpstreamHost)),
    ("UPSTREAM_HOSTS_ATTEMPTED", Foreign),
    ("UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", Foreign),
    ("UPSTREAM_HOST_NAME", Plain(Operator::UpstreamHostName { port: true })),
    ("UPSTREAM_HOST_NAMES_ATTEMPTED", Foreign),
    ("UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT", Foreign),
    ("UPSTREAM_HOST_NAME_WITHOUT_PORT", Plain(Operator::UpstreamHostName { port: false })),
    ("UPSTREAM_LOCAL_ADDRESS", Foreign),
    ("UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Foreign),
    ("UPSTREAM_LOCAL_CLOSE_REASON", Foreign),
    ("UPSTREAM_LOCAL_DNS_SAN", Foreign),
    ("UPSTREAM_LOCAL_IP_SAN", Foreign),
    ("UPSTREAM_LOCAL_PORT", Foreign),
    ("UPSTREAM_LOCAL_URI_SAN", Foreign),
    ("UPSTREAM_METADATA", Foreign),
    ("UPSTREAM_PEER_CERT", Foreign),
    ("UPSTREAM_PEER_CERT_V_END", With(endpoint_until, "%UPSTREAM_PEER_CERT_V_END%")),
    ("UPSTREAM_PEER_CERT_V_START", With(endpoint_from, "%UPSTREAM_PEER_CERT_V_START%")),
    ("UPSTREAM_PEER_DNS_SAN", Plain(Operator::Peer(Peer::Endpoint, Certificate::DnsNames))),
    ("UPSTREAM_PEER_IP_SAN", Plain(Operator::Peer(Peer::Endpoint, Certificate::Addresses))),
    ("UPSTREAM_PEER_ISSUER", Plain(Operator::Peer(Peer::Endpoint, Certificate::Issuer))),
    ("UPSTREAM_PEER_SUBJECT", Plain(Operator::Peer(Peer::Endpoint, Certificate::Subject))),
    ("UPSTREAM_PEER_URI_SAN", Plain(Operator::Peer(Peer::Endpoint, Certificate::Uris))),
    ("UPSTREAM_PROTOCOL", Plain(Operator::UpstreamProtocol)),
    ("UPSTREAM_REMOTE_ADDRESS", Plain(Operator::UpstreamRemote)),
    ("UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID", Foreign),
    ("UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Plain(Operator::UpstreamAddress)),
    ("UPSTREAM_REMOTE_PORT", Plain(Operator::UpstreamPort)),
    ("UPSTREAM_REQUEST_ATTEMPT_COUNT", Plain(Operator::Attempts)),
    ("UPSTREAM_SERVER_NAME", Foreign),
    ("UPSTREAM_TLS_CIPHER", Plain(Operator::TlsCipher(Peer::Endpoint))),
    ("UPSTREAM_TLS_GROUP", Foreign),
    ("UPSTREAM_TLS_SESSION_ID", Foreign),
    ("UPSTREAM_TLS_VERSION", Plain(Operator::TlsVersion(Peer::Endpoint))),
    ("UPSTREAM_TRANSPORT_FAILURE_REASON", Plain(Operator::UpstreamTransportFailure)),
    ("UPSTREAM_WIRE_BYTES_RECEIVED", Foreign),
    ("UPSTREAM_WIRE_BYTES_SENT", Foreign),
    ("VIRTUAL_CLUSTER_NAME", Foreign),
];

/// Every name, and whether Serin's own data plane has something for it.
pub fn operators() -> impl Iterator<Item = (&'static str, bool)> {
    TABLE.iter().map(|(name, entry)| (*name, !matches!(entry, Foreign)))
}

/// Reads what is between two percent signs, the first of which is at byte `at`.
pub(super) fn operator(text: &str, at: usize) -> Result<(Operator, Option<usize>), FormatError> {
    let name_length = text.find(['(', ':']).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_length);
    let Some((name, entry)) = TABLE.iter().find(|(known, _)| *known == name) else {
        let nearest = nearest(name, TABLE.iter().map(|(name, _)| *name));
        return Err(FormatError::Unknown { at, name: name.to_owned(), nearest });
    };
    let usage = match entry {
        Plain(_) | Foreign => format!("%{name}%"),
        With(_, usage) | Cut(_, usage) => (*usage).to_owned(),
    };
    let wrong = || FormatError::Argument { at, text: text.to_owned(), usage: usage.clone() };
    let (argument, rest) = match rest.strip_prefix('(') {
        Some(rest) => rest.rsplit_once(')').map(|(argument, rest)| (Some(argument), rest)).ok_or_else(wrong)?,
        None => (None, rest),
    };
    let length = match rest.strip_prefix(':') {
        Some(digits) => Some(digits.parse().map_err(|_| wrong())?),
        None if rest.is_empty() => None,
        None => return Err(wrong()),
    };
    let operator = match entry {
        Plain(operator) => Some(operator.clone()).filter(|_| argument.is_none() && length.is_none()),
        With(read, _) => read(argument).filter(|_| length.is_none()),
        Cut(read, _) => read(argument),
        Foreign => Some(Operator::Unserved(name)),
    };
    Ok((operator.ok_or_else(wrong)?, length))
}

const fn millis(from: Moment, to: Moment) -> Operator {
    Operator::Between { from, to, nanos: 1_000_000 }
}

fn between(argument: Option<&str>) -> Option<Operator> {
    let mut parts = argument?.split(':');
    let (from, to, unit) = (moment(parts.next()?)?, moment(parts.next()?)?, parts.next()?);
    let nanos = match unit {
        "ms" => 1_000_000,
        "us" => 1_000,
        "ns" => 1,
        _ => return None,
    };
    // Envoy knows moments that we do not keep: the text stays right, and we say nothing.
    let served = || Some(Operator::Between { from: from?, to: to?, nanos });
    parts.next().is_none().then(|| served().unwrap_or(Operator::Unserved("COMMON_DURATION")))
}

/// The inner `None`: it is one that is not kept.
fn moment(name: &str) -> Option<Option<Moment>> {
    Some(match name {
        "DS_RX_BEG" => Some(Moment::Begin),
        "US_TX_BEG" => Some(Moment::Sent),
        "US_RX_BEG" => Some(Moment::Response),
        "DS_TX_END" => Some(Moment::End),
        "DS_RX_END" | "US_CX_BEG" | "US_CX_END" | "US_HS_END" | "US_TX_END" | "US_RX_END" | "US_RX_BODY_BEG"
        | "DS_TX_BEG" => None,
        _ => return None,
    })
}

fn time(of: TimeSource, local: bool, format: Option<&str>) -> Option<Operator> {
    Some(Operator::Time { of, local, format: format.filter(|format| !format.is_empty()).map(str::to_owned) })
}

fn start_time(format: Option<&str>) -> Option<Operator> {
    time(TimeSource::Start, false, format)
}

fn start_time_local(format: Option<&str>) -> Option<Operator> {
    time(TimeSource::Start, true, format)
}

fn emit_time(format: Option<&str>) -> Option<Operator> {
    time(TimeSource::Emit, false, format)
}

fn emit_time_local(format: Option<&str>) -> Option<Operator> {
    time(TimeSource::Emit, true, format)
}

/// With an argument that changes how it is written: only Envoys do that.
fn plainly(argument: Option<&str>, operator: Operator, name: &'static str) -> Option<Operator> {
    Some(if argument.is_none() { operator } else { Operator::Unserved(name) })
}

fn client_from(argument: Option<&str>) -> Option<Operator> {
    plainly(argument, Operator::Peer(Peer::Client, Certificate::ValidFrom), "DOWNSTREAM_PEER_CERT_V_START")
}

fn client_until(argument: Option<&str>) -> Option<Operator> {
    plainly(argument, Operator::Peer(Peer::Client, Certificate::ValidUntil), "DOWNSTREAM_PEER_CERT_V_END")
}

fn endpoint_from(argument: Option<&str>) -> Option<Operator> {
    plainly(argument, Operator::Peer(Peer::Endpoint, Certificate::ValidFrom), "UPSTREAM_PEER_CERT_V_START")
}

fn endpoint_until(argument: Option<&str>) -> Option<Operator> {
    plainly(argument, Operator::Peer(Peer::Endpoint, Certificate::ValidUntil), "UPSTREAM_PEER_CERT_V_END")
}

fn details(argument: Option<&str>) -> Option<Operator> {
    plainly(argument, Operator::ResponseCodeDetails, "RESPONSE_CODE_DETAILS")
}

fn header(argument: Option<&str>) -> Option<HeaderSource> {
    let (name, or) = argument?.split_once('?').map_or((argument?, None), |(name, or)| (name, Some(or)));
    let is_name = |name: &str| {
        let name = name.strip_prefix(':').unwrap_or(name);
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte))
    };
    let fine = is_name(name) && or.is_none_or(is_name);
    fine.then(|| HeaderSource { name: name.to_ascii_lowercase(), or: or.map(str::to_ascii_lowercase) })
}

fn request_header(argument: Option<&str>) -> Option<Operator> {
    header(argument).map(Operator::RequestHeader)
}

fn request_header_without_query(argument: Option<&str>) -> Option<Operator> {
    header(argument).map(Operator::RequestHeaderWithoutQuery)
}

fn response_header(argument: Option<&str>) -> Option<Operator> {
    header(argument).map(Operator::ResponseHeader)
}

fn trailer(argument: Option<&str>) -> Option<Operator> {
    header(argument).map(Operator::Trailer)
}

fn named(argument: Option<&str>) -> Option<String> {
    argument.filter(|argument| !argument.is_empty()).map(str::to_owned)
}

fn environment(argument: Option<&str>) -> Option<Operator> {
    named(argument).map(Operator::Environment)
}

fn query_parameter(argument: Option<&str>) -> Option<Operator> {
    named(argument).map(Operator::QueryParameter)
}

fn path(argument: Option<&str>) -> Option<Operator> {
    let argument = argument.unwrap_or("WQ");
    let (query, part) = argument.split_once(':').unwrap_or((argument, "ORIG_OR_PATH"));
    let query = match query {
        "" | "WQ" => true,
        "NQ" => false,
        _ => return None,
    };
    let part = match part {
        "ORIG" => PathPart::Original,
        "PATH" => PathPart::Current,
        "ORIG_OR_PATH" => PathPart::OriginalOrCurrent,
        _ => return None,
    };
    Some(Operator::Path { query, part })
}

fn grpc_status(argument: Option<&str>) -> Option<Operator> {
    Some(Operator::GrpcStatus(match argument.unwrap_or_default() {
        "" | "CAMEL_STRING" => GrpcStatusStyle::Camel,
        "SNAKE_STRING" => GrpcStatusStyle::Snake,
        "NUMBER" => GrpcStatusStyle::Number,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_once() {
        assert!(TABLE.is_sorted_by(|(one, _), (next, _)| one < next));
    }
}
