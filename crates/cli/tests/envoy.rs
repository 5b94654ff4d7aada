//! `serin up --envoy`: an Envoy beside the data plane serves the same, comes back when it dies, and goes with the gateway.
#![allow(clippy::unwrap_used)]

mod instance;

use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use instance::{Instance, PATIENCE, get, is_alive, table, text};
use serin_envoy_process::{Envoy, program_or_skip};

/// The Envoy to test with; `None` (and a loud word) where there is none.
fn envoy() -> Option<String> {
    program_or_skip().map(|program| program.display().to_string())
}

const FREE_PORTS: [&str; 6] = ["--envoy-http-port", "0", "--envoy-https-port", "0", "--envoy-admin-port", "0"];

/// A running instance with an Envoy.
fn start() -> Option<Instance> {
    let envoy = envoy()?;
    let instance = Instance::home();
    let started = instance.up(&[&["--envoy", &envoy], &FREE_PORTS[..]].concat());
    assert!(started.status.success(), "{}", text(&started.stderr));
    assert!(text(&started.stdout).contains("Envoy gloo-system.gateway-proxy"), "{}", text(&started.stdout));
    Some(instance)
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// The processes that run this home's Envoy.
fn processes(instance: &Instance) -> Vec<u64> {
    let bootstrap = instance.path().join("envoy/bootstrap.yaml").display().to_string();
    let own = |pid: &u64| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<String> = line.split(|byte| *byte == 0).map(text).collect();
        words.contains(&bootstrap) && !words.iter().any(|word| word.starts_with("__pod"))
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(own).collect()
}

fn kill(pid: u64) {
    assert!(std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

/// Waits until the Envoy answers so; whatever port it has by now.
fn until(instance: &Instance, path: &str, status: u16, body: &str) {
    let address = instance.ok(&["proxy", "address", "--envoy"]);
    eventually(body, || {
        std::net::TcpStream::connect(address.trim()).is_ok()
            && get(address.trim(), path, "gateway.test") == (status, body.to_owned())
    });
}

fn routes(body: &str) -> String {
    format!(
        "apiVersion: gateway.solo.io/v1\nkind: VirtualService\nmetadata: {{name: vs, namespace: gloo-system}}\nspec:\n  virtualHost:\n    \
         domains: ['*']\n    routes: [{{matchers: [{{prefix: /}}], directResponseAction: {{status: 200, body: {body}}}}}]\n"
    )
}

/// A Secret, and a VirtualService that is served with it: by the Envoy too.
fn serves_https(instance: &Instance) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["gateway.test".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let indented = |pem: &str| pem.trim_end().replace('\n', "\n    ");
    instance.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: cert, namespace: gloo-system}}\ntype: kubernetes.io/tls\n\
         stringData:\n  tls.crt: |\n    {}\n  tls.key: |\n    {}\n",
        indented(&certificate),
        indented(&key.serialize_pem())
    ));
    instance.apply(
        "apiVersion: gateway.solo.io/v1\nkind: VirtualService\nmetadata: {name: secure, namespace: gloo-system}\n\
         spec:\n  sslConfig: {secretRef: {name: cert, namespace: gloo-system}, sniDomains: [gateway.test]}\n  \
         virtualHost:\n    domains: [gateway.test, 'gateway.test:*']\n    \
         routes: [{matchers: [{prefix: /}], directResponseAction: {status: 200, body: secure}}]\n",
    );
    let root = instance.file("root.crt", &certificate);
    eventually("the Envoy serves HTTPS", || {
        let address = instance.says("/envoy/gateway/gloo-system.gateway-proxy-ssl");
        let Some(port) = address.as_str().and_then(|address| address.rsplit(':').next()) else { return false };
        let output = std::process::Command::new("curl")
            .args(["-sS", "--max-time", "5", "--resolve", &format!("gateway.test:{port}:127.0.0.1"), "--cacert", &root])
            .arg(format!("https://gateway.test:{port}/"))
            .output()
            .unwrap();
        text(&output.stdout) == "secure"
    });
    assert!(instance.ok(&["proxy", "url", "--envoy", "--port", "https"]).starts_with("https://"));
}

#[test]
fn an_envoy_serves_the_same_and_is_started_again_when_it_dies() {
    let Some(instance) = start() else { return };
    instance.apply(&routes("first"));
    instance.until("/x", 200, "first");
    until(&instance, "/x", 200, "first");
    assert_ne!(instance.ok(&["proxy", "url"]), instance.ok(&["proxy", "url", "--envoy"]));
    assert!(instance.ok(&["status"]).contains("Envoy gloo-system.gateway-proxy"));
    let log = instance.path().join("logs/envoy.log");
    assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);

    let [pid] = processes(&instance)[..] else { panic!("{:?}", processes(&instance)) };
    kill(pid);
    eventually("it is started again", || {
        instance.says("/envoy/starts") == 2 && instance.says("/envoy/running") == true
    });
    until(&instance, "/x", 200, "first");
    let told = std::fs::read_to_string(instance.path().join("logs/serin.log")).unwrap();
    assert!(told.contains("Envoy beside the gateway was ended by signal 9; it is started again"), "{told}");
    instance.apply(&routes("second"));
    until(&instance, "/x", 200, "second");

    serves_https(&instance);

    instance.ok(&["down"]);
    assert!(processes(&instance).is_empty());
}

#[test]
fn an_envoy_does_not_outlive_a_gateway_that_is_killed() {
    let Some(instance) = start() else { return };
    let [envoy] = processes(&instance)[..] else { panic!("{:?}", processes(&instance)) };
    kill(instance.says("/pid").as_u64().unwrap());
    eventually("the Envoy is gone too", || !is_alive(envoy));
}

#[test]
fn what_cannot_be_run_as_an_envoy_is_told_before_anything_starts() {
    let instance = Instance::home();
    let other = instance.file("other", "#!/bin/sh\necho hello\n");
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o700)).unwrap();
    let plain = instance.file("plain", "");
    for (path, expected) in [
        (other.as_str(), "does not say a version of Envoy"),
        (plain.as_str(), "is not executable"),
        ("/no/such/envoy", "does not exist"),
    ] {
        let started = instance.up(&["--envoy", path]);
        let said = text(&started.stderr);
        assert_eq!(started.status.code(), Some(1), "{said}");
        assert!(said.contains(expected) && said.contains(path), "{said}");
    }
    assert!(instance.refused(&["proxy", "url", "--envoy"]).contains("serin up"));
}

#[test]
fn an_envoy_that_ends_at_once_is_told_with_its_last_words() {
    let instance = Instance::home();
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'envoy  version: a/1.40.0/Clean/RELEASE/B' && exit\necho no luck >&2\nexit 3\n";
    let envoy = instance.file("envoy", script);
    std::fs::set_permissions(&envoy, std::fs::Permissions::from_mode(0o700)).unwrap();
    let started = instance.up(&[&["--envoy", &envoy], &FREE_PORTS[..]].concat());
    let said = text(&started.stderr);
    assert_eq!(started.status.code(), Some(1), "{said}");
    for expected in ["exit code 3", "no luck", "envoy.log"] {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_port_that_envoy_cannot_have_is_named_with_its_flag() {
    let Some(envoy) = envoy() else { return };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in ["--envoy-http-port", "--envoy-https-port", "--envoy-admin-port"] {
        let instance = Instance::home();
        let others = FREE_PORTS.chunks(2).filter(|pair| pair[0] != flag).flatten().copied();
        let words: Vec<&str> = ["--envoy", &envoy, flag, &port].into_iter().chain(others).collect();
        let started = instance.up(&words);
        let said = text(&started.stderr);
        assert_eq!(started.status.code(), Some(1), "{said}");
        assert!(said.contains(flag) && said.contains(&port), "{said}");
    }
}

/// A table whose route asks for a query parameter of this name.
fn asking_for(name: &str, prefix: &str, parameter: &str, body: &str) -> String {
    format!(
        "apiVersion: gateway.solo.io/v1\nkind: RouteTable\nmetadata: {{name: {name}, namespace: gloo-system}}\nspec:\n  routes:\n  \
         - matchers: [{{prefix: {prefix}, queryParameters: [{{name: {parameter}}}]}}]\n    \
         directResponseAction: {{status: 200, body: {body}}}\n"
    )
}

#[test]
fn a_refused_route_is_told_to_its_owner_and_holds_up_nobody_else() {
    let Some(instance) = start() else { return };
    let delegate = |name: &str| {
        format!(
            "{{matchers: [{{prefix: /{name}}}], delegateAction: {{ref: {{name: {name}, namespace: gloo-system}}}}}}"
        )
    };
    instance.apply(&format!(
        "{}---\n{}---\napiVersion: gateway.solo.io/v1\nkind: VirtualService\nmetadata: {{name: vs, namespace: gloo-system}}\n\
         spec: {{virtualHost: {{domains: ['*'], routes: [{}, {}]}}}}\n",
        asking_for("mine", "/mine", "q", "first"),
        table("theirs", "/theirs", "first"),
        delegate("mine"),
        delegate("theirs")
    ));
    until(&instance, "/mine?q=1", 200, "first");
    until(&instance, "/theirs", 200, "first");
    assert!(instance.ok(&["check"]).contains("No problems"));

    // Envoy wants names of at most 1024 bytes. Ours takes them longer, and another team changes meanwhile.
    let long = "q".repeat(1100);
    instance.apply(&asking_for("mine", "/mine", &long, "second"));
    instance.apply(&table("theirs", "/theirs", "second"));
    until(&instance, "/theirs", 200, "second");
    instance.until(&format!("/mine?{long}=1"), 200, "second");
    let reason = || {
        let path = "jsonpath={.status.statuses.gloo-system}";
        instance.ok(&["kubectl", "get", "routetable", "mine", "-n", "gloo-system", "-o", path])
    };
    eventually("its owner is told", || reason().contains("Envoy refuses"));
    let told = reason();
    for expected in ["Rejected", "gloo-system.mine[0]", "gloo-system.vs", "matchers[0]", "1024 bytes"] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    for unwanted in ["ValidationError", "virtual_hosts", "VirtualHosts", "embedded message", "serin-probe"] {
        assert!(!told.contains(unwanted), "{unwanted}: {told}");
    }
    let output = instance.serin(&["check"]).output().unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Found rejected route table: gloo-system mine"), "{said}");
    assert!(said.contains("matchers[0]") && !said.contains("gloo-system theirs"), "{said}");

    // What was accepted goes on, and so do the others.
    until(&instance, "/mine?q=1", 200, "first");
    for body in ["third", "fourth"] {
        instance.apply(&table("theirs", "/theirs", body));
        until(&instance, "/theirs", 200, body);
    }
    instance.apply(&asking_for("mine", "/mine", "q", "mended"));
    until(&instance, "/mine?q=1", 200, "mended");
    eventually("nothing is left to tell", || !reason().contains("Envoy"));
    assert!(instance.ok(&["check"]).contains("No problems"));
}

#[test]
fn an_envoy_elsewhere_follows_with_its_bootstrap_alone() {
    let Some(program) = program_or_skip() else { return };
    let instance = Instance::home();
    let started = instance.up(&["--xds-port", "0"]);
    assert!(started.status.success(), "{}", text(&started.stderr));
    assert!(text(&started.stdout).contains("discovery for Envoys"), "{}", text(&started.stdout));
    // A Gateway on a port that is free on this machine, since this Envoy binds what is asked for.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    instance.apply(&format!(
        "apiVersion: gateway.solo.io/v1\nkind: Gateway\nmetadata: {{name: edge, namespace: gloo-system}}\n\
         spec: {{bindAddress: 127.0.0.2, bindPort: {}, httpGateway: {{}}, proxyNames: [gateway-proxy]}}\n",
        free.port()
    ));
    for kind in ["gateway-proxy", "gateway-proxy-ssl"] {
        instance.ok(&["kubectl", "delete", "gateway", kind, "-n", "gloo-system"]);
    }
    instance.apply(&routes("far away"));

    let file = instance.path().join("../edge.yaml");
    let path = file.to_str().unwrap();
    instance.ok(&["proxy", "bootstrap", "--node-id", "edge-1", "--admin-port", "0", "--output", path]);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = instance.path().join("envoy/pki/ca.key");
    assert_eq!(std::fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    let _elsewhere = Envoy::start(&program, &std::fs::read_to_string(&file).unwrap()).unwrap();
    let address = format!("127.0.0.2:{}", free.port());
    eventually("the Envoy serves the routes", || {
        std::net::TcpStream::connect(&address).is_ok()
            && get(&address, "/x", "gateway.test") == (200, "far away".to_owned())
    });
}

#[test]
fn a_bootstrap_that_cannot_be_made_is_told_with_the_way_out() {
    let instance = Instance::start();
    let said = instance.refused(&["proxy", "bootstrap"]);
    assert!(said.contains("serin up --xds-port"), "{said}");
    for (words, expected) in [
        (["--node-id", "a b"], "letters, digits"),
        (["--node-id", "serin-up"], "serin up --envoy"),
        (["--xds-address", "nowhere"], "HOST:PORT"),
    ] {
        let output = instance.serin(&["proxy", "bootstrap"]).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
}
