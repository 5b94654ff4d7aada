//! The compiled router against a plain walk of the list: random routes and requests, drawn from few parts so that they
//! meet often.

use std::cell::RefCell;
use std::collections::HashMap;

use http::{HeaderMap, HeaderValue, Method};
use regex_automata::meta::Regex;
use serin_api::gateway::{ConnectMatcher, HeaderMatcher, Matcher, QueryParameterMatcher};

use super::{Match, RequestView, RouterBuilder};

/// Routes × requests that are compared.
const ROUNDS: usize = 150;
const REQUESTS: usize = 120;

/// What the list means, written as plainly as it can be.
fn walk(list: &[Matcher], request: &RequestView<'_>) -> Option<Match> {
    let matches = |matcher: &Matcher| {
        let fold = matcher.case_sensitive == Some(false);
        let text = |text: &str| if fold { text.to_ascii_lowercase() } else { text.to_owned() };
        let path = text(request.path);
        let is_connect = *request.method == Method::CONNECT;
        let on_path = match matcher {
            Matcher { connect_matcher: Some(_), .. } => is_connect,
            _ if is_connect => false,
            Matcher { prefix: Some(prefix), .. } => path.starts_with(&text(prefix)),
            Matcher { exact: Some(exact), .. } => path == text(exact),
            Matcher { regex: Some(regex), .. } => whole(regex, request.path),
            _ => false,
        };
        on_path
            && (matcher.methods.is_empty() || matcher.methods.iter().any(|method| method == request.method.as_str()))
            && matcher.headers.iter().all(|header| header_holds(header, request))
            && matcher.query_parameters.iter().all(|parameter| query_holds(parameter, request))
    };
    let found = list.iter().position(matches)?;
    Some(Match { route: found as u32, prefix: list[found].prefix.as_ref().map(String::len) })
}

fn whole(regex: &str, value: &str) -> bool {
    thread_local!(static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default());
    COMPILED.with_borrow_mut(|compiled| {
        let compile = || Regex::new(&format!("^(?:{regex})$")).unwrap();
        compiled.entry(regex.to_owned()).or_insert_with(compile).is_match(value)
    })
}

fn header_holds(header: &HeaderMatcher, request: &RequestView<'_>) -> bool {
    let values: Vec<&str> = if header.name == ":authority" {
        request.authority.into_iter().collect()
    } else {
        request.headers.get_all(&header.name).iter().map(|value| value.to_str().unwrap()).collect()
    };
    let passes = |value: &&str| match header.regex {
        true => whole(&header.value, value),
        false => *value == header.value,
    };
    match values.is_empty() {
        none if header.value.is_empty() => none == header.invert_match,
        true => false,
        false => values.iter().any(passes) != header.invert_match,
    }
}

fn query_holds(parameter: &QueryParameterMatcher, request: &RequestView<'_>) -> bool {
    for pair in request.query.unwrap_or_default().split('&') {
        let mut parts = pair.splitn(2, '=');
        if request.query.is_some() && parts.next() == Some(&parameter.name) {
            let value = parts.next().unwrap_or_default();
            return match (parameter.value.as_str(), parameter.regex) {
                ("", _) => true,
                (regex, true) => whole(regex, value),
                (expected, false) => value == expected,
            };
        }
    }
    false
}

struct Dice(fastrand::Rng);

impl Dice {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.0.usize(..of.len())]
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.0.u32(..100) < percent
    }

    fn path(&mut self) -> String {
        let parts = self.0.usize(..4);
        let path: String =
            (0..=parts).map(|_| self.one(&["/", "/a", "/A", "/ab", "a", "b", "B", "/b/", "%2F", "/v1", "-"])).collect();
        if path.starts_with('/') { path } else { format!("/{path}") }
    }

    fn matcher(&mut self) -> Matcher {
        let mut matcher = Matcher::default();
        match self.0.u32(..100) {
            0..50 => matcher.prefix = Some(self.path()),
            50..70 => matcher.exact = Some(self.path()),
            70..97 => {
                matcher.regex = Some(
                    self.one(&[
                        "/a.*",
                        "/(a|ab)/b",
                        "/[aA]b?(/v[0-9])?",
                        ".*",
                        "/a|/b/",
                        "(?i)/A/V1",
                        "/a+b*",
                        "(/a)?(/b)?.*b",
                        "",
                        "/v1/.*",
                    ])
                    .to_owned(),
                );
            }
            _ => matcher.connect_matcher = Some(ConnectMatcher {}),
        }
        if self.chance(40) {
            matcher.case_sensitive = Some(self.chance(40));
        }
        for _ in 0..self.0.u32(..3).saturating_sub(1) {
            let (value, regex) = match self.0.u32(..3) {
                0 => ("", self.chance(20)),
                1 => (self.one(&["1", "2", "1,2", "h:80"]), false),
                _ => (self.one(&["[12]", "1.*", "h.*"]), true),
            };
            matcher.headers.push(HeaderMatcher {
                name: self.one(&["x-a", "x-b", ":authority"]).to_owned(),
                value: value.to_owned(),
                regex,
                invert_match: self.chance(30),
            });
        }
        if self.chance(20) {
            let (value, regex) = match self.0.u32(..3) {
                0 => ("", false),
                1 => (self.one(&["1", "2"]), false),
                _ => (self.one(&["[12]", ".*", "1?"]), true),
            };
            matcher.query_parameters.push(QueryParameterMatcher {
                name: self.one(&["q", "r", ""]).to_owned(),
                value: value.to_owned(),
                regex,
            });
        }
        if self.chance(20) {
            matcher.methods = vec![self.one(&["GET", "POST", "CONNECT"]).to_owned(), "PUT".to_owned()];
        }
        matcher
    }
}

#[test]
fn the_router_finds_what_a_walk_of_the_list_finds() {
    let mut dice = Dice(fastrand::Rng::with_seed(20));
    let (mut compared, mut found) = (0, 0);
    for round in 0..ROUNDS {
        let list: Vec<Matcher> = (0..dice.0.usize(1..25)).map(|_| dice.matcher()).collect();
        let mut router = RouterBuilder::default();
        for (number, matcher) in list.iter().enumerate() {
            router.add(number as u32, matcher).unwrap();
        }
        let router = router.build();
        for _ in 0..REQUESTS {
            let mut headers = HeaderMap::new();
            for name in ["x-a", "x-b"] {
                for _ in 0..dice.0.u32(..3) {
                    headers.append(name, HeaderValue::from_static(if dice.chance(50) { "1" } else { "2" }));
                }
            }
            let path = dice.path();
            let query = dice.one(&["", "q", "q=1", "r=2&q=2&q=1", "q=&r", "=1", "Q=1&r=1"]);
            let method = [Method::GET, Method::POST, Method::PUT, Method::CONNECT][dice.0.usize(..4)].clone();
            let request = RequestView {
                method: &method,
                path: &path,
                query: (!query.is_empty()).then_some(query),
                authority: Some(dice.one(&["h", "h:80"])),
                scheme: "http",
                headers: &headers,
            };
            let expected = walk(&list, &request);
            assert_eq!(router.find(&request), expected, "round {round}: {request:?}\n{list:#?}");
            compared += list.len();
            found += usize::from(expected.is_some());
        }
    }
    assert!(compared >= 100_000, "{compared} routes × requests");
    // A comparison of nothing with nothing proves little.
    assert!(found > ROUNDS * REQUESTS / 4, "{found} found");
}

#[test]
fn a_matcher_that_cannot_be_compiled_names_its_field() {
    let add = |matcher: Matcher| RouterBuilder::default().add(0, &matcher).unwrap_err().to_string();
    let prefix = || Matcher { prefix: Some("/".into()), ..Matcher::default() };
    assert!(
        add(Matcher { regex: Some("(".into()), ..Matcher::default() })
            .starts_with("regex: not a valid regular expression")
    );
    assert!(
        add(Matcher { regex: Some("(a{1000}){1000}".into()), ..Matcher::default() })
            .contains("make its repetitions smaller")
    );
    assert_eq!(add(Matcher::default()), "prefix: a matcher needs a path");
    assert_eq!(add(Matcher { methods: vec!["G T".into()], ..prefix() }), "methods[0]: \"G T\" is not a method");
    let header = HeaderMatcher { name: "a b".into(), ..HeaderMatcher::default() };
    assert_eq!(add(Matcher { headers: vec![header], ..prefix() }), "headers[0].name: \"a b\" is not a header name");
}

#[test]
fn ten_thousand_routes_cost_the_paths_length() {
    let mut router = RouterBuilder::default();
    for number in 0..10_000 {
        let matcher = Matcher { prefix: Some(format!("/service-{number}/")), ..Matcher::default() };
        router.add(number, &matcher).unwrap();
    }
    router.add(10_000, &Matcher { prefix: Some("/".into()), ..Matcher::default() }).unwrap();
    let router = router.build();
    let headers = HeaderMap::new();
    let request = |path| RequestView {
        method: &Method::GET,
        path,
        query: None,
        authority: None,
        scheme: "http",
        headers: &headers,
    };
    assert_eq!(router.find(&request("/service-9999/x")), Some(Match { route: 9999, prefix: Some(14) }));
    assert_eq!(router.find(&request("/service-10000/x")), Some(Match { route: 10_000, prefix: Some(1) }));
}
