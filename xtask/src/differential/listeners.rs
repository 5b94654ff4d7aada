//! The listeners that configurations live on, side by side.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use serin_api::proxy::{Action, HttpSettings, Listener, ProxySpec, Route, VirtualHost};
use serin_api::{ResourceId, ResourceKind};

use super::request::Request;
use super::world;

/// A listener that does nothing of its own.
pub(crate) const PLAIN: &str = "ns.plain";
/// One that cuts ports off.
pub(crate) const STRIP: &str = "ns.strip";
/// A domain that no configuration has: it says which generation is served.
const GENERATION: &str = "generation.invalid";

/// Virtual hosts, each with the listener it is on. No two on one listener have a domain in common.
#[derive(Clone, Default)]
pub(crate) struct Configuration {
    pub(crate) hosts: Vec<(&'static str, Arc<VirtualHost>)>,
}

impl Configuration {
    /// The whole of it, as both get it.
    pub(crate) fn spec(&self, generation: u64) -> ProxySpec {
        let listener = |name: &str, bind_port, strip_any_host_port: bool| {
            let mine = self.hosts.iter().filter(|(on, _)| *on == name).map(|(_, host)| Arc::clone(host));
            let source = ResourceId::new(ResourceKind::Gateway, "ns", name.trim_start_matches("ns."));
            Arc::new(Listener {
                name: name.to_owned(),
                source,
                bind_address: "::".to_owned(),
                bind_port,
                ssl: false,
                tls: Vec::new(),
                strip_any_host_port,
                http: HttpSettings::default(),
                access_logs: Vec::new(),
                virtual_hosts: mine.chain([Arc::new(says(generation))]).collect(),
            })
        };
        ProxySpec {
            listeners: vec![listener(PLAIN, 8080, false), listener(STRIP, 8081, true)],
            clusters: world::clusters(),
            sources: BTreeMap::new(),
        }
    }
}

/// The listener called `name`.
pub(crate) fn named(name: &str) -> Option<&'static str> {
    [PLAIN, STRIP].into_iter().find(|listener| *listener == name)
}

/// A host that says which generation this is.
fn says(generation: u64) -> VirtualHost {
    let source = ResourceId::new(ResourceKind::VirtualService, "ns", "generation");
    let matcher = serin_api::gateway::Matcher { prefix: Some("/".to_owned()), ..Default::default() };
    let route = Route {
        name: "generation".to_owned(),
        source: source.clone(),
        via: Vec::new(),
        matchers: vec![matcher],
        action: Action::DirectResponse { status: 200, body: generation.to_string() },
        policy: None,
        stickiness: None,
    };
    VirtualHost {
        name: "ns.generation".to_owned(),
        source,
        domains: vec![GENERATION.to_owned()],
        routes: vec![Arc::new(route)],
        policy: None,
    }
}

/// Which generation is served at `address`; `None` where nothing is.
pub(crate) fn generation(address: SocketAddr) -> Option<u64> {
    let request = Request {
        protocol: Default::default(),
        method: "GET".to_owned(),
        target: "/".to_owned(),
        host: GENERATION.to_owned(),
        headers: Vec::new(),
        want: String::new(),
        body: Default::default(),
    };
    let answer = request.send(address, "generation").ok()?;
    String::from_utf8_lossy(&answer.body).parse().ok()
}
