//! Matchers: what is wrong with one, and how much of it can be served all the same.

use std::sync::Arc;

use serin_api::ResourceId;
use serin_api::gateway::Matcher;

use crate::action::is_header_name;
use crate::field_path::FieldPath;
use crate::report::Finding;
use crate::{path, pattern};

/// A matcher and the state it is in.
#[derive(Clone)]
pub(crate) struct Checked<'a> {
    pub(crate) matcher: &'a Matcher,
    /// What its path is like.
    pub(crate) path: PathState,
    /// What is to be said of its path. Void when the path is inherited.
    pub(crate) path_finding: Option<Arc<Finding>>,
    /// Whether its headers and query parameters can be compared at all.
    pub(crate) conditions_hold: bool,
}

impl Checked<'_> {
    /// Whether nothing is wrong with it.
    pub(crate) fn is_fine(&self) -> bool {
        self.path == PathState::Fine && self.conditions_hold
    }
}

/// What a matcher's path is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathState {
    /// As it should be.
    Fine,
    /// There is none.
    Missing,
    /// Not one that a URL has, though it can be compared.
    Odd,
    /// It cannot be compared.
    Unusable,
}

/// Checks one matcher. What is wrong with anything but its path goes to `findings`.
pub(crate) fn check<'a>(
    owner: &ResourceId,
    matcher: &'a Matcher,
    at: &FieldPath<'_>,
    findings: &mut Vec<Arc<Finding>>,
) -> Checked<'a> {
    let (path, path_finding) = check_path(owner, matcher, at);
    let before = findings.len();
    let mut fault = |at: &FieldPath<'_>, reason: String| findings.push(Arc::new(route_error(owner, at, &reason)));
    for (index, header) in matcher.headers.iter().enumerate() {
        let at = at.element("headers", index);
        let known = header.name.strip_prefix(':').unwrap_or(&header.name);
        if !is_header_name(known) {
            fault(&at.field("name"), format!("{:?} is an invalid HTTP header name", header.name));
        }
        if header.regex
            && !header.value.is_empty()
            && let Err(reason) = pattern::check(&header.value)
        {
            fault(&at.field("value"), format!("invalid regex: {}: {reason}", header.value));
        }
    }
    for (index, parameter) in matcher.query_parameters.iter().enumerate() {
        let at = at.element("queryParameters", index);
        if parameter.name.is_empty() {
            fault(&at.field("name"), "a query parameter needs a name".to_owned());
        }
        if parameter.regex
            && !parameter.value.is_empty()
            && let Err(reason) = pattern::check(&parameter.value)
        {
            fault(&at.field("value"), format!("invalid regex: {}: {reason}", parameter.value));
        }
    }
    for (index, method) in matcher.methods.iter().enumerate() {
        if !is_header_name(method) {
            fault(&at.element("methods", index), format!("{method:?} is no HTTP method"));
        }
    }
    let conditions_hold = findings.len() == before;
    Checked { matcher, path, path_finding, conditions_hold }
}

fn check_path(owner: &ResourceId, matcher: &Matcher, at: &FieldPath<'_>) -> (PathState, Option<Arc<Finding>>) {
    let fault = |state, at: &FieldPath<'_>, reason: &str| (state, Some(Arc::new(route_error(owner, at, reason))));
    let plain = |field: &'static str, path: &str| match path::check(path) {
        Ok(()) if path.is_empty() || path.starts_with('/') => (PathState::Fine, None),
        Ok(()) => {
            let at = at.field(field);
            let message = format!("{at}: {path:?} does not begin with a slash, so no request matches it");
            (PathState::Fine, Some(Arc::new(Finding::advice(owner, at.to_string(), message))))
        }
        Err(reason) => fault(PathState::Odd, &at.field(field), &format!("the path is invalid: {path}: {reason}")),
    };
    match (&matcher.prefix, &matcher.exact, &matcher.regex, &matcher.connect_matcher) {
        (Some(prefix), None, None, None) => plain("prefix", prefix),
        (None, Some(exact), None, None) => plain("exact", exact),
        (None, None, Some(regex), None) => match pattern::check(regex) {
            Ok(()) => (PathState::Fine, None),
            Err(reason) => fault(
                PathState::Unusable,
                &at.field("regex"),
                &format!(
                    "[{}.{}] has a regex matcher with invalid regex: {regex}: {reason}",
                    owner.namespace, owner.name
                ),
            ),
        },
        (None, None, None, Some(_)) => (PathState::Fine, None),
        (None, None, None, None) => {
            fault(PathState::Missing, at, "no path specifier provided: set prefix, exact or regex")
        }
        _ => fault(PathState::Unusable, at, "keep only one of prefix, exact, regex and connectMatcher"),
    }
}

/// A fault of a route, in the words of Gloo's route errors.
pub(crate) fn route_error(owner: &ResourceId, at: &FieldPath<'_>, reason: &str) -> Finding {
    let at = at.to_string();
    let message = format!("Route Error: InvalidMatcherError. Reason: {at}: {reason}");
    Finding::error(owner, at, message)
}

/// A matcher's path as text, whatever its type; empty when it has none. As in Gloo.
pub(crate) fn path_text(matcher: &Matcher) -> &str {
    [&matcher.prefix, &matcher.exact, &matcher.regex].into_iter().flatten().next().map_or("", String::as_str)
}

/// Whether a matcher says anything of the path.
pub(crate) fn has_path(matcher: &Matcher) -> bool {
    matcher.prefix.is_some() || matcher.exact.is_some() || matcher.regex.is_some() || matcher.connect_matcher.is_some()
}

/// The matcher of a route without matchers.
pub(crate) fn everything() -> Matcher {
    Matcher { prefix: Some("/".to_owned()), ..Matcher::default() }
}

/// Gives a matcher another one's path and case sensitivity.
pub(crate) fn take_path(matcher: &mut Matcher, from: &Matcher) {
    matcher.prefix.clone_from(&from.prefix);
    matcher.exact.clone_from(&from.exact);
    matcher.regex.clone_from(&from.regex);
    matcher.connect_matcher.clone_from(&from.connect_matcher);
    matcher.case_sensitive = from.case_sensitive;
}

/// The part of a matcher that can be served in place of one that is invalid and closed: at least all the requests
/// that it can have meant.
pub(crate) fn widen(checked: &Matcher, path: PathState, conditions_hold: bool, within: &str) -> Matcher {
    let mut matcher = checked.clone();
    if path == PathState::Unusable || path == PathState::Missing {
        let literal = checked.regex.as_deref().filter(|_| checked.prefix.is_none() && checked.exact.is_none());
        let literal = literal.map(pattern::literal_prefix).filter(|prefix| prefix.starts_with(within));
        let prefix = literal.unwrap_or(within);
        take_path(&mut matcher, &Matcher { prefix: Some(prefix.to_owned()), ..Matcher::default() });
        matcher.case_sensitive = checked.case_sensitive;
    }
    if !conditions_hold {
        matcher.headers.clear();
        matcher.query_parameters.clear();
        matcher.methods.clear();
    }
    matcher
}
