//! The listeners that configurations live on, side by side.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use serin_api::proxy::{Action, HttpSettings, Listener, ProxySpec, Route, VirtualHost};
use serin_api::{ResourceId, ResourceKind};

use super::request::Request;
use super::tls::{self, Identities};
use super::world;

/// A listener that does nothing of its own.
pub(crate) const PLAIN: &str = "ns.plain";
/// One that cuts ports off.
pub(crate) const STRIP: &str = "ns.strip";
/// One that speaks TLS.
pub(crate) const TLS: &str = "ns.tls";
/// A domain that no configuration has: it says which generation is served.
const GENERATION: &str = "generation.invalid";

/// How a listener is set up.
#[derive(Clone, PartialEq)]
pub(crate) struct Place {
    /// `PLAIN`, `STRIP` or `TLS`.
    pub(crate) kind: &'static str,
    pub(crate) http: HttpSettings,
}

/// Virtual hosts, each with the listener it is on. No two on one listener have a domain in common.
#[derive(Clone, Default)]
pub(crate) struct Configuration {
    pub(crate) listeners: Vec<Place>,
    /// Hosts, each behind the number of its listener.
    pub(crate) hosts: Vec<(usize, Arc<VirtualHost>)>,
}

impl Configuration {
    /// Puts a host on a listener that is set up like `place`; the listener's number.
    pub(crate) fn add(&mut self, place: Place, host: VirtualHost) -> usize {
        let number = self.listeners.iter().position(|other| *other == place).unwrap_or_else(|| {
            self.listeners.push(place);
            self.listeners.len() - 1
        });
        self.hosts.push((number, Arc::new(host)));
        number
    }

    /// The whole of it, as both get it.
    pub(crate) fn spec(&self, generation: u64) -> ProxySpec {
        let listener = |(number, place): (usize, &Place)| {
            let mine = self.hosts.iter().filter(|(on, _)| *on == number).map(|(_, host)| Arc::clone(host));
            Arc::new(Listener {
                name: name(number),
                source: ResourceId::new(ResourceKind::Gateway, "ns", format!("listener-{number}")),
                bind_address: "::".to_owned(),
                bind_port: u16::try_from(number).map_or(u16::MAX, |number| number.saturating_add(8080)),
                ssl: place.kind == TLS,
                tls: if place.kind == TLS { tls::of_listener() } else { Vec::new() },
                strip_any_host_port: place.kind == STRIP,
                http: place.http.clone(),
                access_logs: Vec::new(),
                virtual_hosts: mine.chain([Arc::new(says(generation))]).collect(),
            })
        };
        ProxySpec {
            listeners: self.listeners.iter().enumerate().map(listener).collect(),
            clusters: world::clusters(),
            sources: BTreeMap::new(),
        }
    }
}

/// The name of listener `number`.
pub(crate) fn name(number: usize) -> String {
    format!("ns.listener-{number}")
}

/// The kind of listener called `kind`.
pub(crate) fn kind(kind: &str) -> Option<&'static str> {
    [PLAIN, STRIP, TLS].into_iter().find(|known| *known == kind)
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

/// Which generation a listener like `place` serves at `address`; `None` where nothing is.
pub(crate) fn generation(place: &Place, address: SocketAddr, identities: &Identities) -> Option<u64> {
    let request = Request {
        protocol: Default::default(),
        method: "GET".to_owned(),
        target: "/".to_owned(),
        host: GENERATION.to_owned(),
        sni: (place.kind == TLS).then(|| tls::ASKED[0].to_owned()),
        headers: Vec::new(),
        want: String::new(),
        body: Default::default(),
    };
    let answer = request.send(address, "generation", identities).ok()?;
    String::from_utf8_lossy(&answer.body).parse().ok()
}
