//! YAML as `sigs.k8s.io/yaml` reads and writes it, which is to say as kubectl does.
//!
//! A manifest means the same here as on a Kubernetes cluster, down to the scalars: `0777` is 511, `yes` is
//! true, `1e3` is 1000, `2001-01-01` is a string. The structure of the text is read by a maintained parser; which scalar
//! is what is decided in one module of our own, and so is everything about writing.
//!
//! ```
//! let documents = serin_yaml::parse("mode: 0777\nenabled: yes\n---\nname: ~\n")?;
//! assert_eq!(documents[0].value, serde_json::json!({"mode": 511, "enabled": true}));
//! assert_eq!(documents[1].line, 4);
//! assert_eq!(serin_yaml::to_string(&documents[0].value), "enabled: true\nmode: 511\n");
//! # Ok::<(), serin_yaml::Error>(())
//! ```
//!
//! Where this differs from `sigs.k8s.io/yaml`, by choice:
//!
//! * Duplicate keys are always an error, as in its strict mode; two keys that become the same string (`1` and `"1"`) are
//!   duplicates too.
//! * A key that stands beside a merge key (`<<`) wins over the merged one, as YAML has it; strict mode there refuses the pair.
//! * The structure is YAML 1.2's where the two versions differ: `{a:}` has the key `a`, U+2028 ends no line, a tab may stand
//!   after a dash, a byte order mark stands only at the start.
//! * Nesting ([`MAX_DEPTH`]), size ([`MAX_BYTES`]) and what aliases expand to ([`MAX_ALIASED`]) are bounded.

mod compose;
mod convert;
mod emit;
mod json;
mod key_order;
mod number;
mod quoting;
mod scalar;
mod source;

use serde_json::Value;

/// How deep collections may nest. JSON readers stop at the same depth, so whatever is read here can be read again.
pub const MAX_DEPTH: usize = 127;

/// How long a text may be, in bytes.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// How many values aliases may add to a document, all together.
pub const MAX_ALIASED: usize = 100_000;

/// One document of a YAML stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What the document says.
    pub value: Value,
    /// The line on which its content starts, counted from 1.
    pub line: usize,
}

/// Why a text could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Error {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong, without the position.
    pub message: String,
}

/// Reads a stream of YAML documents, or of JSON values. Documents without content are dropped.
///
/// # Errors
///
/// Says where the text stops being YAML, or which value has no counterpart in JSON.
pub fn parse(text: &str) -> Result<Vec<Document>, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error { line: 1, column: 1, message: format!("the text is longer than {MAX_BYTES} bytes") });
    }
    if let Some(documents) = json::parse(text) {
        return Ok(documents);
    }
    source::check_characters(text)?;
    let text = &source::soften_tabs(text);
    let mut documents = Vec::new();
    for tree in compose::documents(text) {
        let tree = tree?;
        if !tree.is_blank() {
            documents.push(Document { value: convert::to_value(&tree)?, line: tree.root().line });
        }
    }
    Ok(documents)
}

/// The line, counted from 1, on which the value at `path` stands in the document that starts at line `document`
/// (see [`Document::line`]).
///
/// The path is written as messages write it: `spec.routes[0].matchers`. When the path leads further than the document does,
/// the answer is the line of the last part that exists; `None` when there is no such document.
pub fn line_of(text: &str, document: usize, path: &str) -> Option<usize> {
    compose::documents(&source::soften_tabs(text))
        .filter_map(Result::ok)
        .find(|tree| tree.root().line == document)
        .map(|tree| tree.line_of(path))
}

/// Writes a value as `sigs.k8s.io/yaml` (and so `kubectl get -o yaml`) writes it, with a line break at the end.
///
/// Keys are sorted the way go-yaml sorts them (`a2` before `a10`), lists are not indented under their key, plain and quoted
/// text is folded at 80 columns, text of several lines becomes a block.
pub fn to_string(value: &Value) -> String {
    emit::document(value)
}
