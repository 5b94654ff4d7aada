//! The compiled router against the plainest one there is: each matcher alone, in the order of the list, the first that matches.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use serin_api::gateway::{ConnectMatcher, HeaderMatcher, Matcher, QueryParameterMatcher};
use serin_proxy::router::{RequestView, RouterBuilder};

const NAMES: &[&str] = &["a", "stage", ":authority", ":method", ":path", "cookie", "x-b", "A"];
const METHODS: &[&str] = &["GET", "POST", "CONNECT", "get", "X"];

/// Text in which paths and patterns often meet.
fn text(input: &mut Unstructured<'_>) -> Result<String> {
    let length = input.int_in_range(0..=6)?;
    let parts = &["/", "a", "A", "b", "/a", "ab", ".", ".*", "[ab]+", "(a|b)", "%41", "\u{e9}", "=", "&", "?"];
    (0..length).map(|_| Ok(*input.choose(parts)?)).collect()
}

fn name(input: &mut Unstructured<'_>) -> Result<String> {
    Ok((*input.choose(NAMES)?).to_owned())
}

fn some_of<T>(input: &mut Unstructured<'_>, mut one: impl FnMut(&mut Unstructured<'_>) -> Result<T>) -> Result<Vec<T>> {
    let length = input.int_in_range(0..=5u8)?.saturating_sub(3);
    (0..length).map(|_| one(input)).collect()
}

fn matcher(input: &mut Unstructured<'_>) -> Result<Matcher> {
    let mut matcher = Matcher {
        case_sensitive: input.arbitrary()?,
        headers: some_of(input, |input| {
            Ok(HeaderMatcher {
                name: name(input)?,
                value: text(input)?,
                regex: input.arbitrary()?,
                invert_match: input.arbitrary()?,
            })
        })?,
        query_parameters: some_of(input, |input| {
            Ok(QueryParameterMatcher { name: name(input)?, value: text(input)?, regex: input.arbitrary()? })
        })?,
        methods: some_of(input, |input| Ok((*input.choose(METHODS)?).to_owned()))?,
        ..Matcher::default()
    };
    match input.int_in_range(0..=8)? {
        0..=4 => matcher.prefix = Some(text(input)?),
        5 | 6 => matcher.exact = Some(text(input)?),
        7 => matcher.regex = Some(text(input)?),
        _ => matcher.connect_matcher = Some(ConnectMatcher {}),
    }
    Ok(matcher)
}

#[derive(Debug)]
struct Request {
    method: Method,
    path: String,
    query: Option<String>,
    authority: Option<String>,
    headers: HeaderMap,
}

impl Request {
    fn view(&self) -> RequestView<'_> {
        RequestView {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            authority: self.authority.as_deref(),
            scheme: "http",
            headers: &self.headers,
        }
    }
}

#[derive(Debug)]
struct Case {
    matchers: Vec<Matcher>,
    requests: Vec<Request>,
}

fn request(input: &mut Unstructured<'_>) -> Result<Request> {
    let mut headers = HeaderMap::new();
    for (name, value) in some_of(input, |input| Ok((name(input)?, text(input)?)))? {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    let query = if input.arbitrary()? { Some(text(input)?) } else { None };
    let authority = if input.arbitrary()? { Some(text(input)?) } else { None };
    let method = Method::from_bytes(input.choose(METHODS)?.as_bytes()).expect("a method");
    Ok(Request { method, path: text(input)?, query, authority, headers })
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let matchers = (0..input.int_in_range(1..=12)?).map(|_| matcher(input)).collect::<Result<_>>()?;
        let requests = (0..input.int_in_range(1..=4)?).map(|_| request(input)).collect::<Result<_>>()?;
        Ok(Case { matchers, requests })
    }
}

fuzz_target!(|case: Case| {
    let mut compiled = RouterBuilder::default();
    let mut alone = Vec::new();
    for (number, matcher) in case.matchers.iter().enumerate() {
        let number = u32::try_from(number).expect("few matchers");
        let mut single = RouterBuilder::default();
        let result = compiled.add(number, matcher);
        assert_eq!(result.is_ok(), single.add(number, matcher).is_ok());
        if result.is_ok() {
            alone.push(single.build());
        }
    }
    let compiled = compiled.build();
    for request in &case.requests {
        let first = alone.iter().find_map(|router| router.find(&request.view()));
        assert_eq!(compiled.find(&request.view()), first, "{request:?}");
    }
});
