//! A line of a log, from its format and what is known of the request.

use serde_json::{Map, Value};
use serin_api::proxy::AccessLogFormat;
use serin_api::{Format, FormatError, FormatPiece};

use super::record::Record;
use super::value::{Said, said};
use super::{End, Names};

/// A format that is ready to be filled in.
#[derive(Debug)]
pub(super) enum Line {
    Text(Vec<FormatPiece>),
    Json(Template),
}

/// A value of a JSON format.
#[derive(Debug)]
pub(super) enum Template {
    Format(Vec<FormatPiece>),
    Object(Vec<(String, Template)>),
    List(Vec<Template>),
    Constant(Value),
}

impl Line {
    /// Reads a format, and adds the headers that it names to `names`.
    pub(super) fn new(format: &AccessLogFormat, names: &mut Names) -> Result<Self, FormatError> {
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

fn pieces(text: &str, names: &mut Names) -> Result<Vec<FormatPiece>, FormatError> {
    let pieces = Format::parse(text)?.pieces;
    for piece in &pieces {
        if let FormatPiece::Operator(operator, _) = piece {
            names.add(operator);
        }
    }
    Ok(pieces)
}

fn object_template(object: &Map<String, Value>, names: &mut Names) -> Result<Template, FormatError> {
    let fields = object.iter().map(|(name, value)| Ok((name.clone(), template(value, names)?)));
    Ok(Template::Object(fields.collect::<Result<_, _>>()?))
}

fn template(value: &Value, names: &mut Names) -> Result<Template, FormatError> {
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
                [FormatPiece::Operator(operator, length)] => match said(operator, record, end) {
                    Some(Said::Number(number)) => number.into(),
                    Some(Said::Text(text)) => cut(text.into_owned(), *length).into(),
                    None => Value::Null,
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

fn text(pieces: &[FormatPiece], record: &Record, end: &End<'_>) -> String {
    let mut line = String::with_capacity(256);
    for piece in pieces {
        match piece {
            FormatPiece::Text(text) => line.push_str(text),
            FormatPiece::Operator(operator, length) => match said(operator, record, end) {
                Some(said) => line.push_str(&cut(said.into_text(), *length)),
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
