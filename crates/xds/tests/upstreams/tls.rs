//! TLS from a real Envoy towards upstreams: whom it trusts, what they are asked for and shown, and secrets that change.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use serin_api::Ref;
use serin_api::proxy::{
    ClientTls, Cluster, Connections, CredentialSource, Http2, TlsVersion, Transport, host_and_port,
};
use serin_xds::{SecretMap, SecretText};

use crate::certificates::{Authority, Identity};
use crate::stage::{Stage, body, connect, eventually, get};
use crate::tls_upstream::{TlsUpstream, config};
use crate::{GATEWAY, cluster, endpoints, route, spec, to_up};

/// An Envoy that serves; every change of it is waited for by what it answers.
struct Front {
    stage: Stage,
}

impl Front {
    fn start() -> Option<Self> {
        Some(Self { stage: Stage::set(true)? })
    }

    fn publish(&self, upstream: SocketAddr, transport: Transport, secrets: &[&Identity]) {
        let speaking = Cluster { transport, ..cluster() };
        let secrets = secrets.iter().map(|identity| (secret(), text(identity))).collect::<SecretMap>();
        let number = self.stage.publish_with(spec(&[route("/", to_up())], speaking), endpoints(&[upstream]), secrets);
        self.stage.settled(number);
        assert_eq!(self.stage.server.nodes()[0].refusals, []);
    }

    fn ask(&self) -> String {
        get(self.stage.address(GATEWAY), "h", "/")
    }

    fn told(&self, expected: &str) {
        eventually(expected, || {
            let answer = self.ask();
            body(&answer).contains(expected)
        });
    }
}

fn secret() -> CredentialSource {
    CredentialSource::Secret(Ref::new("test", "up"))
}

fn text(identity: &Identity) -> Arc<SecretText> {
    let [certificate, key, authority] =
        [&identity.certificate, &identity.key, &identity.authority].map(|pem| pem.as_bytes().to_vec());
    Arc::new(SecretText { certificate, key, authority })
}

fn unchecked() -> ClientTls {
    ClientTls {
        credential: None,
        show_certificate: true,
        sni: "up.test".to_owned(),
        host_sni: Default::default(),
        names: Vec::new(),
        minimum: TlsVersion::V1_2,
        maximum: TlsVersion::V1_3,
        alpn: Vec::new(),
    }
}

fn with_secret() -> ClientTls {
    ClientTls { credential: Some(secret()), ..unchecked() }
}

fn speaking(tls: ClientTls) -> Transport {
    // Envoy goes on using connections that it has: each request gets one of its own.
    let connections = Connections { max_requests: Some(1), ..Connections::default() };
    Transport { tls: Some(tls), connections, ..Transport::default() }
}

/// Roots alone.
fn roots(authority: &Authority) -> Identity {
    Identity { certificate: String::new(), key: String::new(), authority: authority.pem() }
}

/// Envoy keeps to itself why.
const FAILED: &str = "remote connection failure";

#[test]
fn endpoints_are_trusted_by_roots_and_names_and_roots_rotate() {
    let Some(front) = Front::start() else { return };
    let (authority, other) = (Authority::new(), Authority::new());
    let upstream = TlsUpstream::start(config(&authority.issue(&["up.test", "*.wild.test"]), &[], &[&TLS12, &TLS13]));
    let good = "sni \"up.test\" alpn \"\" version TLSv1_3 shown 0";
    front.publish(upstream.address, speaking(with_secret()), &[&roots(&authority)]);
    front.told(good);
    // Other roots, the first again: nothing but the secret is sent.
    let listeners = front.stage.envoy.statistic("listener_manager.lds.update_success");
    let clusters = front.stage.envoy.statistic("cluster_manager.cluster_modified");
    front.publish(upstream.address, speaking(with_secret()), &[&roots(&other)]);
    front.told(FAILED);
    front.publish(upstream.address, speaking(with_secret()), &[&roots(&authority)]);
    front.told(good);
    assert_eq!(front.stage.envoy.statistic("listener_manager.lds.update_success"), listeners);
    assert_eq!(front.stage.envoy.statistic("cluster_manager.cluster_modified"), clusters);
    // The name that is asked for is no matter; the names that are demanded are.
    for (at, (names, good)) in
        [(&["up.test"][..], true), (&["x", "a.wild.test"], true), (&["wild.test"], false)].into_iter().enumerate()
    {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let sni = format!("another{at}.test");
        let tls = ClientTls { names, sni: sni.clone(), ..with_secret() };
        front.publish(upstream.address, speaking(tls), &[&roots(&authority)]);
        match good {
            true => front.told(&format!("sni \"{sni}\"")),
            false => front.told(FAILED),
        }
    }
    // Without a credential, whoever answers is trusted.
    front.publish(upstream.address, speaking(unchecked()), &[]);
    front.told(good);
}

#[test]
fn a_certificate_is_shown_to_endpoints_that_ask_and_rotates() {
    let Some(front) = Front::start() else { return };
    let (authority, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let guarded = Identity { authority: clients.pem(), ..authority.issue(&["up.test"]) };
    let upstream = TlsUpstream::start(config(&guarded, &[], &[&TLS12]));
    let mine = |by: &Authority| Identity { authority: authority.pem(), ..by.issue_client("gateway") };
    front.publish(upstream.address, speaking(with_secret()), &[&mine(&clients)]);
    front.told("shown 1");
    front.publish(upstream.address, speaking(with_secret()), &[&mine(&strangers)]);
    front.told(FAILED);
    front.publish(upstream.address, speaking(with_secret()), &[&mine(&clients)]);
    front.told("shown 1");
    let none = ClientTls { show_certificate: false, ..with_secret() };
    front.publish(upstream.address, speaking(none), &[&mine(&clients)]);
    front.told("upstream connect error");
}

#[test]
fn versions_protocols_and_names_of_hosts_are_those_that_are_asked_for() {
    let Some(front) = Front::start() else { return };
    let authority = Authority::new();
    let identity = authority.issue(&["up.test"]);
    let upstream = TlsUpstream::start(config(&identity, &["h2", "http/1.1", "special"], &[&TLS12, &TLS13]));
    front.publish(upstream.address, speaking(ClientTls { maximum: TlsVersion::V1_2, ..unchecked() }), &[]);
    front.told("version TLSv1_2");
    front.publish(upstream.address, speaking(ClientTls { alpn: vec!["special".to_owned()], ..unchecked() }), &[]);
    front.told("alpn \"special\"");
    let key = host_and_port("127.0.0.1", upstream.address.port());
    let named = ClientTls { host_sni: [(key, "own.test".to_owned())].into(), ..unchecked() };
    front.publish(upstream.address, speaking(named), &[]);
    front.told("sni \"own.test\" alpn \"http/1.1\"");
    let http2 = Transport { http2: Some(Http2::default()), ..speaking(unchecked()) };
    front.publish(upstream.address, http2, &[]);
    front.told("sni \"up.test\" alpn \"h2\"");
    let old = TlsUpstream::start(config(&identity, &[], &[&TLS12]));
    front.publish(old.address, speaking(ClientTls { minimum: TlsVersion::V1_3, ..unchecked() }), &[]);
    front.told(FAILED);
}

#[test]
fn a_rotated_secret_drops_nothing() {
    let Some(front) = Front::start() else { return };
    let (authority, other) = (Authority::new(), Authority::new());
    let upstream = TlsUpstream::start(config(&authority.issue(&["up.test"]), &[], &[&TLS13]));
    front.publish(upstream.address, speaking(with_secret()), &[&roots(&authority)]);
    front.told("shown 0");
    let mut kept = connect(front.stage.address(GATEWAY));
    kept.write_all(b"POST /upload HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 4\r\n\r\nab").unwrap();
    eventually("the request is under way", || front.stage.envoy.statistic("cluster.up.upstream_rq_active") == Some(1));
    front.publish(upstream.address, speaking(with_secret()), &[&roots(&other)]);
    front.told(FAILED);
    kept.write_all(b"cd").unwrap();
    let mut answer = String::new();
    kept.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && body(&answer) == "4", "{answer}");
}

/// An Upstream whose Secret is missing fails by itself: it keeps no other from being served.
#[test]
fn a_missing_secret_holds_up_nothing_else() {
    let Some(front) = Front::start() else { return };
    let authority = Authority::new();
    let upstream = TlsUpstream::start(config(&authority.issue(&["up.test"]), &[], &[&TLS13]));
    front.publish(upstream.address, speaking(with_secret()), &[]);
    front.told(FAILED);
    front.publish(upstream.address, speaking(with_secret()), &[&roots(&authority)]);
    front.told("shown 0");
}
