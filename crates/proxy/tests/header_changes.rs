//! Headers that routes, hosts and weighted destinations add to and remove from requests and responses.

mod stage;

use std::sync::Arc;

use serin_api::proxy::{
    Action, AddedHeader, Forward, HeaderChanges, HeaderEdits, HostPolicy, PathRedirect, PathRewrite, Redirect, Route,
    RoutePolicy, Target, VirtualHost, WeightedTarget,
};
use serin_proxy::DataPlane;
use stage::upstream::Upstream;
use stage::*;

fn edits(remove: &[&str], add: &[(&str, &str, bool)]) -> HeaderEdits {
    let added = |(name, value, append): &(&str, &str, bool)| AddedHeader {
        name: (*name).into(),
        value: (*value).into(),
        append: *append,
    };
    HeaderEdits { remove: remove.iter().map(|name| (*name).to_owned()).collect(), add: add.iter().map(added).collect() }
}

fn on_request(request: HeaderEdits) -> HeaderChanges {
    HeaderChanges { request, ..HeaderChanges::default() }
}

fn on_response(response: HeaderEdits) -> HeaderChanges {
    HeaderChanges { response, ..HeaderChanges::default() }
}

fn with(route: Route, headers: HeaderChanges) -> Route {
    Route { policy: Some(Arc::new(RoutePolicy { headers: Some(headers), ..RoutePolicy::default() })), ..route }
}

/// Serves `routes` on a host with options of its own.
fn serve_on_host(
    routes: Vec<Route>,
    host_changes: HeaderChanges,
    upstream: &Upstream,
) -> (DataPlane, std::net::SocketAddr) {
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream.address, "")])]));
    let policy = Some(Arc::new(HostPolicy { headers: Some(host_changes), ..HostPolicy::default() }));
    let host = Arc::new(VirtualHost { policy, ..VirtualHost::clone(&host("vs", &["*"], routes)) });
    plane.apply(Arc::new(spec(vec![host], &["up", "none"]))).expect("applied");
    let address = address(&plane);
    (plane, address)
}

/// The values of a header that the upstream got.
fn got<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    body(answer).lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

/// The values of a header that the client got.
fn sent<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

fn ask(address: std::net::SocketAddr, path: &str, headers: &str) -> String {
    raw(address, &format!("GET {path} HTTP/1.1\r\nhost: test\r\n{headers}connection: close\r\n\r\n"))
}

#[test]
fn request_headers_are_removed_replaced_and_appended() {
    let upstream = Upstream::start("one");
    let changes = edits(
        &["x-gone", "x-both"],
        &[("x-more", "new", true), ("x-over", "new", false), ("x-both", "new", true), ("x-empty", "%REQ(x-no)%", true)],
    );
    let routes = vec![with(route("/", to("up")), on_request(changes))];
    let (_plane, address) = serve(routes, upstream.address);
    let answer = ask(address, "/", "x-gone: 1\r\nx-more: old\r\nx-over: a\r\nx-over: b\r\nx-both: old\r\n");
    assert_eq!(got(&answer, "x-gone"), [""; 0]);
    assert_eq!(got(&answer, "x-more"), ["old", "new"]);
    assert_eq!(got(&answer, "x-over"), ["new"]);
    assert_eq!(got(&answer, "x-both"), ["new"], "what is removed goes first");
    assert_eq!(got(&answer, "x-empty"), [""; 0], "what comes to nothing is not added");
}

#[test]
fn values_are_made_of_the_request_the_connection_and_the_response() {
    let upstream = Upstream::start("one");
    let policy = RoutePolicy {
        path_rewrite: Some(PathRewrite::Prefix("/new".into())),
        headers: Some(HeaderChanges {
            request: edits(
                &[],
                &[
                    ("x-req", "%REQ(:method)% %REQ(:path)% %REQ(:authority)% %REQ(x-no?x-a):3% [%RESP(x)%]", true),
                    ("x-con", "%PROTOCOL% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% 100%% %RESPONSE_CODE%", true),
                    ("x-peer", "%DOWNSTREAM_REMOTE_ADDRESS%", true),
                    ("x-start", "%START_TIME%", true),
                    ("x-host", "%HOSTNAME%", true),
                ],
            ),
            response: edits(
                &[],
                &[("x-res", "%RESPONSE_CODE% %RESP(content-length?x)% %REQ(:path)% %UPSTREAM_HOST%", true)],
            ),
        }),
        ..RoutePolicy::default()
    };
    let routes = vec![Route { policy: Some(Arc::new(policy)), ..route("/old", to("up")) }];
    let (_plane, address) = serve(routes, upstream.address);
    let answer = ask(address, "/old?q", "x-a: abcdef\r\n");
    assert_eq!(got(&answer, "x-req"), ["GET /old?q test abc []"]);
    assert_eq!(got(&answer, "x-con"), ["HTTP/1.1 127.0.0.1 100% 0"]);
    assert!(got(&answer, "x-peer")[0].starts_with("127.0.0.1:"), "{answer}");
    let start = got(&answer, "x-start")[0];
    assert!(start.len() == "2026-01-02T03:04:05.678Z".len() && start.ends_with('Z'), "{start}");
    assert_eq!(got(&answer, "x-host").len(), 1);
    let length = header(&answer, "content-length").unwrap();
    assert_eq!(
        sent(&answer, "x-res"),
        [format!("200 {length} /new?q {}", upstream.address)],
        "the path as it was sent"
    );
}

#[test]
fn the_destination_comes_before_the_route_and_the_route_before_the_host() {
    let upstream = Upstream::start("one");
    let both = |value: &str, append| {
        let edits = edits(&[], &[("x-by", value, append), ("x-all", value, true)]);
        HeaderChanges { request: edits.clone(), response: edits }
    };
    let target = Target::Cluster { cluster: "up".into(), subset: labels(&[]) };
    let weighted = WeightedTarget { target, weight: 1, headers: Some(Arc::new(both("destination", true))) };
    let weighted = Action::Forward(Forward::Weighted(vec![weighted]));
    let routes = vec![with(route("/three", weighted), both("route", true)), route("/", to("up"))];
    let (_plane, address) = serve_on_host(routes, both("host", false), &upstream);
    let answer = ask(address, "/three", "x-all: client\r\n");
    assert_eq!(got(&answer, "x-all"), ["client", "destination", "route", "host"]);
    assert_eq!(sent(&answer, "x-all"), ["destination", "route", "host"]);
    assert_eq!((got(&answer, "x-by"), sent(&answer, "x-by")), (vec!["host"], vec!["host"]));
    assert_eq!(sent(&ask(address, "/other", ""), "x-all"), ["host"], "on a route without options");
}

#[test]
fn responses_of_our_own_are_changed_too() {
    let upstream = Upstream::start("one");
    let redirect = Action::Redirect(Redirect {
        status: 302,
        host: None,
        port: None,
        https: false,
        path: PathRedirect::Replace("/x".into()),
        strip_query: false,
    });
    let mine = |value: &str| on_response(edits(&[], &[("x-mine", value, true)]));
    let typed = on_response(edits(&[], &[("content-type", "text/html", false), ("x-code", "%RESPONSE_CODE%", true)]));
    let routes = vec![
        with(route("/redirect", redirect), mine("%RESP(location)%")),
        with(route("/said", respond(200, "said")), typed),
        with(route("/none", to("none")), mine("none %REQ(x-a)%")),
    ];
    let (_plane, address) = serve_on_host(routes, on_response(edits(&[], &[("x-host", "h", true)])), &upstream);
    let answer = ask(address, "/redirect", "");
    assert_eq!((sent(&answer, "x-mine"), sent(&answer, "x-host")), (vec!["http://test/x"], vec!["h"]));
    let answer = ask(address, "/said", "");
    assert_eq!(sent(&answer, "content-type"), ["text/html"]);
    assert_eq!(sent(&answer, "x-code"), ["0"], "as in Envoy, there is none yet");
    let answer = ask(address, "/none", "x-a: b\r\n");
    assert_eq!((status(&answer), sent(&answer, "x-mine")), (503, vec!["none b"]));
    assert_eq!(sent(&answer, "content-type"), ["text/plain"]);
}

#[test]
fn response_headers_of_the_upstream_are_removed() {
    let upstream = Upstream::start("one");
    let changes = on_response(edits(&["x-public"], &[("x-was", "%RESP(x-public)%", true)]));
    let (_plane, address) = serve(vec![with(route("/", to("up")), changes)], upstream.address);
    let answer = ask(address, "/hop", "");
    assert_eq!((sent(&answer, "x-public"), sent(&answer, "x-was")), (vec![""; 0], vec![""; 0]));
}
