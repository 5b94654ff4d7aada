//! A pattern whose matches in a text are replaced, as RE2 does it.

use crate::error::CompileError;
use crate::router::Search;

/// A compiled pattern and what replaces its matches.
#[derive(Debug)]
pub(crate) struct CompiledSubstitution {
    search: Search,
    pieces: Vec<Piece>,
}

/// A piece of what replaces a match.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

impl CompiledSubstitution {
    /// Compiles `pattern` and `substitution`.
    ///
    /// # Errors
    /// When the pattern is no regular expression we accept, or a group is named that it does not have.
    pub(crate) fn new(pattern: &str, substitution: &str) -> Result<Self, CompileError> {
        let search =
            Search::new(pattern).map_err(|error| CompileError::Pattern { pattern: pattern.to_owned(), error })?;
        let pieces = pieces(substitution);
        let groups = search.groups();
        let named = pieces.iter().filter_map(|piece| if let Piece::Group(group) = piece { Some(*group) } else { None });
        match named.max() {
            Some(group) if group > groups => {
                Err(CompileError::Substitution { substitution: substitution.to_owned(), group, groups })
            }
            _ => Ok(Self { search, pieces }),
        }
    }

    /// `text` with each match replaced.
    pub(crate) fn apply(&self, text: &str) -> String {
        self.search.replace_all(text, |groups, out| {
            for piece in &self.pieces {
                out.push_str(match piece {
                    Piece::Text(text) => text,
                    Piece::Group(number) => groups.get(*number),
                });
            }
        })
    }
}

/// The pieces of a substitution: `\0` to `\9` are groups, `\\` is a backslash (RE2's rewrite syntax).
fn pieces(substitution: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = substitution.chars();
    while let Some(c) = chars.next() {
        match (c, (c == '\\').then(|| chars.clone().next()).flatten()) {
            ('\\', Some('\\')) => {
                chars.next();
                text.push('\\');
            }
            ('\\', Some(next)) if next.is_ascii_digit() => {
                chars.next();
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Group(next.to_digit(10).unwrap_or_default() as usize));
            }
            _ => text.push(c),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}
