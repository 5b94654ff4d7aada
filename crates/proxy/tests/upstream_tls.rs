//! TLS towards upstreams: who is trusted, what they are asked for and shown, and what clients get when it fails.

mod certificates;
mod stage;
mod tls_upstream;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use certificates::{Authority, Identity, map};
use rustls::version::{TLS12, TLS13};
use serin_api::Ref;
use serin_api::proxy::{ClientTls, CredentialSource, ProxySpec, TlsVersion, Transport, host_and_port};
use serin_proxy::DataPlane;
use stage::*;
use tls_upstream::{TlsUpstream, config};

/// TLS with the Secret `up`.
fn with_secret() -> ClientTls {
    ClientTls { credential: Some(CredentialSource::Secret(Ref::new("test", "up"))), ..unchecked() }
}

fn unchecked() -> ClientTls {
    ClientTls {
        credential: None,
        show_certificate: true,
        sni: "up.test".to_owned(),
        host_sni: BTreeMap::new(),
        names: Vec::new(),
        minimum: TlsVersion::V1_2,
        maximum: TlsVersion::V1_3,
        alpn: Vec::new(),
    }
}

fn speaking(tls: ClientTls) -> Arc<ProxySpec> {
    let mut spec = (*spec_of(vec![route("/", to("up"))], &["up"])).clone();
    let transport = Transport { tls: Some(tls), ..Transport::default() };
    spec.clusters.insert("up".into(), Arc::new(serin_api::proxy::Cluster { transport, ..cluster("up") }));
    Arc::new(spec)
}

/// Roots alone.
fn roots(authority: &Authority) -> Identity {
    Identity { certificate: String::new(), key: String::new(), authority: authority.pem() }
}

fn plane(upstream: &TlsUpstream, tls: ClientTls) -> DataPlane {
    let plane = single_worker(upstream.address);
    plane.apply(speaking(tls)).expect("applied");
    plane
}

fn both() -> [&'static rustls::SupportedProtocolVersion; 2] {
    [&TLS12, &TLS13]
}

const FAILED: &str =
    "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";

#[test]
fn bodies_of_many_records_pass_either_way_and_connections_are_kept() {
    let authority = Authority::new();
    let upstream = TlsUpstream::start(config(&authority.issue(&["up.test"]), &["h2", "http/1.1"], &both()));
    let plane = plane(&upstream, with_secret());
    plane.set_credentials(map(&[("up", &roots(&authority))]));
    let answer = get(address(&plane), "/");
    assert_eq!(body(&answer), "sni \"up.test\" alpn \"http/1.1\" version TLSv1_3 shown 0");
    assert_eq!(body(&get(address(&plane), "/big")).len(), 4 << 20);
    let upload =
        format!("POST /upload HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", 3 << 20);
    let mut stream = connect(address(&plane));
    stream.write_all(upload.as_bytes()).expect("written");
    stream.write_all(&vec![b'y'; 3 << 20]).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert_eq!(body(&answer), (3 << 20).to_string());
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 1, "one connection for all of it");
}

#[test]
fn endpoints_that_are_not_to_be_trusted_get_no_request() {
    let (authority, other) = (Authority::new(), Authority::new());
    let upstream = TlsUpstream::start(config(&authority.issue(&["up.test", "*.wild.test"]), &[], &both()));
    let plane = plane(&upstream, with_secret());
    let refused = |plane: &DataPlane, why: &str| {
        let answer = get(address(plane), "/");
        assert_eq!(status(&answer), 503);
        assert_eq!(body(&answer), format!("{FAILED}, transport failure reason: {why}"));
    };
    // While the Secret is missing there is neither TLS nor plain text.
    refused(&plane, "TLS error: Secret is not supplied by SDS");
    plane.set_credentials(map(&[("up", &roots(&other))]));
    refused(&plane, "TLS_error: CERTIFICATE_VERIFY_FAILED");
    plane.set_credentials(map(&[("up", &roots(&authority))]));
    assert_eq!(status(&get(address(&plane), "/")), 200);
    // The name that is asked for is no matter; the names that are demanded are.
    for (names, good) in [(&["up.test"][..], true), (&["x", "a.wild.test"], true), (&["wild.test"], false)] {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        plane.apply(speaking(ClientTls { names, sni: "another.test".to_owned(), ..with_secret() })).expect("applied");
        match good {
            true => assert!(body(&get(address(&plane), "/")).starts_with("sni \"another.test\"")),
            false => refused(&plane, "TLS_error: CERTIFICATE_VERIFY_FAILED"),
        }
    }
    // Names without roots to vouch for them are no check: nothing is sent.
    plane.set_credentials(map(&[("up", &other.issue(&["client"]))]));
    refused(&plane, "TLS error: Secret is not supplied by SDS");
    // Without a credential, whoever answers is trusted.
    plane.apply(speaking(unchecked())).expect("applied");
    assert_eq!(status(&get(address(&plane), "/")), 200);
}

#[test]
fn a_certificate_is_shown_to_endpoints_that_ask() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let guarded = Identity { authority: clients.pem(), ..authority.issue(&["up.test"]) };
    let mine = Identity { authority: authority.pem(), ..clients.issue_client("gateway") };
    // In TLS 1.2 a refusal ends the handshake, in 1.3 it comes after it.
    for (version, refusal) in [(&TLS12, FAILED), (&TLS13, "upstream connect error or disconnect/reset before headers")]
    {
        let upstream = TlsUpstream::start(config(&guarded, &[], &[version]));
        let plane = plane(&upstream, with_secret());
        plane.set_credentials(map(&[("up", &mine)]));
        let answer = get(address(&plane), "/");
        assert!(body(&answer).ends_with("shown 1"), "{answer}");
        plane.apply(speaking(ClientTls { show_certificate: false, ..with_secret() })).expect("applied");
        let answer = get(address(&plane), "/");
        assert_eq!(status(&answer), 503, "oneWayTls shows none");
        assert!(body(&answer).starts_with(refusal), "{answer}");
    }
}

#[test]
fn versions_and_protocols_inside_are_those_that_are_asked_for() {
    let authority = Authority::new();
    let upstream = TlsUpstream::start(config(&authority.issue(&["up.test"]), &["http/1.1", "special"], &both()));
    let plane = plane(&upstream, ClientTls { maximum: TlsVersion::V1_2, ..unchecked() });
    assert!(body(&get(address(&plane), "/")).contains("version TLSv1_2"));
    plane.apply(speaking(ClientTls { alpn: vec!["special".to_owned()], ..unchecked() })).expect("applied");
    assert!(body(&get(address(&plane), "/")).contains("alpn \"special\""));
    let old = TlsUpstream::start(config(&authority.issue(&["up.test"]), &[], &[&TLS12]));
    plane.set_endpoints(endpoints(&[("up", &[endpoint(old.address, "")])]));
    plane.apply(speaking(ClientTls { minimum: TlsVersion::V1_3, ..unchecked() })).expect("applied");
    let answer = get(address(&plane), "/");
    assert_eq!(body(&answer), format!("{FAILED}, transport failure reason: TLS_error: HANDSHAKE_FAILURE"));
}

#[test]
fn a_host_may_have_a_name_of_its_own() {
    let authority = Authority::new();
    let upstream = TlsUpstream::start(config(&authority.issue(&["up.test"]), &[], &both()));
    let key = host_and_port("127.0.0.1", upstream.address.port());
    let named = ClientTls { host_sni: [(key, "own.test".to_owned())].into(), ..unchecked() };
    let plane = plane(&upstream, named);
    assert!(body(&get(address(&plane), "/")).starts_with("sni \"own.test\""));
    plane.apply(speaking(ClientTls { sni: String::new(), ..unchecked() })).expect("applied");
    assert!(body(&get(address(&plane), "/")).starts_with("sni \"\""));
}

#[test]
fn a_rotated_secret_is_used_for_new_connections_and_drops_nothing() {
    let (authority, other) = (Authority::new(), Authority::new());
    let upstream = TlsUpstream::start(config(&authority.issue(&["up.test"]), &[], &both()));
    let plane = plane(&upstream, with_secret());
    plane.set_credentials(map(&[("up", &roots(&authority))]));
    let mut kept = connect(address(&plane));
    kept.write_all(b"POST /upload HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 4\r\n\r\nab")
        .expect("written");
    eventually("the request is under way", || upstream.connections.load(Ordering::SeqCst) == 1);
    plane.set_credentials(map(&[("up", &roots(&other))]));
    assert_eq!(status(&get(address(&plane), "/")), 503, "the new roots count at once");
    kept.write_all(b"cd").expect("written");
    let mut answer = String::new();
    kept.read_to_string(&mut answer).expect("an answer");
    assert_eq!((status(&answer), body(&answer)), (200, "4"));
}

#[test]
fn something_that_does_not_speak_tls_is_a_failed_handshake() {
    let plain = stage::upstream::Upstream::start("plain");
    let plane = single_worker(plain.address);
    plane.apply(speaking(unchecked())).expect("applied");
    let answer = get(address(&plane), "/");
    assert_eq!(status(&answer), 503);
    assert!(body(&answer).starts_with(FAILED), "{answer}");
}
