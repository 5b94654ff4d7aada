//! Matchers: which requests a route is for, in Envoy's terms.

use envoy_types::pb::envoy::config::route::v3::header_matcher::HeaderMatchSpecifier;
use envoy_types::pb::envoy::config::route::v3::query_parameter_matcher::QueryParameterMatchSpecifier;
use envoy_types::pb::envoy::config::route::v3::route_match::{ConnectMatcher, PathSpecifier};
use envoy_types::pb::envoy::config::route::v3::{HeaderMatcher, QueryParameterMatcher, RouteMatch};
use envoy_types::pb::google::protobuf::BoolValue;
use serin_api::gateway;

use crate::protobuf::{regex, string_matcher};

/// One matcher.
pub(crate) fn route_match(matcher: &gateway::Matcher) -> RouteMatch {
    let gateway::Matcher {
        prefix,
        exact,
        regex: pattern,
        connect_matcher,
        case_sensitive,
        headers,
        query_parameters,
        methods,
    } = matcher;
    let path = match (connect_matcher, exact, pattern, prefix) {
        (Some(gateway::ConnectMatcher {}), ..) => PathSpecifier::ConnectMatcher(ConnectMatcher {}),
        (_, Some(path), ..) => PathSpecifier::Path(path.clone()),
        (_, _, Some(pattern), _) => PathSpecifier::SafeRegex(regex(pattern)),
        (_, _, _, prefix) => PathSpecifier::Prefix(prefix.clone().unwrap_or_else(|| "/".to_owned())),
    };
    RouteMatch {
        path_specifier: Some(path),
        case_sensitive: case_sensitive.map(|value| BoolValue { value }),
        headers: headers.iter().map(header).chain(one_of(methods)).collect(),
        query_parameters: query_parameters.iter().map(query_parameter).collect(),
        ..RouteMatch::default()
    }
}

fn header(matcher: &gateway::HeaderMatcher) -> HeaderMatcher {
    let gateway::HeaderMatcher { name, value, regex, invert_match } = matcher;
    let name = if name.eq_ignore_ascii_case("host") { ":authority" } else { name };
    let test = match value.is_empty() {
        true => HeaderMatchSpecifier::PresentMatch(true),
        false => HeaderMatchSpecifier::StringMatch(string_matcher(value, *regex)),
    };
    HeaderMatcher {
        name: name.to_owned(),
        invert_match: *invert_match,
        header_match_specifier: Some(test),
        ..HeaderMatcher::default()
    }
}

fn query_parameter(matcher: &gateway::QueryParameterMatcher) -> QueryParameterMatcher {
    let gateway::QueryParameterMatcher { name, value, regex } = matcher;
    let test = match value.is_empty() {
        true => QueryParameterMatchSpecifier::PresentMatch(true),
        false => QueryParameterMatchSpecifier::StringMatch(string_matcher(value, *regex)),
    };
    QueryParameterMatcher { name: name.clone(), query_parameter_match_specifier: Some(test) }
}

/// The request's method is one of `methods`; no condition when there are none.
fn one_of(methods: &[String]) -> Option<HeaderMatcher> {
    let test = match methods {
        [] => return None,
        [only] => string_matcher(only, false),
        several => string_matcher(&several.iter().map(|method| escaped(method)).collect::<Vec<_>>().join("|"), true),
    };
    Some(HeaderMatcher {
        name: ":method".to_owned(),
        header_match_specifier: Some(HeaderMatchSpecifier::StringMatch(test)),
        ..HeaderMatcher::default()
    })
}

/// A word as a regular expression: a method, or a cookie's name, may hold characters that mean something there.
pub(crate) fn escaped(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        if !c.is_alphanumeric() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_the_authority_and_no_value_is_presence() {
        let made = header(&gateway::HeaderMatcher { name: "Host".to_owned(), ..gateway::HeaderMatcher::default() });
        assert_eq!(made.name, ":authority");
        assert_eq!(made.header_match_specifier, Some(HeaderMatchSpecifier::PresentMatch(true)));
    }

    #[test]
    fn methods_are_one_condition() {
        let methods = ["GET".to_owned(), "M-SEARCH".to_owned()];
        let made = one_of(&methods).unwrap();
        assert_eq!(made.name, ":method");
        let expected = HeaderMatchSpecifier::StringMatch(string_matcher(r"GET|M\-SEARCH", true));
        assert_eq!(made.header_match_specifier, Some(expected));
        assert_eq!(one_of(&[]), None);
    }
}
