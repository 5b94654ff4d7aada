//! Paths that are not about objects: versions, health, and discovery of what is served.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, Response};
use serde_json::{Value, json};

use super::negotiate::ranges;
use super::{Server, openapi, respond};
use crate::registry::{Resource, Served};
use crate::rest::ApiError;

/// The Kubernetes release whose API this is.
const MINOR: u32 = 35;

/// Answers a path that names no objects.
pub(super) fn handle(server: &Server, request: &Request<Body>) -> Result<Response<Body>, ApiError> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(ApiError::method_not_allowed());
    }
    let served = server.api.registry.served();
    let path = request.uri().path().trim_end_matches('/');
    let parts: Vec<_> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        [] | [""] => Ok(respond::json(200, json!({"paths": paths(&served)}).to_string())),
        ["healthz" | "livez" | "readyz", ..] => Ok(respond::with_type(200, "text/plain; charset=utf-8", "ok")),
        ["version"] => Ok(respond::json(200, version().to_string())),
        ["api"] | ["apis"] if let Some(content_type) = aggregated(request) => {
            let groups = aggregate(&served, parts[0] == "api");
            Ok(respond::with_type(200, content_type, groups.to_string()))
        }
        ["api"] => {
            let address = json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": server.address.to_string()}]);
            Ok(respond::json(
                200,
                json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": address}).to_string(),
            ))
        }
        ["api", "v1"] => Ok(respond::json(200, resource_list(&served, "", "v1").to_string())),
        ["apis"] => {
            let groups: Vec<_> = groups(&served).into_iter().map(|group| group_of(&served, &group)).collect();
            Ok(respond::json(200, json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}).to_string()))
        }
        ["apis", group] if groups(&served).iter().any(|g| &**g == *group) => {
            let mut value = group_of(&served, group);
            value["kind"] = json!("APIGroup");
            value["apiVersion"] = json!("v1");
            Ok(respond::json(200, value.to_string()))
        }
        ["apis", group, version] if served.has_version(group, version) => {
            Ok(respond::json(200, resource_list(&served, group, version).to_string()))
        }
        ["openapi", rest @ ..] => openapi::handle(&served, request, rest),
        _ => Err(ApiError::no_such_path()),
    }
}

fn version() -> Value {
    json!({
        "major": "1", "minor": MINOR.to_string(), "gitVersion": format!("v1.{MINOR}.0+serin-{}", env!("CARGO_PKG_VERSION")),
        "gitCommit": "", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, if cfg!(target_arch = "x86_64") { "amd64" } else { std::env::consts::ARCH }),
    })
}

/// The content type of aggregated discovery, if the client prefers it.
fn aggregated(request: &Request<Body>) -> Option<&'static str> {
    for range in ranges(request.headers()) {
        match (range.media, range.parameter("as"), range.parameter("g"), range.parameter("v")) {
            ("application/json", Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io"), Some("v2")) => {
                return Some("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
            }
            ("application/json" | "*/*" | "application/*", None, ..) => return None,
            _ => {}
        }
    }
    None
}

/// The named groups, in the order in which they are declared.
fn groups(served: &Served) -> Vec<Arc<str>> {
    let mut groups: Vec<Arc<str>> = Vec::new();
    for resource in served.iter().filter(|r| !r.group.is_empty()) {
        if !groups.contains(&resource.group) {
            groups.push(resource.group.clone());
        }
    }
    groups
}

/// The versions of a group, the preferred (highest, stable before beta before alpha) first.
fn versions(served: &Served, group: &str) -> Vec<Arc<str>> {
    let mut versions: Vec<Arc<str>> = Vec::new();
    for resource in served.iter().filter(|r| &*r.group == group) {
        if !versions.contains(&resource.version) {
            versions.push(resource.version.clone());
        }
    }
    versions.sort_by(|a, b| priority(b).cmp(&priority(a)).then_with(|| a.cmp(b)));
    versions
}

/// Kubernetes' order of versions: `v2`, `v1`, `v2beta1`, `v1alpha2`, then all that is not of that form.
fn priority(version: &str) -> (u8, u32, u32) {
    let parse = || {
        let rest = version.strip_prefix('v')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let major = rest[..digits].parse().ok()?;
        match &rest[digits..] {
            "" => Some((3, major, 0)),
            rest => {
                let (rank, minor) =
                    rest.strip_prefix("beta").map(|m| (2, m)).or(rest.strip_prefix("alpha").map(|m| (1, m)))?;
                Some((rank, major, minor.parse().ok()?))
            }
        }
    };
    parse().unwrap_or((0, 0, 0))
}

fn group_of(served: &Served, group: &str) -> Value {
    let versions: Vec<_> = versions(served, group)
        .into_iter()
        .map(|version| json!({"groupVersion": format!("{group}/{version}"), "version": &*version}))
        .collect();
    json!({"name": group, "versions": versions, "preferredVersion": versions.first()})
}

/// Subresources of a resource: name, kind with group and version if it is another one, verbs.
fn subresources(resource: &Resource) -> Vec<(&'static str, Value, &'static [&'static str])> {
    const CHANGE: &[&str] = &["get", "patch", "update"];
    let own = json!({"group": &*resource.group, "version": &*resource.version, "kind": &*resource.kind});
    let mut list: Vec<(&'static str, Value, &'static [&'static str])> = Vec::new();
    if &*resource.storage == "/namespaces" {
        list.push(("finalize", own.clone(), &["update"]));
    }
    if &*resource.storage == "/pods" {
        list.push(("log", own.clone(), &["get"]));
    }
    if resource.scale.is_some() {
        list.push(("scale", json!({"group": "autoscaling", "version": "v1", "kind": "Scale"}), CHANGE));
    }
    if resource.status {
        list.push(("status", own, CHANGE));
    }
    list
}

fn resource_list(served: &Served, group: &str, version: &str) -> Value {
    let mut resources = Vec::new();
    for resource in served.iter().filter(|r| &*r.group == group && &*r.version == version) {
        let mut entry = json!({
            "name": &*resource.plural, "singularName": &*resource.singular, "namespaced": resource.namespaced,
            "kind": &*resource.kind, "verbs": resource.main_verbs(),
        });
        if !resource.short_names.is_empty() {
            entry["shortNames"] = json!(resource.short_names);
        }
        if !resource.categories.is_empty() {
            entry["categories"] = json!(resource.categories);
        }
        resources.push(entry);
        for (name, kind, verbs) in subresources(resource) {
            let mut entry = json!({
                "name": format!("{}/{name}", resource.plural), "singularName": "", "namespaced": resource.namespaced,
                "kind": kind["kind"], "verbs": verbs,
            });
            if kind["group"] != *resource.group {
                entry["group"] = kind["group"].clone();
                entry["version"] = kind["version"].clone();
            }
            resources.push(entry);
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
}

/// `apidiscovery.k8s.io/v2`: everything in one answer.
fn aggregate(served: &Served, core: bool) -> Value {
    let names = if core { vec![Arc::from("")] } else { groups(served) };
    let items: Vec<_> = names
        .iter()
        .map(|group| {
            let versions: Vec<_> = versions(served, group)
                .iter()
                .map(|version| {
                    let of_version = served.iter().filter(|r| r.group == *group && r.version == *version);
                    let resources: Vec<_> = of_version.map(|resource| aggregated_resource(resource)).collect();
                    json!({"version": &**version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let metadata = if core {
                json!({"creationTimestamp": null})
            } else {
                json!({"name": &**group, "creationTimestamp": null})
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn aggregated_resource(resource: &Resource) -> Value {
    let kind = json!({"group": &*resource.group, "version": &*resource.version, "kind": &*resource.kind});
    let mut entry = json!({
        "resource": &*resource.plural, "responseKind": kind, "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": &*resource.singular, "verbs": resource.main_verbs(),
    });
    if !resource.short_names.is_empty() {
        entry["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        entry["categories"] = json!(resource.categories);
    }
    let subresources: Vec<_> = subresources(resource)
        .into_iter()
        .map(|(name, kind, verbs)| json!({"subresource": name, "responseKind": kind, "verbs": verbs}))
        .collect();
    if !subresources.is_empty() {
        entry["subresources"] = subresources.into();
    }
    entry
}

fn paths(served: &Served) -> Vec<String> {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned()];
    for group in groups(served) {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions(served, &group).iter().map(|version| format!("/apis/{group}/{version}")));
    }
    paths.extend(["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"].map(str::to_owned));
    paths.sort();
    paths
}
