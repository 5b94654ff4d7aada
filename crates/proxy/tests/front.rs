//! What a listener does to every request before any route sees it, and to every response.

mod stage;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use serin_api::gateway::HeaderMatcher;
use serin_api::proxy::{
    Action, EscapedSlashes, ForwardedSettings, HttpSettings, PathRedirect, PathSettings, Redirect, Route, ServerHeader,
    Underscores,
};
use serin_proxy::DataPlane;
use stage::scripted::scripted;
use stage::upstream::Upstream;
use stage::*;

/// A data plane whose listener has `http`, and sends everything but `routes` to the upstream.
fn serve_with(http: HttpSettings, mut routes: Vec<Route>, upstream: SocketAddr) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream, "")])]));
    routes.push(route("/", to("up")));
    let mut spec = spec(vec![host("vs", &["*"], routes)], &["up"]);
    std::sync::Arc::make_mut(&mut spec.listeners[0]).http = http;
    plane.apply(std::sync::Arc::new(spec)).expect("applied");
    let address = address(&plane);
    (plane, address)
}

fn ask(address: SocketAddr, target: &str, headers: &str) -> String {
    raw(address, &format!("GET {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n"))
}

#[test]
fn routes_and_upstreams_see_the_same_normalised_path() {
    let upstream = Upstream::start("one");
    let admin = route("/admin", respond(403, "closed"));
    let (_plane, address) = serve_with(HttpSettings::default(), vec![admin], upstream.address);
    for sly in ["/x/../admin", "/%61dmin", "/./admin", "/x/%2e%2e/admin/a", "/a\\..\\admin", "/x/..;y/admin"] {
        assert_eq!(status(&ask(address, sly, "")), 403, "{sly}");
    }
    assert_eq!(status(&ask(address, "/a%00", "")), 400);
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 0, "none of them went on");
    for target in ["/a/./b/../c%7e?q=/../%41", "http://test/a/./b/../c%7e?q=/../%41"] {
        let answer = ask(address, target, "");
        assert!(body(&answer).contains("\nGET /a/c~?q=/../%41 HTTP/1.1\n"), "{answer}");
    }
}

#[test]
fn paths_stay_as_they_came_where_the_gateway_says_so() {
    let upstream = Upstream::start("one");
    let paths = PathSettings { normalize: false, ..PathSettings::default() };
    let (_plane, address) = serve_with(HttpSettings { paths, ..HttpSettings::default() }, vec![], upstream.address);
    let answer = ask(address, "/a/./b/../c%7e//d%2Fe", "");
    assert!(body(&answer).contains("\nGET /a/./b/../c%7e//d%2Fe HTTP/1.1\n"), "{answer}");
}

#[test]
fn escaped_slashes_are_refused_or_sent_back() {
    let upstream = Upstream::start("one");
    for (escaped_slashes, expected) in [(EscapedSlashes::Reject, 400), (EscapedSlashes::Redirect, 307)] {
        let paths = PathSettings { escaped_slashes, normalize: true, merge_slashes: true };
        let (_plane, address) = serve_with(HttpSettings { paths, ..HttpSettings::default() }, vec![], upstream.address);
        let answer = ask(address, "/a%2f%5C..//b?x=%2f", "");
        assert_eq!(status(&answer), expected);
        let location = (expected == 307).then_some("/a/b?x=%2f");
        assert_eq!(header(&answer, "location"), location, "{answer}");
    }
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 0);
}

/// What the upstream was told, a line for each header.
fn told(forwarded: ForwardedSettings, headers: &str) -> Vec<String> {
    let upstream = Upstream::start("one");
    let http = HttpSettings { forwarded, ..HttpSettings::default() };
    let (_plane, address) = serve_with(http, vec![], upstream.address);
    let answer = ask(address, "/", headers).replace(&address.port().to_string(), "PORT");
    body(&answer).lines().filter(|line| line.starts_with("x-")).map(str::to_owned).collect()
}

#[test]
fn upstreams_are_told_of_the_client_as_the_settings_say() {
    let from = "x-forwarded-for: 8.8.8.8\r\nx-forwarded-proto: https\r\nx-request-id: mine\r\n";
    let default = ForwardedSettings { generate_request_id: false, ..ForwardedSettings::default() };
    for (settings, expected) in [
        (default, &["x-forwarded-for: 8.8.8.8,127.0.0.1", "x-forwarded-proto: http", "x-request-id: mine"][..]),
        (
            ForwardedSettings { append_for: false, port: true, ..default },
            &["x-forwarded-for: 8.8.8.8", "x-forwarded-port: PORT", "x-forwarded-proto: http", "x-request-id: mine"],
        ),
        (
            ForwardedSettings { trusted_hops: 1, ..default },
            &["x-forwarded-for: 8.8.8.8,127.0.0.1", "x-forwarded-proto: https", "x-request-id: mine"],
        ),
        (
            ForwardedSettings { use_remote_address: false, append_for: false, generate_request_id: true, ..default },
            &["x-forwarded-for: 8.8.8.8", "x-forwarded-proto: https", "x-request-id: mine"],
        ),
        (
            ForwardedSettings { keep_external_request_id: true, generate_request_id: true, ..default },
            &["x-forwarded-for: 8.8.8.8,127.0.0.1", "x-forwarded-proto: http", "x-request-id: mine"],
        ),
    ] {
        let mut told = told(settings, from);
        told.sort();
        assert_eq!(told, expected, "{settings:?}");
    }
    // A client that came by another proxy is not inside.
    let made = told(ForwardedSettings::default(), from);
    assert!(made.iter().any(|line| line.starts_with("x-request-id: ") && line.len() == 50), "{made:?}");
    let kept = told(ForwardedSettings::default(), "x-request-id: mine\r\n");
    assert!(kept.contains(&"x-request-id: mine".to_owned()), "{kept:?}");
}

#[test]
fn a_client_cannot_have_what_upstreams_are_told_taken_out() {
    let told = told(ForwardedSettings::default(), "connection: x-forwarded-for, x-forwarded-proto, x-request-id\r\n");
    assert_eq!(told.len(), 3, "{told:?}");
}

#[test]
fn routes_see_the_scheme_that_a_trusted_proxy_tells_of() {
    let upstream = Upstream::start("one");
    let redirect = Redirect {
        status: 302,
        host: Some("new".to_owned()),
        port: None,
        https: false,
        path: PathRedirect::Keep,
        strip_query: false,
    };
    for (trusted_hops, location) in [(0, "http://new/r"), (1, "https://new/r")] {
        let forwarded = ForwardedSettings { trusted_hops, ..ForwardedSettings::default() };
        let mut secure = route("/s", respond(200, "secure"));
        secure.matchers[0].headers = vec![HeaderMatcher {
            name: "x-forwarded-proto".to_owned(),
            value: "https".to_owned(),
            ..HeaderMatcher::default()
        }];
        let routes = vec![route("/r", Action::Redirect(redirect.clone())), secure, route("/s", respond(426, ""))];
        let (_plane, address) =
            serve_with(HttpSettings { forwarded, ..HttpSettings::default() }, routes, upstream.address);
        let answer = ask(address, "/r", "x-forwarded-proto: https\r\n");
        assert_eq!(header(&answer, "location"), Some(location));
        let matched = status(&ask(address, "/s", "x-forwarded-proto: https\r\n"));
        assert_eq!(matched, if trusted_hops == 0 { 426 } else { 200 });
    }
}

#[test]
fn headers_with_underscores_are_left_out_or_refused() {
    let upstream = Upstream::start("one");
    for (underscores, expected) in [(Underscores::Allow, 200), (Underscores::Drop, 200), (Underscores::Reject, 400)] {
        let http = HttpSettings { underscores, ..HttpSettings::default() };
        let (_plane, address) = serve_with(http, vec![], upstream.address);
        let answer = ask(address, "/", "x_odd: 1\r\nx-even: 1\r\n");
        assert_eq!(status(&answer), expected);
        assert_eq!(body(&answer).contains("x_odd"), underscores == Underscores::Allow);
        assert_eq!(body(&answer).contains("x-even"), expected == 200);
        assert_eq!(status(&ask(address, "/", "x-even: 1\r\n")), 200);
    }
}

#[test]
fn responses_are_marked() {
    let (upstream, _told) = scripted(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nserver: its\r\nvia: 1.1 before\r\ncontent-length: 0\r\n\r\n");
    });
    let server = |overwrite| Some(ServerHeader { name: "ours".to_owned(), overwrite });
    for (server, upstreams, own) in [
        (None, Some("its"), None),
        (server(true), Some("ours"), Some("ours")),
        (server(false), Some("its"), Some("ours")),
    ] {
        let http = HttpSettings { server, via: Some("here".to_owned()), ..HttpSettings::default() };
        let (_plane, address) = serve_with(http, vec![route("/own", respond(200, "x"))], upstream);
        let answer = ask(address, "/", "");
        assert_eq!((header(&answer, "server"), header(&answer, "via")), (upstreams, Some("1.1 before, here")));
        let answer = ask(address, "/own", "");
        assert_eq!((header(&answer, "server"), header(&answer, "via")), (own, Some("here")));
    }
}
