//! What upstreams are told of a client's certificate: the same by a real Envoy and by our own data plane, letter for letter.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod stage;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, SanType,
};
use serde_json::{Value, json};
use serin_api::Ref;
use serin_api::proxy::{CredentialSource, Endpoint, ProxySpec};
use serin_proxy::{Credential, DataPlane, DataPlaneOptions, Pem};
use serin_xds::{ListenerAddresses, SecretText, Snapshot};
use stage::both::upstream;
use stage::{Stage, eventually};

fn uri(text: &str) -> SanType {
    SanType::URI(Ia5String::try_from(text).unwrap())
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(Ia5String::try_from(text).unwrap())
}

/// Who signs, and the certificates of the gateway and of clients, as files.
struct Papers {
    place: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Papers {
    fn new() -> Self {
        let (place, key) = (tempfile::tempdir().unwrap(), KeyPair::generate().unwrap());
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a root");
        std::fs::write(place.path().join("root.crt"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { place, issuer: Issuer::new(params, key) }
    }

    /// A certificate, which is written with the root behind it if it is `chained`.
    fn issue(&self, file: &str, names: Vec<SanType>, subject: DistinguishedName, chained: bool) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        (params.subject_alt_names, params.distinguished_name) = (names, subject);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let mut certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        if chained {
            certificate += &self.read("root.crt");
        }
        std::fs::write(self.path().join(format!("{file}.crt")), certificate).unwrap();
        std::fs::write(self.path().join(format!("{file}.key")), key.serialize_pem()).unwrap();
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap()
    }

    /// What the upstream is told: the values of the header, in order, as one.
    fn told(&self, address: SocketAddr, client: &str, arrivals: &Receiver<String>) -> String {
        let (file, port) = (|name: &str| self.path().join(name).display().to_string(), address.port());
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--http1.1", "--max-time", "5", "--resolve", &format!("a.test:{port}:127.0.0.1")]);
        curl.args(["-H", "x-forwarded-client-cert: By=us", "-H", "x-forwarded-client-cert: By=them"]);
        curl.args(["--cacert", &file("root.crt"), "--cert", &file(&format!("{client}.crt"))]);
        curl.args(["--key", &file(&format!("{client}.key")), &format!("https://a.test:{port}/")]);
        let output = curl.output().unwrap();
        let Ok(arrival) = arrivals.recv_timeout(Duration::from_secs(5)) else {
            return format!("nothing: {}", String::from_utf8_lossy(&output.stderr));
        };
        let values = arrival.lines().filter_map(|line| line.strip_prefix("x-forwarded-client-cert: "));
        values.collect::<Vec<_>>().join(",")
    }
}

fn credential() -> CredentialSource {
    CredentialSource::Secret(Ref { namespace: "test".to_owned(), name: "a".to_owned() })
}

fn spec(settings: &Value) -> Arc<ProxySpec> {
    let source = json!({"kind": "VirtualService", "namespace": "test", "name": "a"});
    let route = json!({
        "name": "r", "source": source, "matchers": [{"prefix": "/"}],
        "action": {"forward": {"weighted": [{"target": {"cluster": {"cluster": "up", "subset": {}}}, "weight": 1}]}},
    });
    let listener = json!({
        "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"}, "bindAddress": "::",
        "bindPort": 8443, "ssl": true, "stripAnyHostPort": true,
        "http": {"clientCertificate": settings},
        "tls": [{
            "sources": [source], "names": ["a.test"], "default": true, "credential": credential(), "minimum": "1.2",
            "maximum": "1.3", "alpn": ["http/1.1"], "verifyClients": true, "clientNames": [], "resumption": true,
        }],
        "virtualHosts": [{"name": "a", "source": source, "domains": ["*"], "routes": [route]}],
    });
    let cluster = serin_api::proxy::Cluster::new(
        "up",
        serin_api::ResourceId::new(serin_api::ResourceKind::Upstream, "test", "up"),
        serin_api::proxy::EndpointSource::Fixed(Vec::new()),
    );
    let cluster = serde_json::to_value(cluster).unwrap();
    serde_json::from_value(json!({"listeners": [listener], "clusters": {"up": cluster}, "sources": []})).unwrap()
}

#[test]
fn upstreams_are_told_the_same_of_a_certificate() {
    let Some(stage) = Stage::set(false) else { return };
    let papers = Papers::new();
    papers.issue(
        "server",
        vec![dns("a.test"), uri("spiffe://s/1"), uri("spiffe://s/2")],
        DistinguishedName::new(),
        false,
    );
    papers.issue("bare", vec![], DistinguishedName::new(), false);
    let mut subject = DistinguishedName::new();
    // Some of these have a name and some do not.
    for (at, number) in (3..55).chain([65, 72, 97]).enumerate() {
        let values = ["plain", " a, \"b\" <c>; d+e\\ ", "#\u{dc}n\u{ef}\u{1f600}", "x"];
        subject.push(DnType::CustomDnType(vec![2, 5, 4, number]), values[at % values.len()]);
    }
    for number in [1, 3, 25] {
        subject.push(DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, number]), "pilot");
    }
    for number in [1, 2, 8] {
        subject.push(DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, number]), "\t ");
    }
    let wide = DnValue::BmpString("\u{20ac}uro,".try_into().unwrap());
    subject.push(DnType::OrganizationName, wide);
    let names = vec![dns("c.test"), uri("spiffe://c/1?a=b;c"), dns("*.d.test"), uri("http://x/y,z\"q")];
    papers.issue("named", names, subject, true);

    let (up, arrivals) = upstream(|_| "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned());
    let endpoint = Endpoint { host: up.ip().to_string(), port: up.port(), labels: BTreeMap::new(), weight: 1 };
    let endpoints = serin_api::proxy::EndpointMap::from([("up".into(), vec![endpoint].into())]);
    let parts = ["server.crt", "server.key", "root.crt"].map(|file| papers.read(file).into_bytes());
    let pem = Pem { certificate: &parts[0], key: &parts[1], authority: &parts[2] };
    let options = DataPlaneOptions { workers: 1, port_map: [(8443, 0)].into(), ..DataPlaneOptions::default() };
    let plane = DataPlane::start(options).unwrap();
    plane.set_credentials([(credential(), Arc::new(Credential::new(pem).unwrap()))].into());
    plane.set_endpoints(endpoints.clone());
    let [certificate, key, authority] = parts.clone();
    let secret = Arc::new(SecretText { certificate, key, authority });

    let all = json!({"subject": true, "certificate": true, "chain": true, "dns": true, "uri": true});
    for settings in [
        json!({}),
        json!({"header": "Keep"}),
        json!({"header": "KeepAlways"}),
        json!({"header": "Append"}),
        json!({"header": "Append", "details": all}),
        json!({"header": "Replace", "details": {"uri": true, "subject": true}}),
        json!({"header": "Replace", "details": all}),
    ] {
        let spec = spec(&settings);
        plane.apply(Arc::clone(&spec)).unwrap();
        let addresses = ListenerAddresses { bind: Some(Ipv4Addr::LOCALHOST.into()), port_map: [(8443, 0)].into() };
        let previous = stage.server.current();
        let secrets = [(credential(), Arc::clone(&secret))].into();
        let made = Arc::new(Snapshot::with_secrets(spec, endpoints.clone(), addresses, secrets, previous.as_deref()));
        stage.server.publish(Arc::clone(&made));
        stage.settled(made.number());
        let ours = plane.listeners()[0].address;
        for client in ["bare", "named"] {
            let ours = papers.told(ours, client, &arrivals);
            assert_eq!(ours.is_empty(), settings == json!({}), "{settings}: {ours}");
            // An Envoy that follows has not yet opened the listener anew.
            let mut envoys = String::new();
            eventually(&format!("Envoy tells the same for {settings}"), || {
                let now = papers.told(stage.address("test.gw"), client, &arrivals);
                let same = now == ours;
                if !same && envoys != now {
                    eprintln!("ours:  {ours}\nenvoy: {now}");
                    envoys = now;
                }
                same
            });
        }
    }
    assert_eq!(stage.server.nodes()[0].refusals, []);
}
