//! Whether a delegated route stays inside what was delegated to it.

use serin_api::gateway::{HeaderMatcher, Matcher, QueryParameterMatcher};

use crate::matcher::path_text;

/// Why a child's matcher is outside its parent's; `None` when it is inside. The sentences begin as Gloo's do.
pub(super) fn outside(child: &Matcher, parent: &Matcher) -> Option<String> {
    let prefix = parent.prefix.as_deref().unwrap_or_default();
    let path = path_text(child);
    if !path.starts_with(prefix) {
        return Some(format!(
            "required prefix: {prefix}, prefix: {path}: invalid route: route table matchers must begin with the prefix \
             of their parent route's matcher"
        ));
    }
    // Unset means true. Ours: Gloo takes unset and true for a disagreement.
    let case = |matcher: &Matcher| matcher.case_sensitive.unwrap_or(true);
    if case(child) != case(parent) {
        return Some(format!(
            "required caseSensitive: {}, caseSensitive: {}: invalid route: route table matchers must have the same case \
             sensitivity of their parent route's matcher",
            case(parent),
            case(child)
        ));
    }
    if let Some(missing) = parent.headers.iter().find(|wanted| !has_header(child, wanted)) {
        return Some(format!(
            "required header: {}: invalid route: route table matchers must have all headers that were specified on their \
             parent route's matcher",
            header(missing)
        ));
    }
    if let Some(missing) = parent.query_parameters.iter().find(|wanted| !has_parameter(child, wanted)) {
        return Some(format!(
            "required query parameter: {}={}: invalid route: route table matchers must have all query params that were \
             specified on their parent route's matcher",
            missing.name, missing.value
        ));
    }
    if let Some(missing) = parent.methods.iter().find(|wanted| !child.methods.contains(wanted)) {
        return Some(format!(
            "required method: {missing}: invalid route: route table matchers must have all methods that were specified \
             on their parent route's matcher"
        ));
    }
    None
}

/// By name; where a name appears twice, the last one counts, as in Gloo.
fn has_header(child: &Matcher, wanted: &HeaderMatcher) -> bool {
    child.headers.iter().rev().find(|header| header.name == wanted.name) == Some(wanted)
}

fn has_parameter(child: &Matcher, wanted: &QueryParameterMatcher) -> bool {
    child.query_parameters.iter().rev().find(|parameter| parameter.name == wanted.name) == Some(wanted)
}

fn header(header: &HeaderMatcher) -> String {
    let not = if header.invert_match { "not " } else { "" };
    let sign = if header.regex { "~" } else { "=" };
    format!("{not}{}{sign}{}", header.name, header.value)
}
