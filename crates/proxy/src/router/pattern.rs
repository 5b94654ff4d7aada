//! Regular expressions for whole values, in linear time and bounded memory.

use regex_automata::meta;
use regex_automata::util::captures::Captures;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, Look};

/// Memory that one compiled pattern may take, in bytes.
const SIZE_LIMIT: usize = 1 << 20;
/// Bytes of a pattern's text.
const TEXT_LIMIT: usize = 4096;

/// Why a pattern was refused.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// Its text is too long.
    #[error("a regular expression of {0} bytes is too long; the limit is {TEXT_LIMIT}")]
    TooLong(usize),
    /// It is not a regular expression.
    #[error("not a valid regular expression: {0}")]
    Syntax(String),
    /// Compiled it would take too much memory.
    #[error("the regular expression needs more than {SIZE_LIMIT} bytes when compiled; make its repetitions smaller")]
    TooLarge,
}

/// A regular expression that has to match a whole value, as Envoy's RE2 `FullMatch` does.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: meta::Regex,
    literal_prefix: Box<[u8]>,
}

impl Pattern {
    /// Compiles `text`.
    ///
    /// # Errors
    /// When it is too long, not a regular expression, or too large when compiled.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let hir = parse(text)?;
        let literals = Extractor::new().kind(ExtractKind::Prefix).extract(&hir);
        let literal_prefix = literals.longest_common_prefix().unwrap_or_default().into();
        let whole = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
        let regex =
            meta::Builder::new().configure(config()).build_from_hir(&whole).map_err(|_| PatternError::TooLarge)?;
        Ok(Self { regex, literal_prefix })
    }

    /// Whether the whole of `value` matches.
    pub fn matches(&self, value: &[u8]) -> bool {
        self.regex.is_match(Input::new(value).anchored(Anchored::Yes).earliest(true))
    }

    /// What every match begins with; often empty.
    pub(crate) fn literal_prefix(&self) -> &[u8] {
        &self.literal_prefix
    }
}

/// A regular expression whose matches inside a value are replaced.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    regex: meta::Regex,
}

impl Search {
    /// Compiles `text`.
    pub(crate) fn new(text: &str) -> Result<Self, PatternError> {
        let hir = parse(text)?;
        let regex =
            meta::Builder::new().configure(config()).build_from_hir(&hir).map_err(|_| PatternError::TooLarge)?;
        Ok(Self { regex })
    }

    /// How many groups it has, without the whole match.
    pub(crate) fn groups(&self) -> usize {
        self.regex.captures_len().saturating_sub(1)
    }

    /// `value` with each match replaced by what `write` appends for it, given the match's groups.
    pub(crate) fn replace_all(&self, value: &str, mut write: impl FnMut(Groups<'_>, &mut String)) -> String {
        let mut out = String::with_capacity(value.len());
        let mut rest = 0;
        for captures in self.regex.captures_iter(value) {
            let Some(found) = captures.get_match() else { continue };
            out.push_str(value.get(rest..found.start()).unwrap_or_default());
            write(Groups { value, captures: &captures }, &mut out);
            rest = found.end();
        }
        out.push_str(value.get(rest..).unwrap_or_default());
        out
    }
}

/// The groups of a match.
#[derive(Clone, Copy)]
pub(crate) struct Groups<'a> {
    value: &'a str,
    captures: &'a Captures,
}

impl<'a> Groups<'a> {
    /// What group `number` matched, empty if it took no part; 0 is the whole match.
    pub(crate) fn get(self, number: usize) -> &'a str {
        self.captures.get_group(number).and_then(|span| self.value.get(span.range())).unwrap_or_default()
    }
}

fn parse(text: &str) -> Result<Hir, PatternError> {
    if text.len() > TEXT_LIMIT {
        return Err(PatternError::TooLong(text.len()));
    }
    // Values are bytes that need not be UTF-8, so neither must a match be.
    syntax::parse_with(text, &syntax::Config::new().utf8(false))
        .map_err(|error| PatternError::Syntax(error.to_string().lines().last().unwrap_or_default().trim().to_owned()))
}

fn config() -> meta::Config {
    meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(SIZE_LIMIT))
        .onepass_size_limit(Some(SIZE_LIMIT / 4))
        .dfa_size_limit(Some(SIZE_LIMIT / 4))
        .hybrid_cache_capacity(SIZE_LIMIT / 4)
}
