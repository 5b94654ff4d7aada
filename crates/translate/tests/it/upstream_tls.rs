//! TLS towards upstreams: what is spoken, and what is said of it when it cannot be.

use std::sync::Arc;

use serin_api::StatusState::{Accepted, Warning};
use serin_api::proxy::{ClientTls, CredentialSource, TlsVersion, Transport};
use serin_api::{Ref, ResourceKind, StatusState};
use serin_translate::{CertificateFacts, CredentialFacts};

use crate::fixture::{World, upstream, virtual_service};

/// A world whose only route goes to the Upstream `up` with this spec.
fn world(spec: &str) -> World {
    let mut world = World::new();
    for (name, authority) in [("roots", true), ("pair", false)] {
        let certificate =
            (!authority).then(|| CertificateFacts { names: Vec::new(), not_before: 0, not_after: 2_000_000_000 });
        let reference = Ref::new("gloo-system", name);
        world.snapshot.secrets.insert(reference.clone());
        let facts = CredentialFacts { certificate, authority, fault: None };
        world.snapshot.credentials.insert(CredentialSource::Secret(reference), Arc::new(facts));
    }
    let routes = "[{matchers: [{prefix: /}], routeAction: {single: {upstream: {name: up}}}}]";
    world.apply(&virtual_service("app", "'*'", routes)).apply(&upstream("up", spec)).serve();
    world
}

fn tls(world: &World) -> Option<ClientTls> {
    let Transport { tls, .. } = world.serving().clusters["up_gloo-system"].transport.clone();
    tls
}

fn status(world: &World) -> (StatusState, String) {
    world.status(ResourceKind::Upstream, "gloo-system", "up")
}

const UNCHECKED: &str = "advice:\n  spec.sslConfig: the endpoints' certificates are not checked; give a root certificate \
                         (ca.crt or rootCa)";

#[test]
fn every_field_reaches_the_cluster() {
    let world = world(
        "{static: {hosts: [{addr: 10.0.0.1, port: 8443}]}, sslConfig: {secretRef: {name: roots, namespace: gloo-system}, \
         sni: Up.example, verifySubjectAltName: [a, b], parameters: {minimumProtocolVersion: TLSv1_3}, \
         alpnProtocols: [x], oneWayTls: true}}",
    );
    assert_eq!(status(&world), (Accepted, String::new()));
    let made = tls(&world).unwrap();
    let expected = ClientTls {
        credential: Some(CredentialSource::Secret(Ref::new("gloo-system", "roots"))),
        show_certificate: false,
        sni: "up.example".to_owned(),
        host_sni: [].into(),
        names: vec!["a".to_owned(), "b".to_owned()],
        minimum: TlsVersion::V1_3,
        maximum: TlsVersion::V1_3,
        alpn: vec!["x".to_owned()],
    };
    assert_eq!(made, expected);
}

#[test]
fn without_roots_nothing_is_checked_and_the_status_says_so() {
    for ssl in ["{}", "{secretRef: {name: pair, namespace: gloo-system}}"] {
        let world = world(&format!("{{static: {{hosts: [{{addr: 10.0.0.1, port: 80}}]}}, sslConfig: {ssl}}}"));
        assert_eq!(status(&world), (Accepted, UNCHECKED.to_owned()), "{ssl}");
        assert!(tls(&world).unwrap().show_certificate);
    }
}

#[test]
fn what_is_wrong_is_named_and_ends_in_no_plain_text() {
    for (ssl, reason) in [
        ("secretRef: {name: gone, namespace: x}", "secretRef: Secret x.gone not found"),
        ("sslFiles: {rootCa: /a}", "sslFiles: files /a not found"),
        (
            "secretRef: {name: pair, namespace: gloo-system}, verifySubjectAltName: [a]",
            "verifySubjectAltName: a root certificate must be provided (ca.crt or rootCa)",
        ),
        ("secretRef: {name: roots, namespace: gloo-system}, sni: '*.a'", "sni: \"*.a\" is no host name"),
        (
            "secretRef: {name: roots, namespace: gloo-system}, parameters: {maximumProtocolVersion: TLSv1_1}",
            "parameters.maximumProtocolVersion: TLS older than 1.2 is not spoken; use TLSv1_2 or TLSv1_3",
        ),
    ] {
        let world = world(&format!("{{static: {{hosts: [{{addr: 10.0.0.1, port: 80}}]}}, sslConfig: {{{ssl}}}}}"));
        let sentence = format!("spec.sslConfig.{reason}; its routes answer 503");
        assert_eq!(status(&world), (Warning, format!("warning:\n  {sentence}")), "{ssl}");
        let (_, told) = world.status(ResourceKind::VirtualService, "gloo-system", "app");
        assert!(told.contains(&sentence), "whoever routes there is told: {told}");
        let credential = tls(&world).unwrap().credential.expect("one that cannot be found");
        assert!(!world.snapshot.credentials.contains_key(&credential), "{ssl}");
    }
}

#[test]
fn fixed_hosts_speak_tls_when_they_say_so_or_their_port_does() {
    for (fixed, sni) in [
        ("hosts: [{addr: a.example, port: 443}]", Some("a.example")),
        ("hosts: [{addr: 10.0.0.1, port: 443}]", Some("")),
        ("useTls: true, hosts: [{addr: a.example, port: 80}]", Some("a.example")),
        ("useTls: false, hosts: [{addr: a.example, port: 443}]", None),
        ("hosts: [{addr: a.example, port: 80}]", None),
    ] {
        let world = world(&format!("{{static: {{{fixed}}}}}"));
        let made = tls(&world);
        assert_eq!(made.as_ref().map(|tls| tls.sni.as_str()), sni, "{fixed}");
        let (state, reason) = status(&world);
        assert_eq!((state, reason.contains("not checked")), (Accepted, made.is_some()), "{fixed}");
    }
}

#[test]
fn a_hosts_own_name_goes_before_the_one_for_all() {
    let hosts = "hosts: [{addr: a.example, port: 1}, {addr: 10.0.0.1, port: 2}, {addr: b.example, port: 3, sniAddr: C.example}]";
    let ssl = "sslConfig: {sni: all.example}";
    let names = |world: &World| tls(world).unwrap().host_sni.into_iter().collect::<Vec<_>>();
    let pair = |host: &str, name: &str| (host.to_owned(), name.to_owned());
    let auto = world(&format!("{{static: {{{hosts}}}, {ssl}}}"));
    assert_eq!(names(&auto), [pair("a.example:1", "a.example"), pair("b.example:3", "c.example")]);
    let own = world(&format!("{{static: {{autoSniRewrite: false, {hosts}}}, {ssl}}}"));
    assert_eq!(names(&own), [pair("b.example:3", "c.example")]);
    assert_eq!(tls(&own).unwrap().sni, "all.example");
    let bad = world(&format!("{{static: {{hosts: [{{addr: 10.0.0.1, port: 1, sniAddr: 'a b'}}]}}, {ssl}}}"));
    let (state, reason) = status(&bad);
    assert_eq!(state, Warning);
    assert!(
        reason.contains("spec.static.hosts[0].sniAddr: \"a b\" is no host name; its routes answer 503"),
        "{reason}"
    );
}

#[test]
fn what_nothing_implements_is_reported() {
    let world = world("{static: {hosts: [{addr: 10.0.0.1, port: 1}]}, sslConfig: {allowRenegotiation: true}}");
    let (_, reason) = status(&world);
    assert!(reason.contains("spec.sslConfig.allowRenegotiation"), "{reason}");
}
