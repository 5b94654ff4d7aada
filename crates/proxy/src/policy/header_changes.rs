//! Headers that are added and removed, with the values that are put together for each message.

use bytes::BytesMut;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use serin_api::proxy::{AddedHeader, HeaderChanges, HeaderEdits};
use serin_api::{Format, FormatPiece, Operator};

use crate::error::CompileError;

/// Compiled [`HeaderChanges`].
#[derive(Debug)]
pub(crate) struct CompiledHeaderChanges {
    pub(crate) request: CompiledEdits,
    pub(crate) response: CompiledEdits,
}

/// Compiled [`HeaderEdits`].
#[derive(Debug)]
pub(crate) struct CompiledEdits {
    remove: Box<[HeaderName]>,
    add: Box<[Added]>,
}

#[derive(Debug)]
struct Added {
    name: HeaderName,
    value: Value,
    append: bool,
}

#[derive(Debug)]
enum Value {
    Fixed(HeaderValue),
    Made(Box<[FormatPiece]>),
}

impl CompiledHeaderChanges {
    pub(crate) fn new(changes: &HeaderChanges) -> Result<Self, CompileError> {
        Ok(Self { request: CompiledEdits::new(&changes.request)?, response: CompiledEdits::new(&changes.response)? })
    }
}

impl CompiledEdits {
    fn new(edits: &HeaderEdits) -> Result<Self, CompileError> {
        let remove = edits.remove.iter().map(|name| header_name(name)).collect::<Result<_, _>>()?;
        let add = edits.add.iter().filter_map(|added| Added::new(added).transpose()).collect::<Result<_, _>>()?;
        Ok(Self { remove, add })
    }

    /// Whether a value is made of the request.
    pub(crate) fn reads_request(&self) -> bool {
        self.add.iter().any(|added| match &added.value {
            Value::Fixed(_) => false,
            Value::Made(pieces) => pieces.iter().any(|piece| {
                let FormatPiece::Operator(operator, _) = piece else { return false };
                matches!(operator, Operator::RequestHeader(_) | Operator::RequestHeaderWithoutQuery(_))
            }),
        })
    }

    /// Changes `headers`. `write` says what a piece comes to, given the headers as they are once some are removed.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, write: impl Fn(&FormatPiece, &HeaderMap, &mut BytesMut)) {
        for name in &self.remove {
            headers.remove(name);
        }
        // All values are made before the first is added, and those that replace go first (Envoy).
        let mut made = Vec::with_capacity(self.add.len());
        for added in &self.add {
            let value = match &added.value {
                Value::Fixed(value) => Some(value.clone()),
                Value::Made(pieces) => {
                    let mut text = BytesMut::new();
                    for piece in pieces {
                        write(piece, headers, &mut text);
                    }
                    HeaderValue::from_maybe_shared(text.freeze()).ok().filter(|value| !value.is_empty())
                }
            };
            made.extend(value.map(|value| (added, value)));
        }
        for (added, value) in made.iter().filter(|(added, _)| !added.append) {
            headers.insert(&added.name, value.clone());
        }
        for (added, value) in made.into_iter().filter(|(added, _)| added.append) {
            headers.append(&added.name, value);
        }
    }
}

impl Added {
    /// `None` where the value is empty: nothing is added then.
    fn new(added: &AddedHeader) -> Result<Option<Self>, CompileError> {
        let wrong = |_| CompileError::HeaderValue(added.value.clone());
        let format = Format::parse_header(&added.value).map_err(|_| CompileError::HeaderValue(added.value.clone()))?;
        let value = match format.pieces.as_slice() {
            [] => return Ok(None),
            [FormatPiece::Text(text)] => Value::Fixed(HeaderValue::from_str(text).map_err(wrong)?),
            _ => Value::Made(format.pieces.into()),
        };
        Ok(Some(Self { name: header_name(&added.name)?, value, append: added.append }))
    }
}

fn header_name(name: &str) -> Result<HeaderName, CompileError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| CompileError::HeaderName(name.to_owned()))
}
