//! The compiled router: from a request to the first route in list order that matches it, in time that grows with the
//! request's path and not with the number of routes.
//!
//! Paths are compared as they came, without query and fragment: nothing is decoded or normalised, as in Gloo's and
//! Envoy's defaults. [`Router`] is for one virtual host; [`HostIndex`] finds the virtual host.

mod condition;
mod host;
mod path_index;
mod path_tree;
mod pattern;
mod query;
#[cfg(test)]
mod tests;

use http::{HeaderMap, Method};
use serin_api::gateway::Matcher;

pub use host::{HostIndex, without_port};
pub(crate) use pattern::Search;
pub use pattern::{Pattern, PatternError};

use condition::Conditions;
use path_index::PathIndex;
use path_tree::{Kind, PathTree};

/// What routing looks at in a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path without its query.
    pub path: &'a str,
    /// The query, without its `?`.
    pub query: Option<&'a str>,
    /// What Host or `:authority` says, if there is one.
    pub authority: Option<&'a str>,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// Why a matcher was refused: the path of the field inside the matcher, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct MatcherError {
    /// The field, as in `headers[0].value`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl MatcherError {
    fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// A match: which route, and how much of the path its matcher covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The number that the route was added with.
    pub route: u32,
    /// Bytes of the path that a prefix matched; `None` where the whole path did.
    pub prefix: Option<usize>,
}

/// The routes of one virtual host.
#[derive(Debug)]
pub struct Router {
    entries: Entries,
    paths: PathIndex<false>,
    /// For matchers that do not look at case.
    folded_paths: Option<PathIndex<true>>,
    connects: Vec<u32>,
}

/// A [`Router`] in the making.
///
/// ```
/// use serin_api::gateway::Matcher;
/// use serin_proxy::router::RouterBuilder;
///
/// let mut builder = RouterBuilder::default();
/// builder.add(0, &Matcher { prefix: Some("/echo".into()), ..Matcher::default() })?;
/// let router = builder.build();
/// # Ok::<(), serin_proxy::router::MatcherError>(())
/// ```
#[derive(Debug, Default)]
pub struct RouterBuilder {
    entries: Entries,
    paths: PathTree,
    folded_paths: Option<PathTree>,
    connects: Vec<u32>,
}

/// No prefix: the matcher covers the whole path.
const WHOLE: u32 = u32::MAX;

/// The matchers, by number. What only some have is apart from what every request reads.
#[derive(Debug, Default)]
struct Entries {
    entries: Vec<Entry>,
    checks: Vec<Check>,
}

/// What every request reads of a matcher: one place in memory.
#[derive(Clone, Copy, Debug)]
struct Entry {
    route: u32,
    /// Bytes of the matcher's prefix.
    prefix: u32,
    /// Its place in `checks`, or [`NO_CHECK`].
    check: u32,
}

/// What must hold of a request besides the text of its path.
#[derive(Debug)]
struct Check {
    pattern: Option<Box<Pattern>>,
    conditions: Option<Box<Conditions>>,
}

const NO_CHECK: u32 = u32::MAX;

impl RouterBuilder {
    /// Adds a matcher for `route`. Matchers are tried in the order they were added.
    ///
    /// # Errors
    /// When the matcher has no path, more than one, or a part that cannot be compiled.
    pub fn add(&mut self, route: u32, matcher: &Matcher) -> Result<(), MatcherError> {
        let number = self.entries.entries.len() as u32;
        let mut check = Check { pattern: None, conditions: Conditions::compile(matcher)? };
        let mut covered = WHOLE;
        let fold = matcher.case_sensitive == Some(false);
        match (&matcher.prefix, &matcher.exact, &matcher.regex, &matcher.connect_matcher) {
            (Some(prefix), None, None, None) => {
                covered = prefix.len() as u32;
                self.index(prefix.as_bytes(), Kind::Prefix, fold, number);
            }
            (None, Some(exact), None, None) => self.index(exact.as_bytes(), Kind::Exact, fold, number),
            (None, None, Some(regex), None) => {
                let pattern = Pattern::new(regex).map_err(|error| MatcherError::new("regex", error.to_string()))?;
                self.index(pattern.literal_prefix(), Kind::Pattern, false, number);
                check.pattern = Some(Box::new(pattern));
            }
            (None, None, None, Some(_)) => self.connects.push(number),
            (None, None, None, None) => return Err(MatcherError::new("prefix", "a matcher needs a path")),
            _ => {
                return Err(MatcherError::new(
                    "prefix",
                    "a matcher has one of prefix, exact, regex and connectMatcher",
                ));
            }
        }
        self.entries.push(route, covered, check);
        Ok(())
    }

    fn index(&mut self, text: &[u8], kind: Kind, fold: bool, number: u32) {
        if fold {
            let tree = self.folded_paths.get_or_insert_default();
            tree.insert(&text.to_ascii_lowercase(), kind, number);
        } else {
            self.paths.insert(text, kind, number);
        }
    }

    /// The router.
    #[must_use]
    pub fn build(self) -> Router {
        Router {
            entries: self.entries,
            paths: PathIndex::new(&self.paths),
            folded_paths: self.folded_paths.as_ref().map(PathIndex::new),
            connects: self.connects,
        }
    }
}

impl Router {
    /// The first route in list order that matches. CONNECT has no path, so that only CONNECT matchers match it.
    pub fn find(&self, request: &RequestView<'_>) -> Option<Match> {
        let holds = |number: u32| self.entries.hold(number, request);
        let best = if *request.method == Method::CONNECT {
            self.connects.iter().copied().find(|number| holds(*number)).unwrap_or(u32::MAX)
        } else {
            let path = request.path.as_bytes();
            let best = self.paths.first(path, u32::MAX, holds);
            self.folded_paths.as_ref().map_or(best, |folded| folded.first(path, best, holds))
        };
        let Entry { route, prefix, .. } = *self.entries.entries.get(best as usize)?;
        Some(Match { route, prefix: (prefix != WHOLE).then_some(prefix as usize) })
    }
}

impl Entries {
    fn push(&mut self, route: u32, prefix: u32, check: Check) {
        let plain = check.pattern.is_none() && check.conditions.is_none();
        let place = if plain { NO_CHECK } else { self.checks.len() as u32 };
        self.entries.push(Entry { route, prefix, check: place });
        if !plain {
            self.checks.push(check);
        }
    }

    fn hold(&self, number: u32, request: &RequestView<'_>) -> bool {
        match self.entries.get(number as usize).map(|entry| entry.check) {
            Some(NO_CHECK) => true,
            Some(place) => self.checks.get(place as usize).is_some_and(|check| check.holds(request)),
            None => false,
        }
    }
}

impl Check {
    fn holds(&self, request: &RequestView<'_>) -> bool {
        self.conditions.as_ref().is_none_or(|conditions| conditions.hold(request))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(request.path.as_bytes()))
    }
}
