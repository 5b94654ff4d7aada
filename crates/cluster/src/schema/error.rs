//! Errors about one field, worded as kube-apiserver words them, and errors about a schema itself.

use std::fmt;

use serde_json::Value;

/// Why a field was refused. The names are those of kube-apiserver's status causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The value is missing.
    Required,
    /// The value is malformed.
    Invalid,
    /// The value has the wrong JSON type.
    TypeInvalid,
    /// The value is not among those allowed.
    NotSupported,
    /// The field may not be set here.
    Forbidden,
    /// The value is too long.
    TooLong,
    /// There are too many items or properties.
    TooMany,
    /// The value occurs twice where it must be unique.
    Duplicate,
    /// What the value refers to does not exist.
    NotFound,
}

impl Reason {
    /// The `reason` of a cause in `Status.details.causes`.
    pub fn cause(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Duplicate => "FieldValueDuplicate",
            Self::NotFound => "FieldValueNotFound",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Duplicate => "Duplicate value",
            Self::NotFound => "Not found",
        }
    }
}

/// One field that was refused. `Display` gives `path: message`, as in a Status message; `message` alone is what a cause
/// carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field, such as `spec.ports[0].port`.
    pub path: String,
    /// The kind of fault.
    pub reason: Reason,
    /// The words after the path.
    pub message: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl FieldError {
    fn bare(path: impl Into<String>, reason: Reason, detail: &str) -> Self {
        let mut message = reason.words().to_owned();
        if !detail.is_empty() {
            message.push_str(": ");
            message.push_str(detail);
        }
        Self { path: path.into(), reason, message }
    }

    fn valued(path: impl Into<String>, reason: Reason, value: &Value, detail: &str) -> Self {
        let mut message = format!("{}: {}", reason.words(), shown(value));
        if !detail.is_empty() {
            message.push_str(": ");
            message.push_str(detail);
        }
        Self { path: path.into(), reason, message }
    }

    /// The value is missing.
    pub fn required(path: impl Into<String>, detail: &str) -> Self {
        Self::bare(path, Reason::Required, detail)
    }

    /// The value is malformed.
    pub fn invalid(path: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self::valued(path, Reason::Invalid, value, detail)
    }

    /// The value has the wrong type.
    pub fn type_invalid(path: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self::valued(path, Reason::TypeInvalid, value, detail)
    }

    /// The value is none of `supported`, which are printed in the order given.
    pub fn not_supported<S: AsRef<str>>(path: impl Into<String>, value: &Value, supported: &[S]) -> Self {
        let quoted: Vec<String> = supported.iter().map(|text| quote(text.as_ref())).collect();
        let detail = if quoted.is_empty() { String::new() } else { format!("supported values: {}", quoted.join(", ")) };
        Self::valued(path, Reason::NotSupported, value, &detail)
    }

    /// The field may not be set.
    pub fn forbidden(path: impl Into<String>, detail: &str) -> Self {
        Self::bare(path, Reason::Forbidden, detail)
    }

    /// The value is longer than `most` bytes.
    pub fn too_long(path: impl Into<String>, most: u64) -> Self {
        let unit = if most == 1 { "byte" } else { "bytes" };
        Self::bare(path, Reason::TooLong, &format!("may not be more than {most} {unit}"))
    }

    /// There are more than `most` items.
    pub fn too_many(path: impl Into<String>, actual: usize, most: u64) -> Self {
        let unit = if most == 1 { "item" } else { "items" };
        Self::valued(path, Reason::TooMany, &Value::from(actual), &format!("must have at most {most} {unit}"))
    }

    /// The value occurs twice.
    pub fn duplicate(path: impl Into<String>, value: &Value) -> Self {
        Self::valued(path, Reason::Duplicate, value, "")
    }

    /// What the value names does not exist.
    pub fn not_found(path: impl Into<String>, value: &Value) -> Self {
        Self::valued(path, Reason::NotFound, value, "")
    }
}

/// A value as kube-apiserver prints it in an error: JSON, with Go's quoting for a string.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        other => other.to_string(),
    }
}

/// Quotes as Go's `%q` does for printable text.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Why a CustomResourceDefinition's schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The schema is not structural; one entry per fault, with paths that start at the schema itself
    /// (`properties[spec].items`), so that a caller can put `spec.versions[0].schema.openAPIV3Schema.` before them.
    #[error("{}", join(.0))]
    NotStructural(Vec<FieldError>),
    /// The schema is nested deeper than is sensible.
    #[error("the schema is nested deeper than {0} levels")]
    TooDeep(usize),
}

fn join(errors: &[FieldError]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    match texts.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}
