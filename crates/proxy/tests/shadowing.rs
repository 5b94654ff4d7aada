//! Copies of requests: what they say, and that the requests themselves never notice.

mod stage;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serin_api::GoDuration;
use serin_api::proxy::{
    AddedHeader, BackOff, HeaderChanges, HeaderEdits, HostRewrite, PathRewrite, Retries, RetryCondition, Route,
    RoutePolicy, Shadow, ShadowHost,
};
use serin_proxy::{DataPlane, Limits};
use stage::scripted::read_head;
use stage::*;

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
const WAIT: Duration = Duration::from_secs(20);

fn shadow() -> Shadow {
    Shadow { cluster: "shadow".into(), per_million: 1_000_000, host: ShadowHost::Suffixed }
}

fn copied(policy: RoutePolicy) -> Route {
    Route { policy: Some(Arc::new(RoutePolicy { shadow: Some(shadow()), ..policy })), ..route("/", to("up")) }
}

/// Sends everything to `up`, and copies to `shadow`.
fn plane(up: SocketAddr, shadow: SocketAddr, limits: Limits, policy: RoutePolicy) -> (DataPlane, SocketAddr) {
    let plane = data_plane_with(limits);
    plane.set_endpoints(endpoints(&[("up", &[endpoint(up, "")]), ("shadow", &[endpoint(shadow, "")])]));
    plane.apply(spec_of(vec![copied(policy)], &["up", "shadow"])).expect("applied");
    let address = address(&plane);
    (plane, address)
}

/// An upstream that reads messages with their bodies, tells of them, and gives `answer` to each; nothing where that is
/// empty, for as long as the other side stays.
fn upstream(answer: &'static str) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let tell = tell.clone();
            std::thread::spawn(move || {
                while let Some(message) = read_message(&mut stream) {
                    let _ = tell.send(message);
                    let _ = stream.write_all(answer.as_bytes());
                }
            });
        }
    });
    (address, told)
}

fn read_message(stream: &mut TcpStream) -> Option<String> {
    let mut message = read_head(stream);
    if message.is_empty() {
        return None;
    }
    let mut byte = [0];
    let length = header(&message, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let (start, chunked) = (message.len(), header(&message, "transfer-encoding").is_some());
    while message.len() < start + length || (chunked && !message[start..].contains("\r\n\r\n")) {
        stream.read_exact(&mut byte).ok()?;
        message.push(char::from(byte[0]));
    }
    Some(message)
}

fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

fn post(address: SocketAddr, body: &str) -> String {
    let length = body.len();
    let head = format!("POST /p?q HTTP/1.1\r\nhost: a.com:80\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    raw(address, &(head + body))
}

fn counted(plane: &DataPlane, name: &str, count: u32) {
    eventually(&format!("{name} is {count}"), || {
        metrics(plane).contains(&format!("serin_shadows_{name}_total {count}\n"))
    });
}

#[test]
fn a_copy_says_what_the_upstream_is_told_under_another_host() {
    let ((up, asked), (shadow, told)) = (upstream(FINE), upstream(FINE));
    let added = AddedHeader { name: "x-added".to_owned(), value: "1".to_owned(), append: false };
    let policy = RoutePolicy {
        path_rewrite: Some(PathRewrite::Prefix("/new/".to_owned())),
        host_rewrite: Some(HostRewrite::Literal("b.com:8080".to_owned())),
        headers: Some(HeaderChanges {
            request: HeaderEdits { remove: vec!["x-gone".to_owned()], add: vec![added] },
            ..HeaderChanges::default()
        }),
        ..RoutePolicy::default()
    };
    let (plane, address) = plane(up, shadow, Limits::default(), policy);
    let answer = raw(
        address,
        "POST /p?q HTTP/1.1\r\nhost: a.com\r\nx-gone: 1\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
    );
    assert_eq!((status(&answer), body(&answer)), (200, "fine"));
    let (request, copy) = (asked.recv_timeout(WAIT).unwrap(), told.recv_timeout(WAIT).unwrap());
    assert!(copy.starts_with("POST /new/p?q HTTP/1.1\r\n") && copy.ends_with("\r\n\r\nhello"), "{copy}");
    assert_eq!((header(&copy, "x-added"), header(&copy, "x-gone")), (Some("1"), None));
    assert_eq!(header(&copy, "host"), Some("b.com-shadow:8080"));
    assert_eq!(copy.replace("-shadow:8080", ":8080"), request, "nothing else differs");
    counted(&plane, "sent", 1);
}

#[test]
fn a_body_of_unknown_length_is_copied_with_its_trailers() {
    let ((up, _asked), (shadow, told)) = (upstream(FINE), upstream(FINE));
    let (_plane, address) = plane(up, shadow, Limits::default(), RoutePolicy::default());
    let mut client = connect(address);
    client.write_all(b"POST / HTTP/1.1\r\nhost: a.com\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n").unwrap();
    assert!(told.try_recv().is_err(), "a copy is sent when its request is whole");
    client.write_all(b"1\r\nc\r\n0\r\nx-sum: 6\r\n\r\n").unwrap();
    assert_eq!(status(&read_head(&mut client)), 200);
    let copy = told.recv_timeout(WAIT).unwrap();
    assert!(copy.ends_with("0\r\nx-sum: 6\r\n\r\n"), "{copy}");
}

#[test]
fn nobody_waits_for_a_copy() {
    let ((up, _asked), (silent, told)) = (upstream(FINE), upstream(""));
    let (_plane, address) = plane(up, silent, Limits::default(), RoutePolicy::default());
    for _ in 0..3 {
        assert_eq!(body(&post(address, "x")), "fine");
    }
    for _ in 0..3 {
        told.recv_timeout(WAIT).unwrap();
    }
}

#[test]
fn a_copy_that_cannot_be_sent_is_dropped() {
    let (up, _asked) = upstream(FINE);
    let (plane, address) = plane(up, nobody(), Limits::default(), RoutePolicy::default());
    assert_eq!(body(&post(address, "x")), "fine");
    counted(&plane, "dropped", 1);
    // Nobody is there any more.
    plane.set_endpoints(endpoints(&[("up", &[endpoint(up, "")])]));
    assert_eq!(body(&post(address, "x")), "fine");
    counted(&plane, "dropped", 2);
    // Nor a cluster.
    plane.apply(spec_of(vec![copied(RoutePolicy::default())], &["up"])).expect("applied");
    assert_eq!(body(&post(address, "x")), "fine");
    counted(&plane, "dropped", 3);
}

#[test]
fn a_body_that_is_too_long_is_not_copied() {
    let ((up, asked), (shadow, told)) = (upstream(FINE), upstream(FINE));
    let limits = Limits { shadow_bytes: 10, ..Limits::default() };
    let (plane, address) = plane(up, shadow, limits, RoutePolicy::default());
    assert_eq!(body(&post(address, "0123456789")), "fine");
    counted(&plane, "sent", 1);
    assert_eq!(body(&post(address, "0123456789.")), "fine");
    counted(&plane, "dropped", 1);
    assert_eq!(asked.try_iter().count(), 2);
    assert_eq!(told.try_iter().count(), 1);
}

#[test]
fn copies_under_way_are_few() {
    let ((up, _asked), (silent, _told)) = (upstream(FINE), upstream(""));
    let limits = Limits { shadows_per_worker: 2, ..Limits::default() };
    let timeout = Some(GoDuration(Duration::from_millis(300)));
    let (plane, address) = plane(up, silent, limits, RoutePolicy { timeout, ..RoutePolicy::default() });
    // One connection, so one worker.
    let mut client = connect(address);
    let mut ask = || {
        client.write_all(b"GET / HTTP/1.1\r\nhost: a.com\r\n\r\n").unwrap();
        assert_eq!(status(&read_head(&mut client)), 200);
        client.read_exact(&mut [0; 4]).unwrap();
    };
    (0..5).for_each(|_| ask());
    // Those under way end with their time, and make room again.
    counted(&plane, "sent", 2);
    counted(&plane, "dropped", 3);
    ask();
    counted(&plane, "sent", 3);
}

#[test]
fn what_the_client_does_not_finish_is_not_copied() {
    let ((up, _asked), (shadow, told)) = (upstream(FINE), upstream(FINE));
    let (plane, address) = plane(up, shadow, Limits::default(), RoutePolicy::default());
    let mut client = connect(address);
    client.write_all(b"POST / HTTP/1.1\r\nhost: a.com\r\ncontent-length: 9\r\n\r\nhalf").unwrap();
    drop(client);
    counted(&plane, "dropped", 1);
    assert!(told.try_recv().is_err());
}

#[test]
fn a_request_is_copied_once_however_often_it_is_tried_and_whatever_comes_of_it() {
    let busy = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let ((up, asked), (shadow, told)) = (upstream(busy), upstream(FINE));
    let retries = Retries {
        on: BTreeSet::from([RetryCondition::ServerError]),
        times: 2,
        per_try_timeout: None,
        back_off: Some(BackOff { base: GoDuration(Duration::from_millis(1)), max: None }),
        status_codes: Vec::new(),
        rate_limited: None,
    };
    let policy = RoutePolicy { retries: Some(retries), ..RoutePolicy::default() };
    let (plane, address) = plane(up, shadow, Limits::default(), policy.clone());
    assert_eq!(status(&post(address, "body")), 503);
    counted(&plane, "sent", 1);
    assert_eq!((asked.try_iter().count(), told.try_iter().count()), (3, 1));

    // Whom nobody could serve is not copied either.
    plane.set_endpoints(endpoints(&[("shadow", &[endpoint(shadow, "")])]));
    assert_eq!(status(&post(address, "body")), 503);
    counted(&plane, "sent", 1);
    counted(&plane, "dropped", 0);
}
