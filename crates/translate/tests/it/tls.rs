//! TLS towards clients: who is served with which certificate, and what is said of those that cannot be.

use std::sync::Arc;

use serin_api::StatusState::{Accepted, Rejected, Warning};
use serin_api::proxy::{CredentialSource, Listener, TlsVersion};
use serin_api::{Ref, ResourceKind, StatusState};
use serin_translate::{CertificateFacts, CredentialFacts};

use crate::fixture::ask::get;
use crate::fixture::{World, says, virtual_service};

/// A VirtualService with this `sslConfig` (YAML in flow style).
fn secure(name: &str, domains: &str, ssl: &str) -> String {
    virtual_service(name, domains, &format!("[{{matchers: [{{prefix: /}}], {}}}]", says(name)))
        .replace("spec:\n", &format!("spec:\n  sslConfig: {ssl}\n"))
}

fn secret(world: &mut World, name: &str, facts: CredentialFacts) {
    let reference = Ref::new("gloo-system", name);
    world.snapshot.secrets.insert(reference.clone());
    world.snapshot.credentials.insert(CredentialSource::Secret(reference), Arc::new(facts));
}

fn good(names: &[&str]) -> CredentialFacts {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = Some(CertificateFacts { names, not_before: 1_000_000_000, not_after: 2_000_000_000 });
    CredentialFacts { certificate, authority: false, fault: None }
}

fn listener(world: &World) -> Arc<Listener> {
    world.serving().listeners.iter().find(|listener| listener.ssl).expect("the TLS listener").clone()
}

fn status(world: &World, name: &str) -> (StatusState, String) {
    world.status(ResourceKind::VirtualService, "gloo-system", name)
}

#[test]
fn a_virtual_service_with_ssl_config_is_served_with_tls_and_never_in_plain_text() {
    let mut world = World::new();
    secret(&mut world, "a", good(&["a.com"]));
    world.apply(&secure("app", "a.com", "{secretRef: {name: a, namespace: gloo-system}, sniDomains: [A.com]}")).serve();
    assert_eq!(status(&world, "app"), (Accepted, String::new()));
    assert_eq!(world.answer(&get("/").host("a.com")), "404", "the plain listener has nothing");
    let listener = listener(&world);
    assert_eq!(listener.virtual_hosts.len(), 1);
    let tls = &listener.tls[0];
    assert_eq!(tls.names.iter().collect::<Vec<_>>(), ["a.com"]);
    assert!(!tls.default && tls.verify_clients && tls.resumption);
    assert_eq!((tls.minimum, tls.maximum), (TlsVersion::V1_2, TlsVersion::V1_3));
    assert_eq!(tls.alpn, ["h2", "http/1.1"]);
}

#[test]
fn every_field_reaches_the_listener() {
    let mut world = World::new();
    secret(&mut world, "a", CredentialFacts { authority: true, ..good(&["a.com"]) });
    let ssl = "{secretRef: {name: a}, parameters: {minimumProtocolVersion: TLSv1_3}, alpnProtocols: [allow_empty], \
               verifySubjectAltName: [x], disableTlsSessionResumption: true}";
    world.apply(&secure("app", "a.com", ssl)).serve();
    assert_eq!(status(&world, "app"), (Accepted, String::new()));
    let tls = listener(&world).tls[0].clone();
    assert_eq!((tls.minimum, tls.default, tls.resumption), (TlsVersion::V1_3, true, false));
    assert!(tls.alpn.is_empty());
    assert_eq!(tls.client_names, ["x"]);
    let ssl = "{secretRef: {name: a}, oneWayTls: true, parameters: {maximumProtocolVersion: TLSv1_2}}";
    world.apply(&secure("app", "a.com", ssl)).serve();
    let tls = listener(&world).tls[0].clone();
    assert_eq!((tls.verify_clients, tls.maximum), (false, TlsVersion::V1_2));
}

#[test]
fn a_fault_takes_out_that_certificate_alone_and_is_told() {
    let mut world = World::new();
    secret(&mut world, "good", good(&["good.com"]));
    secret(&mut world, "bad", CredentialFacts { fault: Some("it is bad".to_owned()), ..Default::default() });
    secret(&mut world, "stale", CredentialFacts { fault: Some("it is bad".to_owned()), ..good(&["bad.com"]) });
    secret(&mut world, "roots", CredentialFacts { authority: true, ..Default::default() });
    world.snapshot.secrets.insert(Ref::new("gloo-system", "empty"));
    world.apply(&secure("good", "good.com", "{secretRef: {name: good}, sniDomains: [good.com]}")).serve();
    for (ssl, sentence) in [
        ("{}", "spec.sslConfig: no certificate found; set secretRef or sslFiles: this"),
        ("{secretRef: {name: gone}}", "spec.sslConfig.secretRef: Secret gloo-system.gone not found: this"),
        ("{secretRef: {name: empty}}", "spec.sslConfig.secretRef: Secret gloo-system.empty holds no certificate"),
        ("{secretRef: {name: bad}}", "spec.sslConfig.secretRef: Secret gloo-system.bad: it is bad: this"),
        ("{secretRef: {name: stale}}", "it is bad: the certificate before it is served meanwhile"),
        ("{secretRef: {name: roots}}", "spec.sslConfig.secretRef: Secret gloo-system.roots has no certificate and key"),
        ("{sslFiles: {tlsCert: /c, tlsKey: /k}}", "spec.sslConfig.sslFiles: files /c, /k not found"),
        (
            "{secretRef: {name: good}, sniDomains: [x.com], verifySubjectAltName: [me]}",
            "spec.sslConfig.verifySubjectAltName: a root certificate must be provided",
        ),
        ("{secretRef: {name: good}, sniDomains: ['*']}", "spec.sslConfig.sniDomains[0]: \"*\" is no name"),
        (
            "{secretRef: {name: good}, parameters: {maximumProtocolVersion: TLSv1_1}}",
            "spec.sslConfig.parameters.maximumProtocolVersion: TLS older than 1.2 is not spoken",
        ),
        (
            "{secretRef: {name: good}, parameters: {minimumProtocolVersion: TLSv1_3, maximumProtocolVersion: TLSv1_2}}",
            "spec.sslConfig.parameters.maximumProtocolVersion: it is older than minimumProtocolVersion",
        ),
    ] {
        world.apply(&secure("bad", "bad.com", ssl)).serve();
        let (state, reason) = status(&world, "bad");
        assert_eq!(state, Warning, "{ssl}: {reason}");
        assert!(reason.contains(sentence), "{ssl}: {reason}");
        assert_eq!(status(&world, "good"), (Accepted, String::new()), "{ssl}");
        assert!(!world.translate().is_invalid(), "{ssl}: nobody else waits");
        assert!(listener(&world).tls.iter().any(|tls| tls.names.contains("good.com")), "{ssl}");
    }
    world.apply(&secure("bad", "bad.com", "{parameters: {minimumProtocolVersion: TLSv9}}")).serve();
    assert_eq!(status(&world, "bad").0, Rejected);
}

/// In seconds.
const DAY: i64 = 24 * 60 * 60;

#[test]
fn a_certificate_that_clients_refuse_is_advice() {
    let mut world = World::new();
    secret(&mut world, "a", good(&["other.com", "*.wild.com"]));
    for (now, domains, sentence) in [
        (1_500_000_000, "x.wild.com, other.com", ""),
        (0, "other.com", ""),
        (2_000_000_000 - 31 * DAY, "other.com", ""),
        (2_000_000_000 - 29 * DAY, "other.com", "for other.com, *.wild.com ends on 2033-05-18; renew it before then"),
        (2_000_000_001, "other.com", "for other.com, *.wild.com expired on 2033-05-18; clients refuse it"),
        (
            999_999_999,
            "other.com",
            "for other.com, *.wild.com is valid from 2001-09-09 on; clients refuse it until then",
        ),
        (0, "a.com, other.com", "is for other.com, *.wild.com (until 2033-05-18), not for a.com; clients refuse it"),
    ] {
        world.snapshot.now = now;
        world.apply(&secure("app", domains, "{secretRef: {name: a}}")).serve();
        let (state, reason) = status(&world, "app");
        assert_eq!((state, reason.is_empty()), (Accepted, sentence.is_empty()), "{reason}");
        assert!(reason.contains(sentence), "{reason}");
    }
    world.apply(&secure("app", "other.com", "{secretRef: {name: a}, parameters: {minimumProtocolVersion: TLSv1_0}}"));
    world.snapshot.now = 0;
    assert!(status(&world, "app").1.contains("parameters.minimumProtocolVersion: TLS older than 1.2 is not spoken"));
}

#[test]
fn equal_certificates_are_one_and_a_name_that_two_want_is_the_oldests() {
    let mut world = World::new();
    secret(&mut world, "one", good(&["*.com"]));
    secret(&mut world, "two", good(&["*.com"]));
    world.apply(&secure("first", "a.com", "{secretRef: {name: one}, sniDomains: [a.com]}"));
    world.apply(&secure("second", "b.com", "{secretRef: {name: one}, sniDomains: [b.com, a.com]}"));
    world.apply(&secure("third", "c.com", "{secretRef: {name: two}, sniDomains: [c.com, a.com]}")).serve();
    let all = listener(&world).tls.clone();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].names.iter().collect::<Vec<_>>(), ["a.com", "b.com"]);
    assert_eq!(all[0].sources.len(), 2);
    assert_eq!(all[1].names.iter().collect::<Vec<_>>(), ["c.com"]);
    assert_eq!(status(&world, "second"), (Accepted, String::new()));
    let (state, reason) = status(&world, "third");
    assert_eq!(state, Warning);
    assert!(reason.contains("older and has another certificate for a.com"), "{reason}");
}
