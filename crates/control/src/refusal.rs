//! What is left of a configuration when the data plane refuses one of its routes: everything else.

use std::sync::Arc;

use serin_api::ResourceId;
use serin_api::proxy::{Action, Listener, ProxySpec, Route, VirtualHost};

/// The status of a route that is closed because it asks for authentication.
const CLOSED: u16 = 403;

/// The configuration without a route, which is named by its virtual host, its resource and its own name. A closed
/// route takes those behind it along: they must not answer in its place.
pub(crate) fn without_route(spec: &ProxySpec, virtual_host: &str, source: &ResourceId, route: &str) -> ProxySpec {
    let refused = |it: &Arc<Route>| it.name == route && it.source == *source;
    let closed = |it: &Arc<Route>| matches!(it.action, Action::DirectResponse { status: CLOSED, .. });
    let mut spec = spec.clone();
    for listener in &mut spec.listeners {
        let hosts = listener.virtual_hosts.iter().map(|host| {
            if host.name != virtual_host || !host.routes.iter().any(refused) {
                return host.clone();
            }
            let end = host.routes.iter().position(|it| refused(it) && closed(it)).unwrap_or(host.routes.len());
            let routes = host.routes[..end].iter().filter(|it| !refused(it)).cloned().collect();
            Arc::new(VirtualHost { routes, ..VirtualHost::clone(host) })
        });
        *listener = Arc::new(Listener { virtual_hosts: hosts.collect(), ..Listener::clone(listener) });
    }
    spec
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serin_api::ResourceKind;

    use super::*;

    fn id() -> ResourceId {
        ResourceId::new(ResourceKind::RouteTable, "a", "t")
    }

    fn route(name: &str, status: u16) -> Arc<Route> {
        let action = Action::DirectResponse { status, body: String::new() };
        Arc::new(Route {
            name: name.to_owned(),
            source: id(),
            via: Vec::new(),
            matchers: Vec::new(),
            action,
            policy: None,
            stickiness: None,
        })
    }

    fn left(routes: Vec<Arc<Route>>, refused: &str) -> Vec<String> {
        let source = json!({"kind": "Gateway", "namespace": "g", "name": "g"});
        let listener = json!({
            "name": "g.g", "source": source, "bindAddress": "::", "bindPort": 80, "ssl": false,
            "stripAnyHostPort": false, "virtualHosts": [],
        });
        let mut listener: Listener = serde_json::from_value(listener).unwrap();
        let host = |name: &str| VirtualHost {
            name: name.to_owned(),
            source: id(),
            domains: vec![],
            routes: routes.clone(),
            policy: None,
        };
        listener.virtual_hosts = vec![Arc::new(host("x")), Arc::new(host("y"))];
        let spec = ProxySpec { listeners: vec![Arc::new(listener)], ..ProxySpec::default() };
        let spec = without_route(&spec, "x", &id(), refused);
        let hosts = &spec.listeners[0].virtual_hosts;
        assert_eq!(hosts[1].routes.len(), routes.len(), "other hosts keep theirs");
        hosts[0].routes.iter().map(|route| route.name.clone()).collect()
    }

    #[test]
    fn only_the_refused_route_goes() {
        assert_eq!(left(vec![route("a", 200), route("b", 200), route("c", 200)], "b"), ["a", "c"]);
    }

    #[test]
    fn a_closed_route_does_not_let_those_behind_it_answer() {
        assert_eq!(left(vec![route("a", 200), route("b", 403), route("c", 200)], "b"), ["a"]);
    }
}
