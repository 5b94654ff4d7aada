//! `x-forwarded-client-cert`: what upstreams are told of a client's certificate, and who is believed in it.

mod certificates;
mod stage;

use std::process::Command;
use std::sync::Arc;

use certificates::{Authority, Identity, map};
use rcgen::string::Ia5String;
use rcgen::{CertificateParams, DistinguishedName, DnType, SanType};
use serin_api::proxy::{
    ClientCertificateDetails, ClientCertificateHeader, ClientCertificateSettings, CredentialSource, HttpSettings,
    ProxySpec, ServerTls, TlsVersion,
};
use serin_api::{Ref, ResourceKind};
use serin_proxy::DataPlane;
use sha2::{Digest, Sha256};
use stage::upstream::Upstream;
use stage::*;

const HEADERS: [ClientCertificateHeader; 5] = [
    ClientCertificateHeader::Remove,
    ClientCertificateHeader::Keep,
    ClientCertificateHeader::Append,
    ClientCertificateHeader::Replace,
    ClientCertificateHeader::KeepAlways,
];

/// A listener that speaks TLS if it is `secure`, and tells upstreams of certificates as `settings` say.
fn spec(secure: bool, settings: ClientCertificateSettings) -> Arc<ProxySpec> {
    let mut spec = stage::spec(vec![host("vs", &["*"], vec![route("/", to("up"))])], &["up"]);
    let mut listener = (*spec.listeners[0]).clone();
    listener.ssl = secure;
    listener.http = HttpSettings { client_certificate: settings, ..HttpSettings::default() };
    let tls = ServerTls {
        sources: [source(ResourceKind::VirtualService, "vs")].into(),
        names: Default::default(),
        default: true,
        credential: CredentialSource::Secret(Ref::new("test", "vs")),
        minimum: TlsVersion::V1_2,
        maximum: TlsVersion::V1_3,
        alpn: vec!["h2".to_owned(), "http/1.1".to_owned()],
        verify_clients: true,
        client_names: Vec::new(),
        resumption: true,
    };
    listener.tls = if secure { vec![Arc::new(tls)] } else { Vec::new() };
    spec.listeners = vec![Arc::new(listener)];
    Arc::new(spec)
}

/// What the upstream is told by a client that shows `identity` and sends a header of its own.
fn told(plane: &DataPlane, authority: &Authority, identity: &Identity, protocol: &str) -> Vec<String> {
    let (port, (certificate, key)) = (address(plane).port(), identity.files(authority, "client"));
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "20", "--resolve", &format!("a.test:{port}:127.0.0.1"), protocol])
        .args(["--cacert", &authority.path(), "--cert", &certificate, "--key", &key])
        .args(["-H", "X-Forwarded-Client-Cert: Hash=forged", &format!("https://a.test:{port}/")])
        .output()
        .expect("curl runs");
    values(&String::from_utf8_lossy(&output.stdout))
}

fn values(answer: &str) -> Vec<String> {
    assert!(answer.contains("x-forwarded-proto: "), "{answer}");
    answer.lines().filter_map(|line| line.strip_prefix("x-forwarded-client-cert: ")).map(str::to_owned).collect()
}

fn settings(header: ClientCertificateHeader) -> ClientCertificateSettings {
    ClientCertificateSettings { header, details: ClientCertificateDetails::default() }
}

#[test]
fn in_plain_text_a_client_is_believed_only_where_everyone_is() {
    let upstream = Upstream::start("one");
    let plane = data_plane();
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream.address, "")])]));
    for header in HEADERS {
        plane.apply(spec(false, settings(header))).expect("applied");
        let request = "GET / HTTP/1.1\r\nhost: test\r\nconnection: close, x-forwarded-client-cert\r\n\
                       x-forwarded-client-cert: Hash=a\r\nX-Forwarded-Client-Cert: Hash=b\r\n\r\n";
        let expected: &[&str] = if header == ClientCertificateHeader::KeepAlways { &["Hash=a", "Hash=b"] } else { &[] };
        assert_eq!(values(&raw(address(&plane), request)), expected, "{header:?}");
    }
}

#[test]
fn a_certificate_is_told_of_as_the_listener_says() {
    let authority = Authority::new();
    let upstream = Upstream::start("one");
    let plane = data_plane();
    let uri = |text: &str| SanType::URI(Ia5String::try_from(text).expect("ASCII"));
    let mut server = CertificateParams::new(vec!["a.test".to_owned()]).expect("names");
    server.subject_alt_names.push(uri("spiffe://gateway"));
    let server = Identity { authority: authority.pem(), ..authority.issue_as(server) };
    let mut client = CertificateParams::new(vec!["c.test".to_owned()]).expect("names");
    client.subject_alt_names.extend([uri("spiffe://client/1"), uri("spiffe://client/2")]);
    client.distinguished_name = DistinguishedName::new();
    client.distinguished_name.push(DnType::OrganizationName, "A, \"B\"");
    client.distinguished_name.push(DnType::CommonName, "c");
    let client = authority.issue_as(client);
    plane.set_credentials(map(&[("vs", &server)]));
    plane.set_endpoints(endpoints(&[("up", &[endpoint(upstream.address, "")])]));
    let digits: String = Sha256::digest(client.der()).iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = format!("By=spiffe://gateway;Hash={digits}");
    for header in HEADERS {
        plane.apply(spec(true, settings(header))).expect("applied");
        let expected: &[&str] = match header {
            ClientCertificateHeader::Remove => &[],
            ClientCertificateHeader::Keep | ClientCertificateHeader::KeepAlways => &["Hash=forged"],
            ClientCertificateHeader::Append => &[&format!("Hash=forged,{hash}")],
            ClientCertificateHeader::Replace => &[&hash],
        };
        for protocol in ["--http1.1", "--http2"] {
            assert_eq!(told(&plane, &authority, &client, protocol), expected, "{header:?} {protocol}");
        }
    }
    let details = ClientCertificateDetails { subject: true, dns: true, uri: true, ..Default::default() };
    let settings = ClientCertificateSettings { header: ClientCertificateHeader::Replace, details };
    plane.apply(spec(true, settings)).expect("applied");
    let names = "Subject=\"CN=c,O=A\\, \\\"B\\\"\";URI=spiffe://client/1;URI=spiffe://client/2;DNS=c.test";
    assert_eq!(told(&plane, &authority, &client, "--http2"), [format!("{hash};{names}")]);
    // What no header may have is not told, nor is what the client says instead.
    let mut odd = CertificateParams::default();
    odd.subject_alt_names = vec![uri("spiffe://a\r\nx-evil: 1")];
    assert_eq!(told(&plane, &authority, &authority.issue_as(odd), "--http1.1"), [""; 0]);
}
