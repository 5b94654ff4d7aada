//! Routes that can never be reached, because an earlier one takes all their requests. Advice, unless the Settings ask
//! for a warning (`warnRouteShortCircuiting`).

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};
use serin_api::gateway::{HeaderMatcher, Matcher, QueryParameterMatcher};
use serin_api::proxy::Route;

use crate::host::Host;
use crate::matcher::path_text;
use crate::pattern;
use crate::report::{Book, Finding};
use crate::view::View;

/// How many hidden routes of one host are named.
const MAX_FINDINGS: usize = 50;
/// How many earlier matchers on one path, and how many earlier expressions, are compared: enough to find mistakes
/// without making a large table slow.
const MAX_COMPARED: usize = 16;

/// Looks for hidden routes in a host.
pub(crate) fn report(view: &View<'_>, host: &Host<'_>, book: &mut Book) {
    let validation = view.settings.and_then(|settings| settings.spec.gateway.as_ref()?.validation.as_ref());
    let warns = validation.is_some_and(|validation| validation.warn_route_short_circuiting == Some(true));
    let name = host.resource.id.reference();
    let mut earlier = Earlier::default();
    let mut found = 0;
    for route in &host.routes {
        for (at, matcher) in route.matchers.iter().enumerate() {
            if let Some(hidden_by) = earlier.hides(route, matcher) {
                let what = match hidden_by {
                    Hidden::Twin(by) => format!("has conflicting matcher: {} of {}", describe(matcher), by.name),
                    Hidden::Prefix(by, prefix) => format!(
                        "has unordered prefix routes, earlier prefix [{prefix}] of {} short-circuited later route [{}]",
                        by.name,
                        describe(matcher)
                    ),
                    Hidden::Regex(by, regex) => format!(
                        "has unordered regex routes, earlier regex [{regex}] of {} short-circuited later route [{}]",
                        by.name,
                        describe(matcher)
                    ),
                };
                let message = format!("virtual host [{name}] {what}: {} gets no request", route.name);
                let path = format!("{}.matchers[{at}]", route.name);
                let finding = if warns {
                    Finding::left_out(&route.source, path, message)
                } else {
                    Finding::advice(&route.source, path, message)
                };
                let finding = Arc::new(finding);
                book.add_to_its_own(&finding);
                book.add_to(&host.resource.id, &finding);
                found += 1;
                if found == MAX_FINDINGS {
                    return;
                }
            }
        }
        route.matchers.iter().for_each(|matcher| earlier.add(route, matcher));
    }
}

/// How a matcher is hidden.
enum Hidden<'h> {
    Twin(&'h Route),
    Prefix(&'h Route, &'h str),
    Regex(&'h Route, &'h str),
}

/// The matchers so far.
#[derive(Default)]
struct Earlier<'h> {
    all: FxHashMap<u64, Vec<(&'h Route, &'h Matcher)>>,
    /// By prefix.
    prefixes: FxHashMap<&'h str, Vec<(&'h Route, &'h Matcher)>>,
    /// By prefix in lower case: those for which case does not matter.
    caseless: FxHashMap<String, Vec<(&'h Route, &'h Matcher)>>,
    /// The lengths of all prefixes.
    lengths: BTreeSet<usize>,
    regexes: Vec<(&'h Route, &'h Matcher, regex::Regex)>,
}

impl<'h> Earlier<'h> {
    fn add(&mut self, route: &'h Route, matcher: &'h Matcher) {
        let alike = self.all.entry(hash(matcher)).or_default();
        if alike.len() < MAX_COMPARED {
            alike.push((route, matcher));
        }
        if let Some(prefix) = &matcher.prefix {
            self.lengths.insert(prefix.len());
            let alike = if matcher.case_sensitive == Some(false) {
                self.caseless.entry(prefix.to_ascii_lowercase()).or_default()
            } else {
                self.prefixes.entry(prefix).or_default()
            };
            if alike.len() < MAX_COMPARED {
                alike.push((route, matcher));
            }
        }
        if let Some(pattern) = &matcher.regex
            && self.regexes.len() < MAX_COMPARED
            && let Ok(regex) = regex::Regex::new(&format!("^(?:{pattern})$"))
        {
            self.regexes.push((route, matcher, regex));
        }
    }

    fn hides(&self, route: &Route, matcher: &Matcher) -> Option<Hidden<'h>> {
        if matcher.connect_matcher.is_some() {
            return None;
        }
        let other = |by: &Route| !std::ptr::eq(by, route);
        let twins = self.all.get(&hash(matcher)).into_iter().flatten();
        if let Some((by, _)) = twins.filter(|(by, _)| other(by)).find(|(_, twin)| *twin == matcher) {
            return Some(Hidden::Twin(by));
        }
        // All that a regex matches begins with this much of it.
        let path = matcher.regex.as_deref().map_or_else(|| path_text(matcher), pattern::literal_prefix);
        let lower = if self.caseless.is_empty() { String::new() } else { path.to_ascii_lowercase() };
        for length in self.lengths.iter().take_while(|length| **length <= path.len()) {
            // What ignores case is not hidden by what does not.
            let sensitive = path.get(..*length).filter(|_| matcher.case_sensitive != Some(false));
            let sensitive = sensitive.and_then(|start| self.prefixes.get(start));
            let caseless = lower.get(..*length).and_then(|start| self.caseless.get(start));
            let mut candidates = sensitive.into_iter().chain(caseless).flatten().filter(|(by, _)| other(by));
            if let Some((by, earlier)) = candidates.find(|(_, earlier)| implied(earlier, matcher)) {
                return Some(Hidden::Prefix(by, path_text(earlier)));
            }
        }
        if matcher.regex.is_some() || matcher.case_sensitive == Some(false) {
            return None;
        }
        self.regexes.iter().filter(|(by, ..)| other(by)).find_map(|(by, earlier, regex)| {
            let pattern = path_text(earlier);
            // What goes on after a prefix is covered when the expression ends in "anything".
            let covers = matcher.exact.is_some() || pattern.ends_with(".*");
            (covers && regex.is_match(path) && implied(earlier, matcher)).then_some(Hidden::Regex(by, pattern))
        })
    }
}

/// Whether all conditions of `earlier`, apart from its path, hold whenever those of `later` do.
fn implied(earlier: &Matcher, later: &Matcher) -> bool {
    let methods = earlier.methods.is_empty()
        || (!later.methods.is_empty() && later.methods.iter().all(|method| earlier.methods.contains(method)));
    methods
        && earlier.headers.iter().all(|wanted| later.headers.iter().any(|given| header_implied(wanted, given)))
        && earlier
            .query_parameters
            .iter()
            .all(|wanted| later.query_parameters.iter().any(|given| parameter_implied(wanted, given)))
}

fn header_implied(wanted: &HeaderMatcher, given: &HeaderMatcher) -> bool {
    if wanted == given {
        return true;
    }
    if !wanted.name.eq_ignore_ascii_case(&given.name) || given.invert_match {
        return false;
    }
    if wanted.value.is_empty() {
        return !wanted.invert_match;
    }
    let exact = !given.regex && !given.value.is_empty();
    exact && !wanted.regex && (wanted.value == given.value) != wanted.invert_match
}

fn parameter_implied(wanted: &QueryParameterMatcher, given: &QueryParameterMatcher) -> bool {
    wanted == given || (wanted.name == given.name && wanted.value.is_empty())
}

fn hash(matcher: &Matcher) -> u64 {
    let mut hasher = FxHasher::default();
    (&matcher.prefix, &matcher.exact, &matcher.regex, matcher.case_sensitive, &matcher.methods).hash(&mut hasher);
    matcher.headers.iter().for_each(|header| (&header.name, &header.value).hash(&mut hasher));
    matcher.query_parameters.iter().for_each(|parameter| (&parameter.name, &parameter.value).hash(&mut hasher));
    hasher.finish()
}

fn describe(matcher: &Matcher) -> String {
    let mut parts = Vec::new();
    for (kind, path) in [("prefix", &matcher.prefix), ("exact", &matcher.exact), ("regex", &matcher.regex)] {
        parts.extend(path.iter().map(|path| format!("{kind}:{path}")));
    }
    parts.extend(matcher.headers.iter().map(|header| format!("header:{}={}", header.name, header.value)));
    parts.extend(matcher.query_parameters.iter().map(|given| format!("query:{}={}", given.name, given.value)));
    parts.extend(matcher.methods.iter().map(|method| format!("method:{method}")));
    parts.join(" ")
}
