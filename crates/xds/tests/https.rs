//! A real Envoy serves HTTPS: certificates by the name that is asked for, rotated by sending the secret alone, and clients
//! that have to show one.
#![allow(clippy::unwrap_used)]

mod stage;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use serin_api::Ref;
use serin_api::proxy::{CredentialSource, EndpointMap, ProxySpec};
use serin_xds::{ListenerAddresses, ResourceType, SecretMap, SecretText, Snapshot};
use stage::{Stage, eventually};

/// A certificate for `name` that is its own root, and its key.
fn pair(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn source(name: &str) -> CredentialSource {
    CredentialSource::Secret(Ref { namespace: "test".to_owned(), name: name.to_owned() })
}

fn text((certificate, key): &(String, String), authority: &str) -> Arc<SecretText> {
    let [certificate, key, authority] = [certificate, key, authority].map(|pem| pem.as_bytes().to_vec());
    Arc::new(SecretText { certificate, key, authority })
}

fn host(name: &str) -> Value {
    let source = json!({"kind": "VirtualService", "namespace": "test", "name": name});
    let route = json!({
        "name": "r", "source": source, "matchers": [{"prefix": "/"}],
        "action": {"directResponse": {"status": 200, "body": name}},
    });
    json!({"name": name, "source": source, "domains": [format!("{name}.test"), format!("{name}.test:*")], "routes": [route]})
}

fn tls(name: &str) -> Value {
    json!({
        "sources": [{"kind": "VirtualService", "namespace": "test", "name": name}], "names": [format!("{name}.test")],
        "default": false, "credential": source(name), "minimum": "1.2", "maximum": "1.3", "alpn": ["h2", "http/1.1"],
        "verifyClients": true, "clientNames": [], "resumption": true,
    })
}

/// A listener that serves these names, each with its own certificate.
fn spec(names: &[&str]) -> Arc<ProxySpec> {
    let listener = json!({
        "name": "test.gw", "source": {"kind": "Gateway", "namespace": "test", "name": "gw"}, "bindAddress": "::",
        "bindPort": 8443, "ssl": true, "stripAnyHostPort": true,
        "tls": names.iter().map(|name| tls(name)).collect::<Vec<_>>(),
        "virtualHosts": names.iter().map(|name| host(name)).collect::<Vec<_>>(),
    });
    serde_json::from_value(json!({"listeners": [listener], "clusters": {}, "sources": []})).unwrap()
}

fn publish(stage: &Stage, spec: Arc<ProxySpec>, secrets: SecretMap) -> Arc<Snapshot> {
    let addresses = ListenerAddresses { bind: Some(Ipv4Addr::LOCALHOST.into()), port_map: [(8443, 0)].into() };
    let previous = stage.server.current();
    let made = Snapshot::with_secrets(spec, EndpointMap::new(), addresses, secrets, previous.as_deref());
    let made = Arc::new(made);
    stage.server.publish(made.clone());
    made
}

/// What curl makes of `https://NAME.test/`: body, protocol, and what it has to complain of.
fn curl(address: SocketAddr, name: &str, root: &str, more: &[&str], place: &Path) -> String {
    let file = place.join("root.pem");
    std::fs::write(&file, root).unwrap();
    let port = address.port();
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "5", "--resolve", &format!("{name}.test:{port}:127.0.0.1"), "--cacert"])
        .arg(&file)
        .args(["-w", " over HTTP/%{http_version}"])
        .args(more)
        .arg(format!("https://{name}.test:{port}/"))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn serves(delta: bool) {
    let Some(stage) = Stage::set(delta) else { return };
    let place = tempfile::tempdir().unwrap();
    let (a, b) = (pair("a.test"), pair("b.test"));
    let first = publish(&stage, spec(&["a", "b"]), [(source("a"), text(&a, "")), (source("b"), text(&b, ""))].into());
    stage.settled(first.number());
    let address = stage.address("test.gw");
    let ask = |name: &str, root: &str, more: &[&str]| curl(address, name, root, more, place.path());
    eventually("both names are served", || {
        ask("a", &a.0, &[]) == "a over HTTP/2" && ask("b", &b.0, &["--http1.1"]) == "b over HTTP/1.1"
    });
    assert!(!ask("c", &a.0, &[]).contains("over HTTP/2"), "a name that nobody has");

    // Another certificate for a: nothing but its secret changes.
    let renewed = pair("a.test");
    let second =
        publish(&stage, spec(&["a", "b"]), [(source("a"), text(&renewed, "")), (source("b"), text(&b, ""))].into());
    for kind in [ResourceType::Listener, ResourceType::Routes] {
        assert_eq!(first.resources(kind), second.resources(kind));
    }
    eventually("the new certificate is served", || ask("a", &renewed.0, &[]) == "a over HTTP/2");
    assert!(!ask("a", &a.0, &[]).contains("over HTTP/2"), "and the old one is not");
    stage.settled(second.number());
    assert_eq!(stage.server.nodes()[0].refusals, []);
}

#[test]
fn certificates_are_served_by_name_and_rotate() {
    serves(true);
}

#[test]
fn certificates_are_served_by_name_and_rotate_in_the_state_of_the_world() {
    serves(false);
}

#[test]
fn clients_have_to_show_a_certificate_where_there_are_roots_for_it() {
    let Some(stage) = Stage::set(true) else { return };
    let place = tempfile::tempdir().unwrap();
    let (a, client) = (pair("a.test"), pair("client"));
    publish(&stage, spec(&["a"]), [(source("a"), text(&a, &client.0))].into());
    let address = stage.address("test.gw");
    let files = [("client.pem", &client.0), ("client.key", &client.1)].map(|(name, pem)| {
        std::fs::write(place.path().join(name), pem).unwrap();
        place.path().join(name).display().to_string()
    });
    let shown = ["--cert", &files[0], "--key", &files[1]];
    eventually("who shows one is served", || curl(address, "a", &a.0, &shown, place.path()) == "a over HTTP/2");
    assert!(!curl(address, "a", &a.0, &[], place.path()).contains("a over"), "who shows none is not");

    // Beside another name that wants none it is served as before, and not reached by way of that one.
    let b = pair("b.test");
    publish(&stage, spec(&["a", "b"]), [(source("a"), text(&a, &client.0)), (source("b"), text(&b, ""))].into());
    eventually("the other name is served", || curl(address, "b", &b.0, &[], place.path()) == "b over HTTP/2");
    eventually("who shows one is served", || curl(address, "a", &a.0, &shown, place.path()) == "a over HTTP/2");
    assert!(!curl(address, "a", &a.0, &[], place.path()).contains("a over"), "who shows none is not");
    let status = |name: &str, root: &str, host: &str| {
        let more = [&shown[..], &["-H", host, "-w", " %{http_code}"]].concat();
        curl(address, name, root, &more, place.path())
    };
    assert_eq!(status("b", &b.0, "host: a.test"), " 421");
    assert_eq!(status("a", &a.0, "host: b.test"), "b 200", "who was checked may ask for what wants no check");

    // Nor by way of one that checks clients by other roots.
    let other = pair("client");
    publish(&stage, spec(&["a", "b"]), [(source("a"), text(&a, &client.0)), (source("b"), text(&b, &other.0))].into());
    assert_eq!(status("a", &a.0, "host: a.test"), "a 200");
    eventually("it is told", || status("a", &a.0, "host: b.test") == " 421");
    assert_eq!(stage.server.nodes()[0].refusals, []);
}

#[test]
fn without_a_certificate_nothing_is_opened_and_keys_are_not_shown() {
    let snapshot = Snapshot::new(spec(&["a"]), EndpointMap::new(), ListenerAddresses::default(), None);
    assert!(snapshot.resources(ResourceType::Listener).is_empty());
    assert!(snapshot.resources(ResourceType::Secret).is_empty());
    let key = pair("a.test");
    assert!(!format!("{:?}", text(&key, "")).contains("PRIVATE"));
}
