//! HTTPS from a Secret to a client: it is served, rotates, is told of when it is at fault, and its key is nowhere to see.
#![allow(clippy::unwrap_used)]

mod instance;

use std::process::Command;
use std::time::Instant;

use instance::{Instance, PATIENCE, text};
use rcgen::{CertificateParams, KeyPair};

/// A certificate for `gateway.test` and its key.
fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["gateway.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn secret(certificate: &str, key: &str) -> String {
    let indented = |pem: &str| pem.trim_end().replace('\n', "\n    ");
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: cert, namespace: gloo-system}}\ntype: kubernetes.io/tls\n\
         stringData:\n  tls.crt: |\n    {}\n  tls.key: |\n    {}\n",
        indented(certificate),
        indented(key)
    )
}

fn virtual_service(source: &str) -> String {
    format!(
        "apiVersion: gateway.solo.io/v1\nkind: VirtualService\nmetadata: {{name: secure, namespace: gloo-system}}\n\
         spec:\n  sslConfig: {{{source}, sniDomains: [gateway.test]}}\n  virtualHost:\n    domains: [gateway.test, 'gateway.test:*']\n\
         \x20   routes: [{{matchers: [{{prefix: /}}], directResponseAction: {{status: 200, body: secure}}}}]\n"
    )
}

/// Asks for `https://gateway.test/`, trusting this certificate alone, until that is answered.
fn until_served(instance: &Instance, certificate: &str) {
    let root = instance.file("root.crt", certificate);
    let end = Instant::now() + PATIENCE;
    loop {
        let address = instance.says("/gateway/gloo-system.gateway-proxy-ssl").as_str().unwrap_or_default().to_owned();
        let port = address.rsplit(':').next().unwrap_or_default().to_owned();
        let output = Command::new("curl")
            .args(["-sS", "--max-time", "5", "--resolve", &format!("gateway.test:{port}:127.0.0.1"), "--cacert", &root])
            .arg(format!("https://gateway.test:{port}/"))
            .output()
            .unwrap();
        if text(&output.stdout) == "secure" {
            return;
        }
        assert!(Instant::now() < end, "{}", text(&output.stderr));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Waits until the VirtualService's status says this.
fn until_told(instance: &Instance, sentence: &str) {
    let end = Instant::now() + PATIENCE;
    loop {
        let got = instance.ok(&["kubectl", "get", "virtualservice", "secure", "-n", "gloo-system", "-o", "yaml"]);
        let words = got.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.contains(sentence) {
            return;
        }
        assert!(Instant::now() < end, "{got}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_secret_is_served_rotates_and_keeps_its_key() {
    let instance = Instance::start();
    instance.apply(&virtual_service("secretRef: {name: cert, namespace: gloo-system}"));
    until_told(&instance, "Secret gloo-system.cert not found: this certificate is not served");
    let (first, second) = (pair(), pair());
    instance.apply(&secret(&first.0, &first.1));
    until_served(&instance, &first.0);
    instance.apply(&secret(&second.0, &second.1));
    until_served(&instance, &second.0);

    instance.apply(&secret(&first.0, &second.1));
    until_told(&instance, "its key does not belong to its certificate: the certificate before it is served meanwhile");
    until_served(&instance, &second.0);

    let admin = instance.says("/admin").as_str().unwrap().to_owned();
    let (_, config) = instance::get(&admin, "/config", "localhost");
    let object = instance.ok(&["kubectl", "get", "proxy", "gateway-proxy", "-n", "gloo-system", "-o", "yaml"]);
    for shown in [config, object] {
        assert!(shown.contains("gateway.test"), "{shown}");
        assert!(!shown.contains("PRIVATE KEY") && !shown.contains("BEGIN"), "{shown}");
    }

    // One that is out of its time is told of with its date, by `check` too.
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["old.test".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2019, 1, 1), rcgen::date_time_ymd(2020, 2, 29));
    instance.apply(&secret(&params.self_signed(&key).unwrap().pem(), &key.serialize_pem()));
    let expired = "its certificate for old.test expired on 2020-02-29; clients refuse it";
    until_told(&instance, expired);
    let said = instance.ok(&["check"]);
    assert!(said.contains(expired), "{said}");
    assert!(said.contains("is for old.test (until 2020-02-29), not for gateway.test; clients refuse it"), "{said}");

    // Files are read again when they change.
    let files = |pair: &(String, String)| (instance.file("tls.crt", &pair.0), instance.file("tls.key", &pair.1));
    let (certificate, key) = files(&first);
    instance.apply(&virtual_service(&format!("sslFiles: {{tlsCert: {certificate}, tlsKey: {key}}}")));
    until_served(&instance, &first.0);
    files(&second);
    until_served(&instance, &second.0);
}
