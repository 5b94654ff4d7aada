//! Cross-origin requests: preflight requests are answered by the data plane, and responses tell browsers who may read
//! them.

mod stage;

use std::net::SocketAddr;
use std::sync::Arc;

use serin_api::proxy::{
    Action, CorsPolicy, Forward, HeaderChanges, HostPolicy, OriginMatch, Route, RoutePolicy, VirtualHost,
};
use serin_proxy::DataPlane;
use stage::upstream::Upstream;
use stage::*;

fn exact(origin: &str) -> OriginMatch {
    OriginMatch::Exact(origin.to_owned())
}

fn hosts_own() -> CorsPolicy {
    CorsPolicy {
        allow_origins: vec![exact("http://v")],
        allow_methods: "GET".into(),
        allow_headers: "x-h".into(),
        expose_headers: "x-e".into(),
        max_age: "10".into(),
        allow_credentials: true,
        ..CorsPolicy::default()
    }
}

fn with(route: Route, cors: CorsPolicy) -> Route {
    Route { policy: Some(Arc::new(RoutePolicy { cors: Some(cors), ..RoutePolicy::default() })), ..route }
}

fn serve_on_host(routes: Vec<Route>, cors: CorsPolicy, upstream: &Upstream) -> (DataPlane, SocketAddr) {
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream.address, "")])]));
    let headers = serde_json::from_str::<HeaderChanges>(
        r#"{"response": {"add": [{"name": "x-added", "value": "1", "append": true}]}}"#,
    );
    let policy = HostPolicy { cors: Some(cors), headers: headers.ok(), ..HostPolicy::default() };
    let host = VirtualHost { policy: Some(Arc::new(policy)), ..VirtualHost::clone(&host("vs", &["*"], routes)) };
    plane.apply(Arc::new(spec(vec![Arc::new(host)], &["up", "none"]))).expect("applied");
    let address = address(&plane);
    (plane, address)
}

fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> String {
    raw(address, &format!("{method} {path} HTTP/1.1\r\nhost: test\r\n{headers}connection: close\r\n\r\n"))
}

fn preflight(address: SocketAddr, path: &str, origin: &str) -> String {
    let headers = format!("origin: {origin}\r\naccess-control-request-method: GET\r\n");
    ask(address, "OPTIONS", path, &headers)
}

/// What a response tells browsers: origin, credentials, methods, headers, age, exposed headers.
fn told(answer: &str) -> [&str; 6] {
    ["allow-origin", "allow-credentials", "allow-methods", "allow-headers", "max-age", "expose-headers"]
        .map(|name| header(answer, &format!("access-control-{name}")).unwrap_or_default())
}

const NOTHING: [&str; 6] = [""; 6];

#[test]
fn a_preflight_request_of_a_known_origin_is_answered_and_others_are_forwarded() {
    let upstream = Upstream::start("one");
    let (_plane, address) = serve_on_host(vec![route("/", to("up"))], hosts_own(), &upstream);
    let answer = preflight(address, "/", "http://v");
    assert_eq!((status(&answer), body(&answer)), (200, ""));
    assert_eq!(told(&answer), ["http://v", "true", "GET", "x-h", "10", "x-e"]);
    assert_eq!(header(&answer, "x-added"), None, "the route has not been reached");
    assert_eq!(upstream.connections.load(std::sync::atomic::Ordering::SeqCst), 0);

    let answer = preflight(address, "/", "http://other");
    assert!(body(&answer).contains("OPTIONS / "), "{answer}");
    assert_eq!(told(&answer), NOTHING);
    let answer = ask(address, "OPTIONS", "/", "origin: http://v\r\n");
    assert!(body(&answer).contains("OPTIONS / "), "it asks for no method: {answer}");
    assert_eq!(told(&answer), ["http://v", "true", "", "", "", "x-e"]);
}

#[test]
fn responses_of_forwarded_requests_say_who_may_read_them() {
    let upstream = Upstream::start("one");
    let routes = vec![route("/none", to("none")), route("/said", respond(200, "said")), route("/", to("up"))];
    let (_plane, address) = serve_on_host(routes, hosts_own(), &upstream);
    let from = |path: &str, origin: &str| ask(address, "GET", path, origin);
    assert_eq!(told(&from("/", "origin: http://v\r\n")), ["http://v", "true", "", "", "", "x-e"]);
    assert_eq!(told(&from("/", "origin: http://V\r\n")), NOTHING);
    assert_eq!(told(&from("/", "origin: \r\n")), NOTHING);
    assert_eq!(told(&from("/", "")), NOTHING);
    let answer = from("/none", "origin: http://v\r\n");
    assert_eq!((status(&answer), told(&answer)[0]), (503, "http://v"));
    assert_eq!(told(&from("/said", "origin: http://v\r\n")), NOTHING, "a direct response is not forwarded");
    assert_eq!(body(&preflight(address, "/said", "http://v")), "said");
}

#[test]
fn a_route_says_what_it_does_and_its_host_the_rest() {
    let upstream = Upstream::start("one");
    let regex = CorsPolicy {
        allow_origins: vec![OriginMatch::Regex("http://[a-z]+[.]example".into())],
        allow_methods: "PUT".into(),
        ..CorsPolicy::default()
    };
    let any = CorsPolicy { allow_origins: vec![exact("*")], ..CorsPolicy::default() };
    let off = CorsPolicy { disabled: true, ..hosts_own() };
    let routes = vec![
        with(route("/regex", to("up")), regex),
        with(route("/any", to("up")), any),
        with(route("/off", to("up")), off),
    ];
    let (_plane, address) = serve_on_host(routes, hosts_own(), &upstream);
    let answer = preflight(address, "/regex", "http://a.example");
    assert_eq!(told(&answer), ["http://a.example", "true", "PUT", "x-h", "10", "x-e"]);
    assert_eq!(told(&preflight(address, "/regex", "http://a.example.org")), NOTHING, "the whole has to match");
    assert_eq!(told(&preflight(address, "/any", "null"))[0], "null");
    assert_eq!(told(&preflight(address, "/off", "http://v")), NOTHING);
    assert_eq!(told(&ask(address, "GET", "/off", "origin: http://v\r\n")), NOTHING);
}

#[test]
fn any_method_and_header_is_the_one_that_is_asked_for() {
    let upstream = Upstream::start("one");
    let any = CorsPolicy { allow_methods: "*".into(), allow_headers: "*".into(), ..hosts_own() };
    let to_a_header = Action::Forward(Forward::ClusterHeader("x-to".into()));
    let routes = vec![route("/nowhere", to_a_header), route("/", to("up"))];
    let (_plane, address) = serve_on_host(routes, any, &upstream);
    let asks = "origin: http://v\r\naccess-control-request-method: PUT\r\naccess-control-request-headers: x-a\r\n";
    assert_eq!(told(&ask(address, "OPTIONS", "/", asks))[2..4], ["PUT", "x-a"]);
    assert_eq!(told(&preflight(address, "/", "http://v"))[2..4], ["GET", ""]);
    let answer = ask(address, "GET", "/nowhere", "origin: http://v\r\n");
    assert_eq!((status(&answer), told(&answer)[0]), (503, "http://v"), "there is no cluster, but a route");
}
