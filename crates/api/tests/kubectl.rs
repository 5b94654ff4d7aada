//! A real kubectl against the embedded API with every kind of ours: explain, strict validation, columns.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serin_cluster::{Cluster, ClusterOptions};

struct Fixture {
    home: tempfile::TempDir,
    kubeconfig: PathBuf,
    kubectl: PathBuf,
}

impl Fixture {
    /// One cluster for all tests here; none when there is no kubectl.
    fn shared() -> Option<&'static Fixture> {
        static SHARED: OnceLock<Option<Fixture>> = OnceLock::new();
        SHARED.get_or_init(Fixture::start).as_ref()
    }

    fn start() -> Option<Fixture> {
        let kubectl = std::env::var_os("SERIN_TEST_KUBECTL").map_or_else(|| PathBuf::from("kubectl"), PathBuf::from);
        if !Command::new(&kubectl).args(["version", "--client"]).output().is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: kubectl is missing");
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        let options = ClusterOptions {
            home: home.path().join("home"),
            crds: serin_api::crd_stream().map(|definition| definition.to_string().into()).collect(),
            objects: serin_api::bootstrap_objects(),
            ..ClusterOptions::default()
        };
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let cluster = Cluster::start(options).await.unwrap();
                sender.send(cluster.kubeconfig().to_owned()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        let kubeconfig = receiver.recv().unwrap();
        Some(Fixture { home, kubeconfig, kubectl })
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut child = Command::new(&self.kubectl)
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// What kubectl prints; it must succeed.
    fn ok(&self, args: &[&str], input: &str) -> String {
        let output = self.run(args, input);
        assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What kubectl complains of; it must fail.
    fn fails(&self, args: &[&str], input: &str) -> String {
        let output = self.run(args, input);
        assert!(!output.status.success(), "kubectl {args:?} succeeded: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }
}

macro_rules! fixture {
    () => {
        match Fixture::shared() {
            Some(fixture) => fixture,
            None => return,
        }
    };
}

/// Text as one line with single spaces: kubectl wraps prose.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_kind_is_served_and_explained() {
    let f = fixture!();
    let crds = serin_api::crds();
    f.ok(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"], "");
    let short: Vec<&str> = crds.iter().map(|crd| crd["spec"]["names"]["shortNames"][0].as_str().unwrap()).collect();
    assert_eq!(f.ok(&["get", &short.join(","), "-n", "kube-public"], ""), "");
    for crd in &crds {
        let explained = f.ok(&["explain", crd["metadata"]["name"].as_str().unwrap()], "");
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap();
        assert!(explained.contains(&format!("KIND:       {kind}\n")), "{explained}");
        assert!(explained.contains("DESCRIPTION:") && !explained.contains("DESCRIPTION:\n    <empty>"), "{explained}");
    }
}

#[test]
fn fields_are_explained_in_words() {
    let f = fixture!();
    let host = flat(&f.ok(&["explain", "virtualservice.spec.virtualHost"], ""));
    assert!(host.contains("FIELD: virtualHost <Object>"), "{host}");
    assert!(host.contains("DESCRIPTION: The domains and their routes."), "{host}");
    assert!(host.contains("routes <[]Object> The routes, in order: the first that matches wins."), "{host}");
    let operator = flat(&f.ok(
        &["explain", "rt.spec.routes.delegateAction.selector.expressions.operator", "--api-version=gateway.solo.io/v1"],
        "",
    ));
    assert!(operator.contains("One of: Equals, DoubleEquals, NotEquals, In,"), "{operator}");
    let options = flat(&f.ok(&["explain", "routetable.spec.routes.options"], ""));
    assert!(options.contains("timeout <string> How long the upstream may take"), "{options}");
    assert!(options.contains("waf <Object> Not implemented yet; using it is reported in the status."), "{options}");
    let all = f.ok(&["explain", "virtualservice", "--recursive"], "");
    assert!(all.contains("numRetries"), "{}", all.len());
}

const TABLE: &str = "apiVersion: gateway.solo.io/v1\nkind: RouteTable\nmetadata: {name: NAME, namespace: default}\nspec:\n  \
                     routes:\n  - matchers:\n    - prefix: /a\n    FIELD\n    directResponseAction: {status: 200}\n";

#[test]
fn a_field_that_does_not_exist_is_named() {
    let f = fixture!();
    let manifest = TABLE.replace("NAME", "odd").replace("FIELD", "optoins: {timeout: 5s}");
    let complaint = f.fails(&["create", "--validate=strict", "-f", "-"], &manifest);
    assert!(complaint.contains("unknown field \"spec.routes[0].optoins\""), "{complaint}");
    let warned = f.run(&["create", "--validate=warn", "-f", "-"], &manifest);
    assert!(warned.status.success());
    let warning = String::from_utf8(warned.stderr).unwrap();
    assert!(warning.contains("unknown field \"spec.routes[0].optoins\""), "{warning}");
    let stored = f.ok(&["get", "rt", "odd", "-n", "default", "-o", "jsonpath={.spec.routes[0]}"], "");
    assert!(!stored.contains("optoins") && stored.contains("/a"), "{stored}");
}

#[test]
fn a_known_field_is_accepted_and_kept() {
    let f = fixture!();
    let options = "options: {timeout: 5s, retries: {numRetries: 3}, cors: {maxAge: 1h, allowCredentials: true}}";
    let manifest = TABLE.replace("NAME", "known").replace("FIELD", options);
    f.ok(&["create", "--validate=strict", "-f", "-"], &manifest);
    let retries = f.ok(
        &["get", "rt", "known", "-n", "default", "-o", "jsonpath={.spec.routes[0].options.retries.numRetries}"],
        "",
    );
    assert_eq!(retries, "3");
}

#[test]
fn a_wrong_type_is_refused_by_its_path() {
    let f = fixture!();
    let manifest = TABLE.replace("NAME", "wrong").replace("FIELD", "inheritableMatchers: \"no\"");
    let complaint = f.fails(&["create", "-f", "-"], &manifest);
    assert!(complaint.contains("spec.routes[0].inheritableMatchers"), "{complaint}");
}

#[test]
fn tables_show_what_people_look_for() {
    let f = fixture!();
    let host = "apiVersion: gateway.solo.io/v1\nkind: VirtualService\nmetadata: {name: app, namespace: default}\n\
                spec: {virtualHost: {domains: ['*.example.com', b.example.com]}}\n";
    f.ok(&["create", "-f", "-"], host);
    let status =
        r#"{"status": {"statuses": {"gloo-system": {"state": "Warning", "reason": "because", "reportedBy": "test"}}}}"#;
    f.ok(&["patch", "vs", "app", "-n", "default", "--subresource=status", "--type=merge", "-p", status], "");
    let table = flat(&f.ok(&["get", "vs", "-n", "default"], ""));
    assert!(table.starts_with("NAME DOMAINS STATE REASON AGE app "), "{table}");
    assert!(table.contains("*.example.com") && table.contains("Warning because"), "{table}");
}

#[test]
fn the_first_objects_are_there() {
    let f = fixture!();
    let gateways = f.ok(&["get", "gateways.gateway.solo.io", "-n", "gloo-system", "-o", "name"], "");
    assert_eq!(gateways, "gateway.gateway.solo.io/gateway-proxy\ngateway.gateway.solo.io/gateway-proxy-ssl\n");
    let settings = f.ok(&["get", "settings", "default", "-n", "gloo-system", "-o", "name"], "");
    assert_eq!(settings, "settings.gloo.solo.io/default\n");
}
