//! A line of a log, from its format and what is known of the request.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use serin_api::proxy::AccessLogFormat;
use serin_api::{LogFormat, LogFormatError, LogOperator, LogPiece};

use super::record::Record;
use super::{End, Names};

/// A format that is ready to be filled in.
#[derive(Debug)]
pub(super) enum Line {
    Text(Vec<LogPiece>),
    Json(Template),
}

/// A value of a JSON format.
#[derive(Debug)]
pub(super) enum Template {
    Format(Vec<LogPiece>),
    Object(Vec<(String, Template)>),
    List(Vec<Template>),
    Constant(Value),
}

impl Line {
    /// Reads a format, and adds the headers that it names to `names`.
    pub(super) fn new(format: &AccessLogFormat, names: &mut Names) -> Result<Self, LogFormatError> {
        Ok(match format {
            AccessLogFormat::Text(text) => Self::Text(pieces(text, names)?),
            AccessLogFormat::Json(object) => Self::Json(object_template(object, names)?),
        })
    }

    /// The line for a request.
    pub(super) fn fill(&self, record: &Record, end: &End<'_>) -> Vec<u8> {
        match self {
            Self::Text(pieces) => text(pieces, record, end).into_bytes(),
            Self::Json(template) => {
                let mut line = template.fill(record, end).to_string().into_bytes();
                line.push(b'\n');
                line
            }
        }
    }
}

fn pieces(text: &str, names: &mut Names) -> Result<Vec<LogPiece>, LogFormatError> {
    let pieces = LogFormat::parse(text)?.pieces;
    for piece in &pieces {
        if let LogPiece::Operator(operator, _) = piece {
            names.add(operator);
        }
    }
    Ok(pieces)
}

fn object_template(object: &Map<String, Value>, names: &mut Names) -> Result<Template, LogFormatError> {
    let fields = object.iter().map(|(name, value)| Ok((name.clone(), template(value, names)?)));
    Ok(Template::Object(fields.collect::<Result<_, _>>()?))
}

fn template(value: &Value, names: &mut Names) -> Result<Template, LogFormatError> {
    Ok(match value {
        Value::String(text) => Template::Format(pieces(text, names)?),
        Value::Object(object) => object_template(object, names)?,
        Value::Array(list) => Template::List(list.iter().map(|item| template(item, names)).collect::<Result<_, _>>()?),
        constant => Template::Constant(constant.clone()),
    })
}

impl Template {
    fn fill(&self, record: &Record, end: &End<'_>) -> Value {
        match self {
            Self::Format(pieces) => match pieces.as_slice() {
                // An operator alone keeps its type, and is null where there is nothing.
                [LogPiece::Operator(operator, length)] => match number(operator, record, end) {
                    Some(number) => number.into(),
                    None => value(operator, record, end).map_or(Value::Null, |text| cut(text, *length).into()),
                },
                pieces => text(pieces, record, end).into(),
            },
            Self::Object(fields) => {
                fields.iter().map(|(name, template)| (name.clone(), template.fill(record, end))).collect()
            }
            Self::List(items) => items.iter().map(|item| item.fill(record, end)).collect(),
            Self::Constant(value) => value.clone(),
        }
    }
}

fn text(pieces: &[LogPiece], record: &Record, end: &End<'_>) -> String {
    let mut line = String::with_capacity(256);
    for piece in pieces {
        match piece {
            LogPiece::Text(text) => line.push_str(text),
            LogPiece::Operator(operator, length) => match value(operator, record, end) {
                Some(text) => line.push_str(&cut(text, *length)),
                None => line.push('-'),
            },
        }
    }
    line
}

fn cut(mut text: String, length: Option<usize>) -> String {
    if let Some(length) = length {
        let cut = (0..=length.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(cut.unwrap_or_default());
    }
    text
}

fn number(operator: &LogOperator, record: &Record, end: &End<'_>) -> Option<u64> {
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    match operator {
        LogOperator::ResponseCode => Some(end.status.into()),
        LogOperator::BytesReceived => Some(record.received),
        LogOperator::BytesSent => Some(record.sent),
        LogOperator::Duration => Some(millis(end.took)),
        LogOperator::ResponseDuration => record.response_after.map(millis),
        _ => None,
    }
}

fn value(operator: &LogOperator, record: &Record, end: &End<'_>) -> Option<String> {
    let some = |text: &str| (!text.is_empty() && text != "-").then(|| text.to_owned());
    match operator {
        LogOperator::StartTime(format) => Some(time(record.begun, format.as_deref())),
        LogOperator::Protocol => some(record.protocol),
        LogOperator::ResponseCodeDetails => some(&end.outcome.details()),
        LogOperator::ResponseFlags => Some(record.flags.with(end.outcome.flag()).to_string()),
        LogOperator::UpstreamTransportFailure => end.outcome.transport_failure().map(str::to_owned),
        LogOperator::UpstreamHost => record.upstream.map(|address| address.to_string()),
        LogOperator::UpstreamCluster => some(end.cluster),
        LogOperator::RouteName => some(end.route),
        LogOperator::DownstreamRemoteAddress { port: true } => Some(record.peer.to_string()),
        LogOperator::DownstreamRemoteAddress { port: false } => Some(record.peer.ip().to_canonical().to_string()),
        LogOperator::RequestHeader(first, second) => {
            let find = |name: &str| {
                let place = record.logs.request_names.iter().position(|known| known.as_str() == name);
                let header = place.and_then(|place| record.request_headers.get(place)?.as_ref());
                header.or_else(|| record.request.get(name))
            };
            find(first).or_else(|| find(second.as_deref()?)).map(lossy)
        }
        LogOperator::ResponseHeader(first, second) => {
            let find = |name: &str| {
                let place = record.logs.response_names.iter().position(|known| known.as_str() == name)?;
                record.response_headers.get(place)?.as_ref()
            };
            find(first).or_else(|| find(second.as_deref()?)).map(lossy)
        }
        LogOperator::ResponseCode
        | LogOperator::BytesReceived
        | LogOperator::BytesSent
        | LogOperator::Duration
        | LogOperator::ResponseDuration => number(operator, record, end).map(|number| number.to_string()),
    }
}

fn lossy(value: &http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn time(at: SystemTime, format: Option<&str>) -> String {
    let Ok(at) = Timestamp::try_from(at) else { return "-".to_owned() };
    let format = format.unwrap_or("%Y-%m-%dT%H:%M:%S.%3fZ");
    let mut text = String::new();
    match jiff::fmt::strtime::BrokenDownTime::from(&at.to_zoned(TimeZone::UTC)).format(format, &mut text) {
        Ok(()) => text,
        Err(_) => "-".to_owned(),
    }
}
