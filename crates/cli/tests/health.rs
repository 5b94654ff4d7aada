//! Endpoints that are not well and names that nobody knows: what `serin check` and `/config` say of them.
#![allow(clippy::unwrap_used)]

mod instance;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

use instance::{Instance, PATIENCE, get, text};
use serde_json::Value;

/// A server that answers everything with 200, and a port that nobody listens on while the second value is there.
fn endpoints() -> (SocketAddr, std::net::TcpStream) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let held = std::net::TcpStream::connect(address).unwrap();
    std::thread::spawn(move || {
        for mut stream in server.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while stream.read(&mut bytes).is_ok_and(|count| count > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell");
                }
            });
        }
    });
    (address, held)
}

fn upstream(hosts: &[(String, u16)]) -> String {
    let hosts: Vec<String> = hosts.iter().map(|(host, port)| format!("{{addr: {host}, port: {port}}}")).collect();
    format!(
        "apiVersion: gloo.solo.io/v1\nkind: Upstream\nmetadata: {{name: up, namespace: gloo-system}}\nspec:\n  static: \
         {{hosts: [{}]}}\n  healthChecks:\n  - {{timeout: 1s, interval: 0.05s, noTrafficInterval: 0.05s, \
         unhealthyThreshold: 1, healthyThreshold: 1, httpHealthCheck: {{path: /well}}}}\n",
        hosts.join(", ")
    )
}

const ROUTE: &str = "apiVersion: gateway.solo.io/v1\nkind: VirtualService\nmetadata: {name: app, namespace: gloo-system}\n\
                     spec:\n  virtualHost:\n    domains: ['*']\n    routes:\n    - matchers: [{prefix: /}]\n      \
                     routeAction: {single: {upstream: {name: up, namespace: gloo-system}}}\n";

/// Checks until the exit status and a part of what is said are as expected.
fn check_until(instance: &Instance, status: i32, part: &str) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let output = instance.serin(&["check"]).output().unwrap();
        let said = text(&output.stdout);
        if output.status.code() == Some(status) && said.contains(part) {
            return said;
        }
        assert!(Instant::now() < end, "wanted {status} and {part}: {said}{}", text(&output.stderr));
    }
}

#[test]
fn check_says_which_endpoints_are_not_well_and_why() {
    let instance = Instance::start();
    let (good, held) = endpoints();
    let dead = held.local_addr().unwrap().port();
    let local = |port| ("127.0.0.1".to_owned(), port);
    instance.apply(&upstream(&[local(good.port()), local(dead)]));
    instance.apply(ROUTE);

    let bad = format!("127.0.0.1:{dead} is unhealthy: ");
    let said = check_until(&instance, 0, &bad);
    assert!(said.contains("Checking upstreams... OK\nAdvice on upstream: gloo-system up\n"), "{said}");
    assert!(said.contains("Reason: 1 of 2 endpoints are healthy\n"), "{said}");
    assert_eq!(instance.serin(&["check", "--strict"]).output().unwrap().status.code(), Some(1));
    assert_eq!(instance.ask("/"), (200, "well".to_owned()));

    let config: Value =
        serde_json::from_str(&get(instance.says("/admin").as_str().unwrap(), "/config", "localhost").1).unwrap();
    let health = &config["health"][0];
    assert_eq!((&health["upstream"]["name"], &health["endpoints"]), (&Value::from("up"), &Value::from(2)));
    assert_eq!(health["bad"][0]["address"], format!("127.0.0.1:{dead}"));
    assert!(health["bad"][0]["unhealthy"].is_string(), "{health}");

    instance.apply(&upstream(&[local(dead)]));
    let said = check_until(&instance, 1, &bad);
    assert!(said.contains("Found upstream without a healthy endpoint: gloo-system up\n"), "{said}");
    let output = instance.serin(&["check", "-o", "json"]).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let area = json["areas"].as_array().unwrap().iter().find(|area| area["area"] == "upstreams").unwrap();
    assert_eq!((&area["findings"][0]["grade"], &area["findings"][0]["how"]), (&"problem".into(), &"unhealthy".into()));
    assert!(area["findings"][0]["reason"].as_str().unwrap().contains(&bad), "{json}");

    instance.apply(&upstream(&[local(good.port())]));
    check_until(&instance, 0, "Checking upstreams... OK\nChecking upstream groups... OK\n");
}

#[test]
fn check_says_which_host_name_nobody_knows() {
    let instance = Instance::start();
    instance.apply(&upstream(&[("nowhere.invalid".to_owned(), 80)]));
    instance.apply(ROUTE);
    let said = check_until(&instance, 1, "Reason: the host name nowhere.invalid cannot be looked up: ");
    assert!(said.contains("Found upstream without a healthy endpoint: gloo-system up\n"), "{said}");
    assert_eq!(instance.ask("/"), (503, "no healthy upstream".to_owned()));
}
