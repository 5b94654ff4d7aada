//! Content negotiation: in which form and encoding an answer is wanted.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::rest::ApiError;

/// What shape the objects take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are.
    Object,
    /// Rows and columns for people, `as=Table`.
    Table,
    /// Only their metadata, `as=PartialObjectMetadata(List)`.
    Metadata,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// `application/json`.
    Json,
    /// `application/yaml`.
    Yaml,
}

/// What a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// The shape.
    pub form: Form,
    /// The encoding.
    pub encoding: Encoding,
}

/// One range of an `Accept` header: the media type and its parameters, quality excluded.
pub(super) struct MediaRange<'a> {
    /// Such as `application/json`.
    pub media: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f32,
}

impl<'a> MediaRange<'a> {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }
}

/// The ranges of all `Accept` headers, the preferred first.
pub(super) fn ranges(headers: &HeaderMap) -> Vec<MediaRange<'_>> {
    let texts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges: Vec<_> =
        texts.flat_map(|text| text.split(',')).map(range).filter(|r| !r.media.is_empty()).collect();
    ranges.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    ranges
}

fn range(text: &str) -> MediaRange<'_> {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let mut parameters: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
    let quality = parameters.iter().find(|(key, _)| *key == "q").and_then(|(_, q)| q.parse().ok()).unwrap_or(1.0);
    parameters.retain(|(key, _)| *key != "q");
    MediaRange { media, parameters, quality }
}

/// What to answer with.
///
/// # Errors
/// 406 when nothing that is accepted can be made.
pub(super) fn accepted(headers: &HeaderMap) -> Result<Accepted, ApiError> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return Ok(Accepted { form: Form::Object, encoding: Encoding::Json });
    }
    for range in &ranges {
        let encoding = match range.media {
            "application/json" | "application/*" | "*/*" => Encoding::Json,
            "application/yaml" => Encoding::Yaml,
            _ => continue,
        };
        let form = match (range.parameter("as"), range.parameter("g"), range.parameter("v")) {
            (None, ..) => Form::Object,
            (Some("Table"), Some("meta.k8s.io"), Some("v1" | "v1beta1")) => Form::Table,
            (
                Some("PartialObjectMetadata" | "PartialObjectMetadataList"),
                Some("meta.k8s.io"),
                Some("v1" | "v1beta1"),
            ) => Form::Metadata,
            _ => continue,
        };
        return Ok(Accepted { form, encoding });
    }
    Err(ApiError::new(
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json, application/yaml, application/json;as=Table;g=meta.k8s.io;v=v1, application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    ))
}
