//! Which path and which host an upstream gets, where the route says so.

mod stage;

use std::sync::Arc;

use serin_api::gateway::Matcher;
use serin_api::proxy::{EndpointSource, HostRewrite, PathRewrite, ProxySpec, Route, RoutePolicy, Substitution};
use stage::upstream::Upstream;
use stage::*;

fn with(route: Route, policy: RoutePolicy) -> Route {
    Route { policy: Some(Arc::new(policy)), ..route }
}

fn path(rewrite: PathRewrite) -> RoutePolicy {
    RoutePolicy { path_rewrite: Some(rewrite), ..RoutePolicy::default() }
}

fn host_of(rewrite: HostRewrite, append: bool) -> RoutePolicy {
    RoutePolicy { host_rewrite: Some(rewrite), append_x_forwarded_host: append, ..RoutePolicy::default() }
}

fn replacing(pattern: &str, substitution: &str) -> Substitution {
    Substitution { pattern: pattern.to_owned(), substitution: substitution.to_owned() }
}

fn line<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    body(answer).lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn a_regex_rewrites_the_path_and_leaves_the_query() {
    let upstream = Upstream::start("one");
    let regex = |pattern: &str, to: &str| path(PathRewrite::Regex(replacing(pattern, to)));
    let routes = vec![
        with(route("/users", to("up")), regex("^/users/([^/]+)/(.*)$", r"/\2/of/\1")),
        with(route("/each", to("up")), regex("a", "bb")),
        with(route("/", to("up")), regex("no-such-thing", "/lost")),
    ];
    let (_plane, address) = serve(routes, upstream.address);
    let asked = |path: &str| body(&get(address, path)).lines().nth(1).unwrap_or_default().to_owned();
    assert_eq!(asked("/users/7/books?x=/users/7/books"), "GET /books/of/7?x=/users/7/books HTTP/1.1");
    assert_eq!(asked("/each/banana?a"), "GET /ebbch/bbbnbbnbb?a HTTP/1.1");
    assert_eq!(asked("/other"), "GET /other HTTP/1.1");
}

#[test]
fn a_prefix_is_rewritten_whatever_its_case_and_a_whole_path_where_none_matched() {
    let upstream = Upstream::start("one");
    let prefix = |to: &str| path(PathRewrite::Prefix(to.to_owned()));
    let insensitive = Matcher { prefix: Some("/Old".into()), case_sensitive: Some(false), ..Matcher::default() };
    let exact = Matcher { exact: Some("/exact".into()), ..Matcher::default() };
    let regex = Matcher { regex: Some("/r[0-9]+".into()), ..Matcher::default() };
    let on =
        |matcher: Matcher, to: &str| Route { matchers: vec![matcher], ..with(route("/", self::to("up")), prefix(to)) };
    let routes = vec![on(insensitive, "/new"), on(exact, "/whole"), on(regex, "/number")];
    let (_plane, address) = serve(routes, upstream.address);
    let asked = |path: &str| body(&get(address, path)).lines().nth(1).unwrap_or_default().to_owned();
    assert_eq!(asked("/oLD/x?q"), "GET /new/x?q HTTP/1.1");
    assert_eq!(asked("/exact?q"), "GET /whole?q HTTP/1.1");
    assert_eq!(asked("/r12"), "GET /number HTTP/1.1");
}

#[test]
fn the_host_is_a_fixed_one_or_a_headers_or_made_of_the_path() {
    let upstream = Upstream::start("one");
    let routes = vec![
        with(route("/literal", to("up")), host_of(HostRewrite::Literal("fixed.example".into()), true)),
        with(route("/header", to("up")), host_of(HostRewrite::Header("x-to".into()), true)),
        with(
            route("/tenant", to("up")),
            RoutePolicy {
                path_rewrite: Some(PathRewrite::Prefix("/t".into())),
                ..host_of(HostRewrite::Path(replacing("^/tenant/([^/]+).*", r"\1.example")), false)
            },
        ),
    ];
    let (_plane, address) = serve(routes, upstream.address);
    let ask = |path: &str, headers: &str| {
        raw(address, &format!("GET {path} HTTP/1.1\r\nhost: test:8080\r\n{headers}connection: close\r\n\r\n"))
    };
    let answer = ask("/literal", "");
    assert_eq!((line(&answer, "host"), line(&answer, "x-forwarded-host")), (Some("fixed.example"), Some("test:8080")));
    let answer = ask("/literal", "x-forwarded-host: a, b\r\nx-forwarded-host: c\r\n");
    assert_eq!(line(&answer, "x-forwarded-host"), Some("a, b,c,test:8080"));
    let answer = ask("/literal", "x-forwarded-host: a,test:8080\r\n");
    assert_eq!(line(&answer, "x-forwarded-host"), Some("a,test:8080"), "it was the last one already");
    let answer = ask("/header", "x-to: there.example\r\n");
    assert_eq!((line(&answer, "host"), line(&answer, "x-forwarded-host")), (Some("there.example"), Some("test:8080")));
    let answer = ask("/header", "");
    assert_eq!((line(&answer, "host"), line(&answer, "x-forwarded-host")), (Some("test:8080"), None));
    let answer = ask("/tenant/blue/x?q=/tenant/red", "");
    assert_eq!(line(&answer, "host"), Some("blue.example"), "made of the client's path");
    assert!(answer.contains("GET /t/blue/x?q=/tenant/red "), "{answer}");
}

#[test]
fn the_host_is_the_chosen_endpoints_name_where_it_has_one() {
    let upstream = Upstream::start("one");
    let mut named = endpoint(upstream.address, "");
    named.host = "localhost".to_owned();
    let plane = data_plane();
    let auto = |path: &str, cluster: &str| with(route(path, to(cluster)), host_of(HostRewrite::Endpoint, true));
    let mut spec: ProxySpec = spec(
        vec![host("vs", &["*"], vec![auto("/named", "named"), auto("/pods", "pods"), auto("/ip", "up")])],
        &["named", "up", "pods"],
    );
    let mut pods = cluster("pods");
    pods.endpoints =
        EndpointSource::Service { service: serin_api::Ref::new("ns", "svc"), port: 80, selector: labels(&[]) };
    spec.clusters.insert("pods".into(), Arc::new(pods));
    let at = [endpoint(upstream.address, "")];
    plane.set_endpoints(endpoints(&[("named", &[named]), ("pods", &at), ("up", &at)]));
    plane.apply(Arc::new(spec)).expect("applied");
    let address = address(&plane);
    eventually("the name is looked up", || status(&get(address, "/named")) == 200);
    let answer = get(address, "/named");
    assert_eq!((line(&answer, "host"), line(&answer, "x-forwarded-host")), (Some("localhost"), Some("test")));
    assert_eq!(line(&get(address, "/ip"), "host"), Some("127.0.0.1"), "as it is written in the list");
    let answer = get(address, "/pods");
    assert_eq!((line(&answer, "host"), line(&answer, "x-forwarded-host")), (Some("test"), None));
}
