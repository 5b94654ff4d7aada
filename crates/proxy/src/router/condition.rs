//! What a matcher asks of a request besides its path: headers, query parameters, methods.

use std::borrow::Cow;

use http::header::GetAll;
use http::{HeaderName, HeaderValue, Method};
use serin_api::gateway::{HeaderMatcher, Matcher, QueryParameterMatcher};

use super::pattern::Pattern;
use super::{MatcherError, RequestView, query};

/// The conditions of one matcher. All must hold.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    methods: Box<[Method]>,
    headers: Box<[HeaderCondition]>,
    query: Box<[QueryCondition]>,
}

#[derive(Debug)]
struct HeaderCondition {
    name: Name,
    test: Test,
    invert: bool,
}

/// Where the value of a header condition comes from. `Host` and `:authority` are one header, as in Envoy.
#[derive(Debug)]
enum Name {
    Authority,
    Method,
    Path,
    Scheme,
    Header(HeaderName),
}

#[derive(Debug)]
enum Test {
    Present,
    Exact(Box<[u8]>),
    Regex(Pattern),
}

#[derive(Debug)]
struct QueryCondition {
    name: Box<str>,
    test: Test,
}

impl Conditions {
    /// Compiles those of `matcher`; `None` when it has none.
    pub(crate) fn compile(matcher: &Matcher) -> Result<Option<Box<Self>>, MatcherError> {
        if matcher.methods.is_empty() && matcher.headers.is_empty() && matcher.query_parameters.is_empty() {
            return Ok(None);
        }
        let methods = matcher
            .methods
            .iter()
            .enumerate()
            .map(|(i, text)| {
                Method::from_bytes(text.as_bytes())
                    .map_err(|_| MatcherError::new(format!("methods[{i}]"), format!("{text:?} is not a method")))
            })
            .collect::<Result<_, _>>()?;
        let headers = matcher
            .headers
            .iter()
            .enumerate()
            .map(|(i, header)| HeaderCondition::compile(i, header))
            .collect::<Result<_, _>>()?;
        let query = matcher
            .query_parameters
            .iter()
            .enumerate()
            .map(|(i, parameter)| QueryCondition::compile(i, parameter))
            .collect::<Result<_, _>>()?;
        Ok(Some(Box::new(Self { methods, headers, query })))
    }

    /// Whether all of them hold for `request`.
    pub(crate) fn hold(&self, request: &RequestView<'_>) -> bool {
        (self.methods.is_empty() || self.methods.contains(request.method))
            && self.headers.iter().all(|condition| condition.holds(request))
            && self.query.iter().all(|condition| condition.holds(request.query))
    }
}

impl HeaderCondition {
    fn compile(index: usize, header: &HeaderMatcher) -> Result<Self, MatcherError> {
        let name = match header.name.to_ascii_lowercase().as_str() {
            ":authority" | "host" => Name::Authority,
            ":method" => Name::Method,
            ":path" => Name::Path,
            ":scheme" => Name::Scheme,
            other => Name::Header(HeaderName::from_bytes(other.as_bytes()).map_err(|_| {
                MatcherError::new(format!("headers[{index}].name"), format!("{:?} is not a header name", header.name))
            })?),
        };
        let test = Test::compile(&header.value, header.regex, || format!("headers[{index}].value"))?;
        Ok(Self { name, test, invert: header.invert_match })
    }

    /// A missing header fails every test of its value, inverted or not; only its presence can be inverted (Envoy).
    fn holds(&self, request: &RequestView<'_>) -> bool {
        let value = match &self.name {
            Name::Authority => request.authority.map(|text| Cow::Borrowed(text.as_bytes())),
            Name::Method => Some(Cow::Borrowed(request.method.as_str().as_bytes())),
            Name::Path => Some(match request.query {
                Some(query) => Cow::Owned(format!("{}?{query}", request.path).into_bytes()),
                None => Cow::Borrowed(request.path.as_bytes()),
            }),
            Name::Scheme => Some(Cow::Borrowed(request.scheme.as_bytes())),
            Name::Header(name) => return self.holds_for(request.headers.get_all(name)),
        };
        match (&self.test, value) {
            (Test::Present, value) => value.is_some() != self.invert,
            (_, None) => false,
            (test, Some(value)) => test.holds(&value) != self.invert,
        }
    }
}

impl HeaderCondition {
    /// Several values are tested one by one, and one that passes is enough, as in Envoy.
    fn holds_for(&self, values: GetAll<'_, HeaderValue>) -> bool {
        let mut values = values.iter().peekable();
        match (&self.test, values.peek().is_some()) {
            (Test::Present, present) => present != self.invert,
            (_, false) => false,
            (test, true) => values.any(|value| test.holds(value.as_bytes())) != self.invert,
        }
    }
}

impl QueryCondition {
    fn compile(index: usize, parameter: &QueryParameterMatcher) -> Result<Self, MatcherError> {
        let test = Test::compile(&parameter.value, parameter.regex, || format!("queryParameters[{index}].value"))?;
        Ok(Self { name: parameter.name.as_str().into(), test })
    }

    fn holds(&self, query: Option<&str>) -> bool {
        query
            .and_then(|query| query::first_value(query, &self.name))
            .is_some_and(|value| self.test.holds(value.as_bytes()))
    }
}

impl Test {
    fn compile(value: &str, regex: bool, path: impl Fn() -> String) -> Result<Self, MatcherError> {
        Ok(match (value.is_empty(), regex) {
            (true, _) => Self::Present,
            (false, false) => Self::Exact(value.as_bytes().into()),
            (false, true) => {
                Self::Regex(Pattern::new(value).map_err(|error| MatcherError::new(path(), error.to_string()))?)
            }
        })
    }

    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Present => true,
            Self::Exact(expected) => **expected == *value,
            Self::Regex(pattern) => pattern.matches(value),
        }
    }
}
