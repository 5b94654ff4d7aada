//! Requests, drawn so that they hit and just miss what a configuration asks for.

use fastrand::Rng;
use serin_api::proxy::{Action, Forward, RequestBuffer, Route, Target, VirtualHost};

use super::configurations::{PATHS, pick};
use super::request::{Body, Protocol, Request};
use super::tls::ASKED;
use super::world::{self, DEAD, EMPTY, PLAIN};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];
/// What follows a path.
const TAILS: [&str; 22] = [
    "",
    "",
    "",
    "/",
    "x",
    "/b",
    "//",
    "//b",
    "/./b",
    "/../b",
    "/%2e%2e/b",
    "%2Fb",
    "%2fb",
    ";v=1",
    "%c3%a9",
    "%20",
    "/v1/x",
    "/.",
    "%5cb",
    "%5C..%2Fb",
    "//%2F/./b",
    "/%41%7e",
];
const QUERIES: [&str; 12] =
    ["", "", "", "?", "?q", "?q=", "?q=1", "?q=v7", "?q=2&q=1", "?a=%20&q=1", "?Q=1", "?q=1?x=/y"];
const FLAGS: [&str; 8] = ["1", "v7", "", "1,v7", "V7", "a b", "\u{c3}\u{a9}", "v77"];
const WANTS: [&str; 20] = [
    "",
    "",
    "",
    "",
    "200 chunked",
    "200 chunked trailers",
    "200 grpc",
    "204",
    "304",
    "404 cookies",
    "409 at-last",
    "500 odd",
    "503 at-last",
    "502",
    "504 at-last",
    "302 location",
    "200 odd cookies",
    "429 limited",
    "break",
    "break-once",
];
/// Headers that are sent once at most.
const SINGLE: [&str; 3] = ["user-agent", "x-request-id", "x-forwarded-port"];
/// Sizes of chunks.
const CHUNKS: [&[usize]; 3] = [&[5, 1, 300], &[7], &[]];

/// One request for `host`.
pub(crate) fn request(random: &mut Rng, host: &VirtualHost) -> Request {
    let method = if random.u8(..3) == 0 { pick(random, &METHODS) } else { "GET" };
    let path = match pick(random, &PATHS) {
        "/" => String::new(),
        path => path.to_owned(),
    };
    let tail = pick(random, &TAILS);
    let path = if path.is_empty() && !tail.starts_with('/') { format!("/{tail}") } else { format!("{path}{tail}") };
    let mut headers = headers(random);
    let mut method = method;
    if random.u8(..8) == 0 {
        let origins = ["http://a.test", "http://b.test", "http://A.test", "null", ""];
        headers.push(("origin", pick(random, &origins).to_owned()));
        if random.bool() {
            method = "OPTIONS";
            headers.push(("access-control-request-method", pick(random, &["GET", "PUT", ""]).to_owned()));
            headers.push(("access-control-request-headers", pick(random, &["x-a", ""]).to_owned()));
        }
    }
    let body = match method {
        "GET" if random.u8(..30) == 0 && !speaks_http2(host) => Body::Upgrade,
        "GET" | "HEAD" if random.u8(..8) > 0 => Body::None,
        _ => body(random),
    };
    if body == Body::Upgrade {
        // `te` is for one connection; of an upgrade's, Envoy passes it on as it came.
        headers.retain(|(name, _)| *name != "te");
    }
    let http2 = body != Body::Upgrade && random.u8(..4) == 0;
    let body = if limits(host).next().is_some() { held(host, body, http2) } else { body };
    Request {
        protocol: if http2 { Protocol::Http2 } else { Protocol::Http1 },
        method: method.to_owned(),
        target: format!("{path}{}", pick(random, &QUERIES)),
        host: authority(random, host),
        sni: None,
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        want: pick(random, &WANTS).to_owned(),
        body,
    }
}

/// The limits of bytes up to which the host's requests may be held until they are whole.
pub(crate) fn limits(host: &VirtualHost) -> impl Iterator<Item = usize> {
    let routes = host.routes.iter().filter_map(|route| route.policy.as_ref()?.buffer);
    let buffer = host.policy.as_ref().and_then(|policy| policy.buffer);
    buffer.into_iter().chain(routes).filter_map(|buffer| match buffer {
        RequestBuffer::Off => None,
        RequestBuffer::UpTo(limit) => usize::try_from(limit).ok(),
    })
}

/// The body of a request that may be held: not one that Envoy would wait for in vain, or would not measure because all of
/// it is there at once.
fn held(host: &VirtualHost, body: Body, http2: bool) -> Body {
    let delays = |route: &Route| {
        route.policy.as_ref().is_some_and(|policy| policy.faults.as_ref().is_some_and(|faults| faults.delay.is_some()))
    };
    match body {
        Body::Upgrade => Body::None,
        _ if host.routes.iter().any(|route| delays(route)) => Body::None,
        Body::Length(length @ 1..) if http2 => Body::Chunked(vec![length], false),
        body => body,
    }
}

/// The name that is asked for in TLS; usually one that there is a certificate for.
pub(crate) fn sni(random: &mut Rng) -> String {
    match random.u8(..24) {
        0 => String::new(),
        _ => pick(random, &ASKED).to_owned(),
    }
}

/// Whether upstreams of HTTP/2 are among those that the host's requests go to: there, a request to switch is another thing.
fn speaks_http2(host: &VirtualHost) -> bool {
    host.routes.iter().any(|route| match &route.action {
        Action::Forward(Forward::Weighted(targets)) => targets.iter().any(|weighted| match &weighted.target {
            Target::Cluster { cluster, .. } => world::speaks_http2(cluster.as_str()),
            Target::DirectResponse { .. } => false,
        }),
        _ => false,
    })
}

fn body(random: &mut Rng) -> Body {
    match random.u8(..6) {
        0 => Body::None,
        1 => Body::Length(0),
        2 => Body::Length(10),
        3 => Body::Length(70_000),
        _ => Body::Chunked(pick(random, &CHUNKS).to_vec(), random.bool()),
    }
}

fn authority(random: &mut Rng, host: &VirtualHost) -> String {
    let domain = host.domains.get(random.usize(..host.domains.len())).map_or("*", String::as_str);
    let mut name = domain.replace('*', pick(random, &["x", "x.y", "a-b"]));
    match random.u8(..12) {
        0 => name.make_ascii_uppercase(),
        1 => name.push_str(":8080"),
        2 => name.push_str(":80"),
        3 => name.push('.'),
        4 => name.insert(0, 'z'),
        _ => {}
    }
    name
}

fn headers(random: &mut Rng) -> Vec<(&'static str, String)> {
    let mut headers: Vec<(&'static str, String)> = Vec::new();
    for _ in 0..random.usize(..5) {
        let header = match random.u8(..17) {
            0..=3 => ("x-flag", pick(random, &FLAGS).to_owned()),
            4 => ("X-Flag", pick(random, &FLAGS).to_owned()),
            5 | 6 => ("x-to", pick(random, &[PLAIN[0], PLAIN[1], EMPTY, DEAD, "none_ns", ""]).to_owned()),
            7 => ("x-host", pick(random, &["other.host", "other.host:81", ""]).to_owned()),
            8 => ("cookie", pick(random, &["a=1", "b=2; c=3"]).to_owned()),
            9 => (
                "x-forwarded-for",
                pick(random, &["10.1.2.3", "8.8.8.8, 9.9.9.9", "8.8.8.8,10.1.2.3,7.7.7.7", "no address"]).to_owned(),
            ),
            10 => ("x-forwarded-proto", pick(random, &["https", "http"]).to_owned()),
            11 => ("te", pick(random, &["trailers", "gzip", "trailers, deflate"]).to_owned()),
            12 => ("x-request-id", "an-id-of-the-clients-own".to_owned()),
            13 => ("x_flag", pick(random, &FLAGS).to_owned()),
            14 => ("x-forwarded-port", "4444".to_owned()),
            15 => ("user-agent", "a client (of its own)".to_owned()),
            _ => ("x-empty", pick(random, &["", "  spaces  ", "\ttab"]).to_owned()),
        };
        // A header that can have one value only is sent once.
        let single = SINGLE.contains(&header.0) && headers.iter().any(|(name, _)| *name == header.0);
        if !single {
            headers.push(header);
        }
    }
    headers
}
