//! Configurations as teams write them, drawn from a seed: a VirtualService whose routes are delegated to trees of RouteTables,
//! by name and by label, with options of their own, inherited and by reference. They go through the control plane's translation.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serin_api::proxy::VirtualHost;
use serin_api::{CONTROL_PLANE_NAMESPACE, Ref, ResourceId, ResourceKind};
use serin_translate::{Resource, Resources, Service, ServicePort, Snapshot, translate};

use super::configurations::pick;
use super::error::DifferentialError;

const NAMESPACE: &str = "ns";
/// The Upstreams that routes name; the clusters of [`super::world`] are called after them.
const UPSTREAMS: [&str; 4] = ["one", "two", "three", "default"];
/// Paths for what a VirtualService delegates, and what its tables put behind them.
const ROOTS: [&str; 4] = ["/", "/a", "/v1", "/echo"];
const TAILS: [&str; 6] = ["", "/", "/b", "/x", "x", "/b/c"];
/// How deep tables are delegated to at most.
const DEPTH: usize = 3;

/// Virtual host number `number`, as its resources come to.
///
/// # Errors
/// When a drawn resource is not one, or nothing comes of them: either is a fault of this file.
pub(crate) fn virtual_host(random: &mut Rng, number: usize) -> Result<VirtualHost, DifferentialError> {
    let mut tree = Tree { random, snapshot: Snapshot::default(), name: format!("t{number}"), tables: 0 };
    tree.draw().map_err(|error| DifferentialError::Manifest(error.to_string()))?;
    let Tree { snapshot, name, .. } = tree;
    let of_it = |host: &&Arc<VirtualHost>| host.source.name == name;
    let translation = translate(&snapshot);
    let listeners = translation.proxies.values().flat_map(|proxy| &proxy.listeners);
    let host = listeners.flat_map(|listener| &listener.virtual_hosts).find(of_it);
    host.map(|host| (**host).clone())
        .ok_or_else(|| DifferentialError::Manifest(format!("{name} came to nothing: {:?}", translation.reports)))
}

/// What is drawn so far.
struct Tree<'a> {
    random: &'a mut Rng,
    snapshot: Snapshot,
    name: String,
    tables: usize,
}

type Drawn = Result<(), serin_api::DecodeError>;

impl Tree<'_> {
    fn draw(&mut self) -> Drawn {
        let gateway =
            json!({"bindAddress": "::", "bindPort": 8080, "httpGateway": {}, "proxyNames": ["gateway-proxy"]});
        add(
            &mut self.snapshot.gateways,
            ResourceKind::Gateway,
            Ref::new(CONTROL_PLANE_NAMESPACE, "gateway"),
            json!({}),
            gateway,
        )?;
        for name in UPSTREAMS {
            let subsets = (name == "default").then(|| json!({"selectors": [{"keys": ["version"]}]}));
            let kube =
                json!({"serviceName": name, "serviceNamespace": NAMESPACE, "servicePort": 80, "subsetSpec": subsets});
            add(&mut self.snapshot.upstreams, ResourceKind::Upstream, here(name), json!({}), json!({"kube": kube}))?;
            let ports = vec![ServicePort { name: "http".to_owned(), port: 80, http2: false }];
            self.snapshot.services.insert(here(name), Arc::new(Service { ports }));
        }
        for name in ["first", "second"] {
            let options = json!({"options": self.route_options()});
            add(&mut self.snapshot.route_options, ResourceKind::RouteOption, here(name), json!({}), options)?;
            let options = json!({"options": self.host_options()});
            add(
                &mut self.snapshot.virtual_host_options,
                ResourceKind::VirtualHostOption,
                here(name),
                json!({}),
                options,
            )?;
        }
        let mut routes = Vec::new();
        for _ in 0..self.random.usize(1..4) {
            let root = pick(self.random, &ROOTS);
            routes.push(self.delegating(root, 0)?);
        }
        let mut host = json!({"domains": [format!("{}.test", self.name)], "routes": routes});
        self.say_options(&mut host, Self::host_options);
        let name = self.name.clone();
        let service = json!({"virtualHost": host});
        add(&mut self.snapshot.virtual_services, ResourceKind::VirtualService, here(&name), json!({}), service)
    }

    /// A route for `prefix` that delegates to a table or several.
    fn delegating(&mut self, prefix: &str, depth: usize) -> Result<Value, serin_api::DecodeError> {
        let mut route = json!({"matchers": [self.matcher("prefix", prefix)]});
        if self.random.u8(..3) == 0 {
            route["inheritableMatchers"] = json!(true);
        }
        if self.random.u8(..5) == 0 {
            route["inheritablePathMatchers"] = json!(true);
        }
        self.say_options(&mut route, Self::route_options);
        let tree = format!("{}-{}", self.name, self.tables);
        route["delegateAction"] = if self.random.bool() {
            self.table(&tree, prefix, depth)?;
            json!({"ref": {"name": tree, "namespace": NAMESPACE}})
        } else {
            for _ in 0..self.random.usize(1..4) {
                self.table(&tree, prefix, depth)?;
            }
            json!({"selector": {"labels": {"tree": tree}, "namespaces": [NAMESPACE]}})
        };
        Ok(route)
    }

    /// A table of routes behind `prefix`, with the label `tree`; the first of them is called that too.
    fn table(&mut self, tree: &str, prefix: &str, depth: usize) -> Drawn {
        let name = format!("{}-{}", self.name, self.tables);
        self.tables += 1;
        let mut routes = Vec::new();
        for _ in 0..self.random.usize(1..4) {
            let tail = pick(self.random, &TAILS);
            let path = format!("{}{tail}", if tail.starts_with('/') { prefix.trim_end_matches('/') } else { prefix });
            let route = if depth + 1 < DEPTH && self.random.u8(..4) == 0 {
                self.delegating(&path, depth + 1)?
            } else {
                self.leaf(&path)
            };
            routes.push(route);
        }
        let mut table = json!({"routes": routes});
        if self.random.bool() {
            table["weight"] = json!(self.random.i32(-1..2));
        }
        add(&mut self.snapshot.route_tables, ResourceKind::RouteTable, here(&name), json!({"tree": tree}), table)
    }

    fn leaf(&mut self, path: &str) -> Value {
        let kind = pick(self.random, &["prefix", "prefix", "exact", "regex"]);
        let path = if kind == "regex" { format!("{path}/?[a-z]*") } else { path.to_owned() };
        let mut route = json!({"matchers": [self.matcher(kind, &path)]});
        if self.random.u8(..6) == 0 {
            // It takes the parent's path, which is all it may say of one.
            route = json!({"inheritablePathMatchers": true, "inheritableMatchers": true});
        }
        match self.random.u8(..8) {
            0 => route["directResponseAction"] = json!({"status": 418, "body": path}),
            1 => route["redirectAction"] = json!({"prefixRewrite": "/new", "responseCode": "FOUND"}),
            _ => route["routeAction"] = self.forward(),
        }
        self.say_options(&mut route, Self::route_options);
        route
    }

    fn forward(&mut self) -> Value {
        let name = pick(self.random, &UPSTREAMS);
        let mut destination = json!({"upstream": {"name": name, "namespace": NAMESPACE}});
        if name == "default" {
            destination["subset"] = json!({"values": {"version": pick(self.random, &["v1", "v2", "v3"])}});
        }
        match self.random.u8(..3) {
            // One weight only, so that both sides choose the same.
            0 => json!({"multi": {"destinations": [
                {"destination": {"upstream": {"name": "one", "namespace": NAMESPACE}}, "weight": 0},
                {"destination": destination, "weight": 7},
            ]}}),
            _ => json!({"single": destination}),
        }
    }

    fn matcher(&mut self, kind: &str, path: &str) -> Value {
        let mut matcher = json!({kind: path});
        if self.random.u8(..4) == 0 {
            matcher["headers"] = json!([{"name": "x-flag", "value": pick(self.random, &["", "1", "v7"])}]);
        }
        if self.random.u8(..8) == 0 {
            matcher["methods"] = json!(["GET", "POST"]);
        }
        if self.random.u8(..8) == 0 {
            matcher["queryParameters"] = json!([{"name": "q", "value": pick(self.random, &["", "1"])}]);
        }
        matcher
    }

    /// Options of its own, and by reference.
    fn say_options(&mut self, target: &mut Value, draw: fn(&mut Self) -> Value) {
        if self.random.u8(..3) == 0 {
            target["options"] = draw(self);
        }
        if self.random.u8(..4) == 0 {
            let names = pick(self.random, &[&["first"][..], &["second", "first"]]);
            let references: Vec<_> = names.iter().map(|name| json!({"name": name, "namespace": NAMESPACE})).collect();
            target["optionsConfigRefs"] = json!({"delegateOptions": references});
        }
    }

    fn route_options(&mut self) -> Value {
        let mut options = json!({});
        if self.random.bool() {
            options["prefixRewrite"] = json!(pick(self.random, &["/", "/new", "/new/"]));
        }
        if self.random.u8(..3) == 0 {
            options["timeout"] = json!("30s");
            options["retries"] = json!({"retryOn": "5xx", "numRetries": self.random.u32(1..3)});
        }
        if self.random.u8(..4) == 0 {
            options["hostRewrite"] = json!(pick(self.random, &["first.host", "second.host"]));
        }
        self.change_headers(&mut options);
        options
    }

    fn host_options(&mut self) -> Value {
        let mut options = json!({});
        if self.random.u8(..3) == 0 {
            options["includeRequestAttemptCount"] = json!(true);
        }
        self.change_headers(&mut options);
        options
    }

    fn change_headers(&mut self, options: &mut Value) {
        if self.random.bool() {
            let value = pick(self.random, &["one", "two", "%REQ(x-flag)%"]);
            let header = json!({"header": {"key": "x-told", "value": value}, "append": self.random.bool()});
            options["headerManipulation"] = json!({
                "requestHeadersToAdd": [header.clone()],
                "responseHeadersToAdd": [header],
                "requestHeadersToRemove": ["x-flag"],
            });
        }
    }
}

fn here(name: &str) -> Ref {
    Ref::new(NAMESPACE, name)
}

fn add<T: DeserializeOwned>(
    resources: &mut Resources<T>,
    kind: ResourceKind,
    place: Ref,
    labels: Value,
    spec: Value,
) -> Drawn {
    let spec = serin_api::decode::<T>(&json!({"spec": spec}))?;
    let labels: BTreeMap<String, String> = serde_json::from_value(labels).unwrap_or_default();
    let id = ResourceId::new(kind, &place.namespace, &place.name);
    let resource = Resource { id, generation: 1, created: String::new(), labels, spec, unimplemented: Vec::new() };
    resources.insert(place, Arc::new(resource));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tree_comes_to_routes_some_of_which_forward() {
        let mut forwarding = 0;
        for number in 0..300 {
            let host = virtual_host(&mut Rng::with_seed(number), number as usize).unwrap();
            assert_eq!(host.domains, [format!("t{number}.test")]);
            let forwards =
                |route: &&Arc<serin_api::proxy::Route>| matches!(route.action, serin_api::proxy::Action::Forward(_));
            forwarding += host.routes.iter().filter(forwards).count();
        }
        assert!(forwarding > 300, "{forwarding}");
    }
}
