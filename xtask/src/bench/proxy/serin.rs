//! Serin as a user runs it: `serin up` with its embedded API, the routes applied as resources.
//!
//! The whole process is measured, so what the API and the controllers beside the data plane cost is counted too.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::{BenchError, RunningProxy, Server, Site};
use crate::bench::identity::Identity;
use crate::bench::scenario::{CANARY, CHANGED, Destination, REWRITTEN, Rule, Version};

const NAMESPACE: &str = "gloo-system";
/// The Secret of the certificate.
const SECRET: &str = "bench-tls";
/// The label by which the virtual service finds the tables.
const LABEL: (&str, &str) = ("app", "bench");
/// So many routes go into one table as `kubectl apply` can annotate.
const ROUTES_PER_TABLE: usize = 500;
const UP_LIMIT: Duration = Duration::from_secs(20);

pub(super) fn start(site: &Site<'_>) -> Result<RunningProxy, BenchError> {
    let home = site.directory.join("home");
    let manifests = site.directory.join("manifests.yaml");
    fs::write(&manifests, render(site)?)?;
    let arguments = "up --workers 1 --http-port 0 --https-port 0 --api-port 0 --admin-port 0".split(' ');
    let mut server = Server::start(site.program, arguments, &[("SERIN_HOME", &home)], site.directory, site.core)?;
    let port = if site.identity.is_some() { "https" } else { "http" };
    let mut url = String::new();
    server.wait_until(UP_LIMIT, || {
        url = serin(site.program, &home, &["proxy", "url", "--port", port]).map_err(|error| error.to_string())?;
        Ok(())
    })?;
    serin(site.program, &home, &["kubectl", "apply", "-f", &manifests.display().to_string()])?;
    let port = url.trim().rsplit(':').next().and_then(|port| port.parse().ok()).ok_or_else(|| {
        BenchError::NotReady { program: "serin".into(), seconds: 0, last: format!("`serin proxy url` printed {url:?}") }
    })?;
    Ok(RunningProxy { server, port })
}

/// Runs a command of Serin against the instance of `home` and gives what it printed.
fn serin(program: &Path, home: &Path, arguments: &[&str]) -> Result<String, BenchError> {
    let output = Command::new(program)
        .args(arguments)
        .env("SERIN_HOME", home)
        .env_remove("KUBECONFIG")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| BenchError::Start { program: "serin".into(), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(BenchError::Command {
        command: format!("serin {}", arguments.join(" ")),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The resources, as YAML documents, each written in JSON's part of YAML.
fn render(site: &Site<'_>) -> Result<String, BenchError> {
    let mut documents: Vec<Value> =
        [Version::V1, Version::V2].map(|version| upstream(version, site.ports.of(version))).into();
    documents.extend(site.rules.chunks(ROUTES_PER_TABLE).enumerate().map(|(number, rules)| {
        let metadata = json!({
            "name": format!("bench-{number}"),
            "namespace": NAMESPACE,
            "labels": {LABEL.0: LABEL.1},
        });
        let routes: Vec<Value> = rules.iter().map(route).collect();
        json!({"apiVersion": "gateway.solo.io/v1", "kind": "RouteTable", "metadata": metadata, "spec": {"routes": routes}})
    }));
    let mut service = json!({
        "apiVersion": "gateway.solo.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "bench", "namespace": NAMESPACE},
        "spec": {"virtualHost": {"domains": ["*"], "routes": [{
            "matchers": [{"prefix": "/"}],
            "delegateAction": {"selector": {"labels": {LABEL.0: LABEL.1}, "namespaces": [NAMESPACE]}},
        }]}},
    });
    if let Some(identity) = site.identity {
        service["spec"]["sslConfig"] = json!({"secretRef": {"name": SECRET, "namespace": NAMESPACE}});
        documents.push(secret(identity)?);
    }
    documents.push(service);
    Ok(documents.iter().map(|document| format!("---\n{document:#}\n")).collect())
}

fn secret(identity: &Identity) -> Result<Value, BenchError> {
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": SECRET, "namespace": NAMESPACE},
        "stringData": {
            "tls.crt": fs::read_to_string(&identity.certificate)?,
            "tls.key": fs::read_to_string(&identity.key)?,
        },
    }))
}

fn upstream(version: Version, port: u16) -> Value {
    json!({
        "apiVersion": "gloo.solo.io/v1",
        "kind": "Upstream",
        "metadata": {"name": version.name(), "namespace": NAMESPACE},
        "spec": {"static": {"hosts": [{"addr": "127.0.0.1", "port": port}]}},
    })
}

fn route(rule: &Rule) -> Value {
    let mut matcher = json!({"prefix": rule.prefix});
    if rule.canary {
        matcher["headers"] = json!([{"name": CANARY.0, "value": CANARY.1}]);
    }
    let target = |version: Version| json!({"upstream": {"name": version.name(), "namespace": NAMESPACE}});
    let action = match rule.destination {
        Destination::Single(version) => json!({"single": target(version)}),
        Destination::Split(v1, v2) => json!({"multi": {"destinations": [
            {"destination": target(Version::V1), "weight": v1},
            {"destination": target(Version::V2), "weight": v2},
        ]}}),
    };
    let mut route = json!({"matchers": [matcher], "routeAction": action});
    if rule.options {
        let [set, removed, answered] = CHANGED;
        let header = |name: &str| json!([{"header": {"key": name, "value": "1"}, "append": false}]);
        route["options"] = json!({
            "prefixRewrite": REWRITTEN,
            "headerManipulation": {
                "requestHeadersToAdd": header(set),
                "requestHeadersToRemove": [removed],
                "responseHeadersToAdd": header(answered),
            },
            "timeout": "5s",
            "retries": {"retryOn": "connect-failure,reset", "numRetries": 1},
        });
    }
    route
}
